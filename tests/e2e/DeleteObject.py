#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""DeleteObject: gone everywhere, twice is fine."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403



def test_gone():
    n = bucket(EU)
    for size in (10, 200000):
        for via in (EU, US):
            S3().put(n, "k", b"x" * size)
            r = S3(via).delete(n, "k")
            status(r, 204)
            eq("no body", r.body, b"")
            for region in (EU, US):
                error(S3(region).get(n, "k"), 404, "NoSuchKey", Key="k")
    eq("nothing listed", S3().keys(n), [])


def test_twice():
    """A key that is not there: 204 all the same."""
    n = bucket(EU)
    status(S3().delete(n, "never"), 204)


SIZE, TIME = {"x-amz-if-match-size": "9"}, {"x-amz-if-match-last-modified-time": "Tue, 01 Jan 2019 00:00:00 GMT"}
ETAGS = ({"if-match": "*"}, {"if-match": '"other"'})


def test_conditions():
    """If-Match on what is not there, or on a delete marker, is 404; size and time hold of it, and a named version is gone whatever was asked."""
    def delete(n, headers, **query):
        return S3(US).request("DELETE", n, "k", headers=headers, query=query)
    plain, n = bucket(EU), versioned(EU)
    for name in (plain, n):
        for h in ETAGS:
            error(delete(name, h), 404, "NoSuchKey", Key="k")
        for h in (SIZE, TIME):
            status(delete(name, h), 204)
        eq("nothing was made", versions(name), [])
        S3().put(name, "k", b"x")
        for h in (ETAGS[1], SIZE, TIME):
            error(delete(name, h), 412, "PreconditionFailed")
        v = S3().head(name, "k").get("x-amz-version-id")
        r = delete(name, {"if-match": S3().head(name, "k").get("ETag"), "x-amz-if-match-size": "1"})
        eq("all hold", (r.status, r.get("x-amz-delete-marker")), (204, "true" if v else None))
        for h in ETAGS:
            error(delete(name, h), 404, "NoSuchKey", Key="k")
    was = versions(n)
    for h in (SIZE, TIME):
        status(delete(n, h), 204)
    eq("a marker is not hidden by another", versions(n), was)
    for h in (ETAGS[1], SIZE, TIME):
        error(delete(n, h, versionId=v), 412, "PreconditionFailed")
    status(delete(n, ETAGS[0], versionId=v), 204)
    for h in ETAGS + (SIZE, TIME):
        status(delete(n, h, versionId=v), 204)
    eq("the marker alone", [x[3] for x in versions(n)], [True])


def test_missing_bucket():
    error(S3().delete("t-" + secrets.token_hex(8), "k"), 404, "NoSuchBucket")


def test_refused():
    n = bucket(EU)
    S3().put(n, "k", b"x")
    error(S3(EU, KEY2, SECRET2).delete(n, "k"), 403, "AccessDenied")
    error(S3().send("DELETE", "/%s/k" % n), 403, "AccessDenied")
    eq("still there", S3().get(n, "k").body, b"x")


def test_odd_key():
    """Only the key that is named goes: a beside a/b, a//b and a/./b."""
    n = bucket(EU)
    keys = ["a", "a/", "a/b", "a//b", "a/./b", "a/b/", "A", "a b", "a+b", "a%2Fb"]
    for k in keys:
        S3().put(n, k, b"x")
    while keys:
        k = keys.pop()
        status(S3(US).delete(n, k), 204)
        eq("the others stay", S3().keys(n), sorted(keys, key=lambda x: x.encode()))


def test_wire():
    n = bucket(EU)
    r = S3().delete(n, "k")
    ok("no content type is claimed for no content", r.get("Content-Length") in (None, "0"), r.headers)


if __name__ == "__main__":
    main()
