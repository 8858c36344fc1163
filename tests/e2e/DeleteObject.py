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


SIZE, TIME = {"x-amz-if-match-size": "1"}, {"x-amz-if-match-last-modified-time": "Tue, 01 Jan 2019 00:00:00 GMT"}
ETAGS = ({"if-match": "*"}, {"if-match": '"other"'})


def test_conditions():
    """If-Match on what is not there, or on a delete marker, is 404."""
    def delete(n, headers, **query):
        return S3(US).request("DELETE", n, "k", headers=headers, query=query)
    plain, n = bucket(EU), versioned(EU)
    for name in (plain, n):
        for h in ETAGS:
            error(delete(name, h), 404, "NoSuchKey", Key="k")
        eq("nothing was made", versions(name), [])
        S3().put(name, "k", b"x")
        error(delete(name, ETAGS[1]), 412, "PreconditionFailed", Condition="If-Match")
        v = S3().head(name, "k").get("x-amz-version-id")
        r = delete(name, {"if-match": S3().head(name, "k").get("ETag")})
        eq("it holds", (r.status, r.get("x-amz-delete-marker")), (204, "true" if v else None))
        for h in ETAGS:
            error(delete(name, h), 404, "NoSuchKey", Key="k")
        S3().put(name, "k", b"x")
        status(delete(name, ETAGS[0]), 204)
    eq("versions and markers", [x[3] for x in versions(n)], [True, False, True, False])


def test_conditions_not_taken():
    """S3 has those on size and time in directory buckets alone, and none on a named version; nothing is deleted then."""
    n = versioned(EU)
    v = S3().put(n, "k", b"x").get("x-amz-version-id")
    etag = {"if-match": S3().head(n, "k").get("ETag")}
    for h, q in ((SIZE, {}), (TIME, {}), (SIZE, {"versionId": v}), (etag, {"versionId": v}), (ETAGS[0], {"versionId": v}), ({"if-none-match": "*"}, {}), ({"if-unmodified-since": TIME[list(TIME)[0]]}, {})):
        r = S3().request("DELETE", n, "k", headers=h, query=q)
        error(r, 501, "NotImplemented")
        eq("the header is named", r.text("Header").lower(), list(h)[0])
    error(S3().request("DELETE", n, "k", headers=dict(SIZE, **TIME, **etag)), 501, "NotImplemented", Header=list(TIME)[0])
    eq("still there", versions(n), [("k", v, True, False)])


def test_bypass_of_nothing():
    """x-amz-bypass-governance-retention where the bucket has no object lock: S3 refuses it, here it means nothing, as clients send it always."""
    n = bucket(EU)
    body = b"<Delete><Object><Key>k</Key></Object></Delete>"
    h = {"x-amz-bypass-governance-retention": "true"}
    S3().put(n, "k", b"x")
    status(S3().request("DELETE", n, "k", headers=h), 204)
    S3().put(n, "k", b"x")
    status(S3(US).request("POST", n, query="delete", body=body, headers=dict(h, **{"x-amz-checksum-crc32": sigv4.checksum("crc32", body)})), 200)
    eq("gone", S3().keys(n), [])


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
