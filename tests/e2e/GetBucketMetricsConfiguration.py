#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetBucketMetricsConfiguration: there is none."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403

SUB = 'metrics'


def test_none():
    n = bucket(EU)
    for region in (EU, US):
        error(S3(region).request("GET", n, query=SUB + "&id=one"), 404, "NoSuchConfiguration")


def test_refused():
    n = bucket(EU)
    error(S3(EU, KEY2, SECRET2).request("GET", n, query=SUB + "&id=one"), 403, "AccessDenied")
    error(S3(EU).request("GET", "t-" + secrets.token_hex(8), query=SUB + "&id=one"), 404, "NoSuchBucket")


if __name__ == "__main__":
    main()
