#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutObjectTagging, and tags that come with an object: put, replaced, counted, limited, asked for by policies."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def test_put():
    """They replace what was there, leave the object as it is, and are counted."""
    n = versioned(EU)
    a = S3().put(n, "k", b"x", x_amz_tagging="old=1").get("x-amz-version-id")
    before = S3().head(n, "k").get("Last-Modified")
    r = tagging("PUT", n, [("team", "blue"), ("x", "y"), ("\u00fc", "\u65e5")], s3=S3(US))
    status(r, 200)
    eq("version", r.get("x-amz-version-id"), a)
    eq("tags", tags_of(n), [("team", "blue"), ("x", "y"), ("\u00fc", "\u65e5")])
    for via in (EU, US):
        eq("count", (S3(via).get(n, "k").get("x-amz-tagging-count"), S3(via).head(n, "k").get("x-amz-tagging-count")), ("3", "3"))
    eq("the rest", (S3().head(n, "k").get("Last-Modified"), versions(n)), (before, [("k", a, True, False)]))
    status(tagging("PUT", n, []), 200)
    eq("none", (tags_of(n), S3().head(n, "k").get("x-amz-tagging-count")), ([], None))


def test_with_an_object():
    """x-amz-tagging: form-urlencoded; an overwrite has its own, or none."""
    n = bucket(EU)
    for text, want in (("foo=bar&bar", [("bar", ""), ("foo", "bar")]), ("a=b+c%20d%2B%3D&%C3%BC=", [("a", "b c d+="), ("\u00fc", "")]), ("", []), (None, [])):
        r = S3().request("PUT", n, "k", body=b"x", headers={} if text is None else {"x-amz-tagging": text})
        status(r, 200)
        eq(repr(text), tags_of(n), want)
    for text, code in (("a=b&a=c", "InvalidArgument"), ("a=%zz", "InvalidArgument"), ("a=b,c=d", "InvalidArgument"), ("a=%26", "InvalidArgument"), ("=b", "InvalidTag"), ("k" * 129 + "=v", "InvalidTag"), ("k=" + "v" * 257, "InvalidTag"),
                       ("aws:k=v", "InvalidTag"), ("&".join("k%d=v" % i for i in range(11)), "BadRequest")):
        error(S3().request("PUT", n, "bad", body=b"x", headers={"x-amz-tagging": text}), 400, code)
    eq("nothing is left", S3().keys(n), ["k"])


def test_limits():
    """Ten tags, keys of 1 to 128 characters, values of 256; keys once, none that begins with aws:."""
    n = bucket(EU)
    S3().put(n, "k", b"x")
    for pairs in ([("k%d" % i, "v") for i in range(11)], [("", "v")], [("k" * 129, "v")], [("k", "v" * 257)], [("k", "1"), ("k", "2")], [("aws:k", "v")], [("k,l", "v")], [("k", "v*")]):
        error(tagging("PUT", n, pairs), 400, "InvalidTag")
    for doc in (b"", b"<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>", b"<Tagging><TagSet>"):
        error(tagging("PUT", n, doc), 400, "MalformedXML")
    eq("none", tags_of(n), [])
    status(tagging("PUT", n, b"<Tagging/>"), 200)
    pairs = [("%02d" % i + "\U0001f600" * 126, "\u65e5" * 256) for i in range(10)]
    status(tagging("PUT", n, pairs), 200)
    eq("as put", (tags_of(n, s3=S3(US)), S3().head(n, "k").get("x-amz-tagging-count")), (pairs, "10"))


def test_errors():
    n = versioned(EU)
    error(tagging("PUT", n, [("a", "b")]), 404, "NoSuchKey", Key="k")
    S3().put(n, "k", b"x")
    error(tagging("PUT", n, [("a", "b")], "ffffffffffffffff"), 404, "NoSuchVersion")
    error(tagging("PUT", n, [("a", "b")], "zz"), 400, "InvalidArgument")
    error(tagging("PUT", n, [("a", "b")], headers={"content-md5": "AAAAAAAAAAAAAAAAAAAAAA=="}), 400, "BadDigest")
    S3().delete(n, "k")
    error(tagging("PUT", n, [("a", "b")]), 405, "MethodNotAllowed")


def test_refused():
    """Another tenant, nobody; with a put, too, which takes s3:PutObjectTagging besides."""
    n = bucket(EU)
    S3().put(n, "k", b"x")
    other = S3(EU, KEY2, SECRET2)
    error(tagging("PUT", n, [("a", "b")], s3=other), 403, "AccessDenied")
    error(S3().send("PUT", "/%s/k?tagging" % n, body=b"<Tagging><TagSet/></Tagging>"), 403, "AccessDenied")
    allow(n, "s3:PutObject")
    error(tagging("PUT", n, [("a", "b")], s3=other), 403, "AccessDenied")
    error(other.request("PUT", n, "k", body=b"y", headers={"x-amz-tagging": "a=b"}), 403, "AccessDenied")
    allow(n, ["s3:PutObject", "s3:PutObjectTagging"])
    status(tagging("PUT", n, [("a", "b")], s3=other), 200)
    status(other.request("PUT", n, "k", body=b"y", headers={"x-amz-tagging": "a=c"}), 200)
    eq("tags", tags_of(n), [("a", "c")])
    # The count is for those who may read them.
    allow(n, "s3:GetObject")
    eq("count", S3(US, KEY2, SECRET2).head(n, "k").get("x-amz-tagging-count"), None)
    allow(n, ["s3:GetObject", "s3:GetObjectTagging"])
    eq("count", S3(US, KEY2, SECRET2).head(n, "k").get("x-amz-tagging-count"), "1")


def test_conditions():
    """By the tags of the document, and by those that are there; a header speaks for no document."""
    n = bucket(EU)
    S3().put(n, "k", b"x", x_amz_tagging="team=blue")
    allow(n, "s3:PutObjectTagging", {"StringEquals": {"s3:RequestObjectTag/team": "blue"}, "ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["team", "b"]}})
    for via in (EU, US):
        other = S3(via, KEY2, SECRET2)
        error(tagging("PUT", n, [("team", "red")], s3=other, headers={"x-amz-tagging": "team=blue"}), 403, "AccessDenied")
        error(tagging("PUT", n, [("team", "blue"), ("c", "d")], s3=other), 403, "AccessDenied")
        status(tagging("PUT", n, [("team", "blue"), ("b", "d")], s3=other), 200)
    allow(n, "s3:PutObjectTagging", {"StringEquals": {"s3:ExistingObjectTag/team": "blue"}})
    other = S3(EU, KEY2, SECRET2)
    status(tagging("PUT", n, [("team", "red")], s3=other), 200)
    error(tagging("PUT", n, [("team", "blue")], s3=other), 403, "AccessDenied")


def test_odd_key():
    n = bucket(EU)
    key = "a b+c/\u65e5%?"
    S3().put(n, key, b"x")
    status(tagging("PUT", n, [("k", "v")], key=key, s3=S3(US)), 200)
    eq("tags", tags_of(n, key=key), [("k", "v")])


if __name__ == "__main__":
    main()
