#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetBucketLocation: answered anywhere from metadata."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403



def test_anywhere():
    n = bucket(US)
    for region in (EU, US):
        r = S3(region).request("GET", n, query={"location": None})
        status(r, 200)
        eq("root", r.xml.tag, "LocationConstraint")
        eq("region", r.xml.text, US.name)


def test_missing():
    error(S3().request("GET", "t-" + secrets.token_hex(8), query="location"), 404, "NoSuchBucket", BucketName=None)


def test_refused():
    n = bucket(EU)
    error(S3(EU, KEY2, SECRET2).request("GET", n, query="location"), 403, "AccessDenied")
    error(S3(EU).send("GET", "/%s?location" % n), 403, "AccessDenied")


def test_wire():
    n = bucket(EU)
    r = S3(US).request("GET", n, query="location")
    ok("as S3 writes it", re.fullmatch(rb'<\?xml version="1.0" encoding="UTF-8"\?>\s*<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">%s</LocationConstraint>\s*' % EU.name.encode(), r.body), r.body)


if __name__ == "__main__":
    main()
