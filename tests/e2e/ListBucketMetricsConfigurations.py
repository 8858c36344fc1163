#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""ListBucketMetricsConfigurations: an empty list, so that programs that look go on."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403

SUB = 'metrics'


def test_empty():
    n = bucket(EU)
    for region in (EU, US):
        r = S3(region).request("GET", n, query=SUB)
        status(r, 200)
        eq("the root", r.xml.tag, 'ListMetricsConfigurationsResult')
        eq("no more", r.text("IsTruncated"), "false")
        eq("nothing in it", len(r.xml), 1)


def test_refused():
    n = bucket(EU)
    error(S3(EU, KEY2, SECRET2).request("GET", n, query=SUB), 403, "AccessDenied")
    error(S3(EU).send("GET", "/%s?%s" % (n, SUB)), 403, "AccessDenied")
    error(S3(EU).request("GET", "t-" + secrets.token_hex(8), query=SUB), 404, "NoSuchBucket")


if __name__ == "__main__":
    main()
