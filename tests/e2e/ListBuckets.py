#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""ListBuckets: every bucket of the caller's tenant, of all regions."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403



def test_all_regions():
    """Buckets of both regions, through both, in the order of their names, with owner and date."""
    a, b = bucket(EU), bucket(US)
    for region in (EU, US):
        r = S3(region).request("GET")
        status(r, 200)
        eq("root", r.xml.tag, "ListAllMyBucketsResult")
        names = [e.text for e in r.xml.findall("Buckets/Bucket/Name")]
        ok("both are there", a in names and b in names, names)
        eq("in order", names, sorted(names))
        eq("owner", r.text("Owner/ID"), OWNER)
        ok("date", re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", r.text("Buckets/Bucket/CreationDate")), r.body)


def test_others_see_nothing():
    """Another tenant's list has its own buckets only."""
    a = bucket(EU)
    r = S3(EU, KEY2, SECRET2).request("GET")
    status(r, 200)
    ok("not ours", a not in [e.text for e in r.xml.findall("Buckets/Bucket/Name")], r.body)
    eq("owner", r.text("Owner/ID"), OWNER2)


def test_anonymous():
    """Without credentials: 403, never an empty success."""
    error(S3().send("GET", "/"), 403, "AccessDenied")


def test_wire():
    """The answer's bytes begin as S3's do."""
    bucket(EU)
    r = S3().request("GET")
    ok("XML declaration and namespace", re.match(rb'<\?xml version="1.0" encoding="UTF-8"\?>\s*<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">', r.body), r.body)
    contains("type", r.get("Content-Type"), "application/xml")


if __name__ == "__main__":
    main()
