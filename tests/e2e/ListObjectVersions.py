#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""ListObjectVersions: order, pages, delimiters, markers."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def made(n, keys, times=2):
    return [(k, S3().put(n, k, b"x").get("x-amz-version-id")) for k in keys for _ in range(times)]


def test_pages():
    """Every page size gives the same entries in the same order; only the first of a key is the latest."""
    n = versioned(EU)
    put = made(n, ["a", "b/1", "b/2", "c"], 3)
    S3().delete(n, "c")
    whole = versions(n)
    eq("entries", len(whole), len(put) + 1)
    eq("order of keys", [e[0] for e in whole], sorted(e[0] for e in whole))
    for k in set(e[0] for e in whole):
        eq("latest of %s" % k, [e[2] for e in whole if e[0] == k][:2], [True, False])
    for size in (1, 2, 3, 5, 12, 13):
        came, q = [], {}
        while True:
            r = S3().request("GET", n, query=dict({"versions": "", "max-keys": str(size)}, **q))
            status(r, 200)
            page = [(e.findtext("Key"), e.findtext("VersionId"), e.findtext("IsLatest") == "true", e.tag == "DeleteMarker") for e in r.xml if e.tag in ("Version", "DeleteMarker")]
            ok("no more than asked", len(page) <= size, page)
            came += page
            if r.text("IsTruncated") == "false":
                break
            q = {"key-marker": r.text("NextKeyMarker"), "version-id-marker": r.text("NextVersionIdMarker")}
        eq("pages of %d" % size, came, whole)


def test_delimiter():
    n = versioned(EU)
    made(n, ["a", "b/1", "b/2", "c/", "d"], 2)
    r = S3().request("GET", n, query={"versions": "", "delimiter": "/"})
    eq("prefixes", prefixes_of(r), ["b/", "c/"])
    eq("keys", [e.findtext("Key") for e in r.xml.findall("Version")], ["a", "a", "d", "d"])
    r = S3().request("GET", n, query={"versions": "", "delimiter": "/", "max-keys": "3"})
    eq("a page that ends at a prefix", (prefixes_of(r), r.text("NextKeyMarker"), r.text("NextVersionIdMarker")), (["b/"], "b/", None))
    r = S3().request("GET", n, query={"versions": "", "delimiter": "/", "key-marker": "b/"})
    eq("behind it", (prefixes_of(r), [e.findtext("Key") for e in r.xml.findall("Version")]), (["c/"], ["d", "d"]))
    eq("prefix", [e[0] for e in versions(n, prefix="b/")], ["b/1", "b/1", "b/2", "b/2"])
    eq("key-marker alone passes all of the key's", [e[0] for e in versions(n, key_marker="b/2")], ["c/", "c/", "d", "d"])


def test_never_had_versions():
    n = bucket(EU)
    S3().put(n, "k", b"x")
    eq("null versions", versions(n, US), [("k", "null", True, False)])
    eq("none", versions(n, max_keys="0"), [])


def test_errors():
    n = bucket(EU)
    get = lambda **q: S3().request("GET", n, query=dict({"versions": ""}, **q))
    error(get(**{"version-id-marker": "null"}), 400, "InvalidArgument", ArgumentName="version-id-marker")
    error(get(**{"key-marker": "k", "version-id-marker": "zzz"}), 400, "InvalidArgument")
    error(get(**{"max-keys": "x"}), 400, "InvalidArgument")
    error(S3().request("GET", "t-" + secrets.token_hex(8), query="versions"), 404, "NoSuchBucket")


def test_refused():
    n = bucket(EU)
    error(S3(EU, KEY2, SECRET2).request("GET", n, query="versions"), 403, "AccessDenied")
    error(S3().send("GET", "/%s?versions" % n), 403, "AccessDenied")


def test_wire():
    n = versioned(EU)
    v = S3().put(n, "a b&c", b"xyz").get("x-amz-version-id")
    r = S3().request("GET", n, query={"versions": "", "encoding-type": "url"})
    contains("the entry", r.body, b"<Version><Key>a%%20b%%26c</Key><VersionId>%s</VersionId><IsLatest>true</IsLatest><LastModified>" % v.encode())
    contains("size and class", r.body, b"<Size>3</Size><StorageClass>STANDARD</StorageClass><Owner><ID>")


if __name__ == "__main__":
    main()
