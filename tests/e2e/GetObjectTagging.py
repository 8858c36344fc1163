#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetObjectTagging: of each version its own, in the order of keys."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def test_of_each_version():
    n = versioned(EU)
    a, b = (S3().put(n, "k", x).get("x-amz-version-id") for x in (b"a", b"b"))
    status(tagging("PUT", n, [("team", "blue"), ("a b", "")], a), 200)
    eq("of each", (tags_of(n, a, S3(US)), tags_of(n, b), tags_of(n)), ([("a b", ""), ("team", "blue")], [], []))
    r = tagging("GET", n, version=a)
    eq("version", r.get("x-amz-version-id"), a)
    eq("the document", r.body, b'<?xml version="1.0" encoding="UTF-8"?>\n<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet><Tag><Key>a b</Key><Value></Value></Tag><Tag><Key>team</Key><Value>blue</Value></Tag></TagSet></Tagging>')
    contains("of none", tagging("GET", n).body, b"<TagSet></TagSet>")


def test_errors():
    n = versioned(EU)
    error(tagging("GET", n), 404, "NoSuchKey", Key="k")
    S3().put(n, "k", b"x")
    error(tagging("GET", n, version="ffffffffffffffff"), 404, "NoSuchVersion")
    error(tagging("GET", n, version="zz"), 400, "InvalidArgument")
    S3().delete(n, "k")
    r = tagging("GET", n)
    error(r, 405, "MethodNotAllowed", Method="GET", ResourceType="DeleteMarker")
    eq("what can be done to it", r.get("Allow"), "DELETE")


def test_odd_key():
    n = bucket(EU)
    key = "a b+c/\u65e5%?"
    S3().put(n, key, b"x", x_amz_tagging="k=v%20w")
    eq("tags", tags_of(n, key=key, s3=S3(US)), [("k", "v w")])


def test_refused():
    n = bucket(EU)
    S3().put(n, "k", b"x", x_amz_tagging="a=b")
    error(tagging("GET", n, s3=S3(EU, KEY2, SECRET2)), 403, "AccessDenied")
    error(S3(US).send("GET", "/%s/k?tagging" % n), 403, "AccessDenied")


def test_named_by_policies():
    """A version's tags take an action of their own."""
    n = versioned(EU)
    v = S3().put(n, "k", b"x", x_amz_tagging="a=b").get("x-amz-version-id")
    other = S3(EU, KEY2, SECRET2)
    for action, plain, named in (("s3:GetObjectTagging", 200, 403), ("s3:GetObjectVersionTagging", 403, 200)):
        allow(n, action)
        status(tagging("GET", n, s3=other), plain)
        status(tagging("GET", n, version=v, s3=other), named)


if __name__ == "__main__":
    main()
