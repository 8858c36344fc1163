#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""ListObjectsV2: order, prefixes, pages."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403

def page(n, region=None, query=None, **q):
    return listed(n, region, query, list_type="2", **q)


def test_order():
    """The order of UTF-8 bytes, through both regions, with size, date, ETag and class."""
    n = bucket(EU)
    keys = ["b", "a", "a/b", "A", "a b", "\u00e9", "z", "\U0001f600", "\uffee", "a.b", "a-b", "0", "~"]
    fill(n, keys)
    expected = sorted(keys, key=lambda k: k.encode())
    for region in (EU, US):
        r = page(n, region)
        eq("keys", keys_of(r), expected)
        eq("KeyCount", r.text("KeyCount"), str(len(keys)))
        eq("IsTruncated", r.text("IsTruncated"), "false")
        eq("Name", r.text("Name"), n)
        eq("MaxKeys", r.text("MaxKeys"), "1000")
        eq("Size", r.text("Contents/Size"), "1")
        eq("ETag", r.text("Contents/ETag"), '"%s"' % hashlib.md5(b"x").hexdigest())
        eq("StorageClass", r.text("Contents/StorageClass"), "STANDARD")
        ok("LastModified", re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", r.text("Contents/LastModified")), r.body)
        eq("no owner unless asked", r.text("Contents/Owner"), None)


def test_prefix_and_delimiter():
    n = bucket(EU)
    fill(n, ["a", "a/1", "a/2", "a/b/1", "a/b/2", "b//x", "b/y", "c"])
    for q, keys, prefixes in (
            (dict(prefix="a/"), ["a/1", "a/2", "a/b/1", "a/b/2"], []),
            (dict(delimiter="/"), ["a", "c"], ["a/", "b/"]),
            (dict(prefix="a/", delimiter="/"), ["a/1", "a/2"], ["a/b/"]),
            (dict(prefix="b/", delimiter="/"), ["b/y"], ["b//"]),
            (dict(prefix="a", delimiter="/"), ["a"], ["a/"]),
            (dict(prefix="none"), [], []),
            (dict(delimiter="/b"), ["a", "a/1", "a/2", "b//x", "b/y", "c"], ["a/b"]),
            (dict(prefix="", delimiter=""), ["a", "a/1", "a/2", "a/b/1", "a/b/2", "b//x", "b/y", "c"], [])):
        r = page(n, **q)
        eq("keys for %s" % q, keys_of(r), keys)
        eq("prefixes for %s" % q, prefixes_of(r), prefixes)
        eq("KeyCount for %s" % q, r.text("KeyCount"), str(len(keys) + len(prefixes)))


def test_paging():
    """Any page size gives the same whole: nothing twice, nothing lost; prefixes count."""
    n = bucket(EU)
    keys = ["k%02d" % i for i in range(12)] + ["p/%d" % i for i in range(4)] + ["q/%d" % i for i in range(3)] + ["z"]
    fill(n, keys)
    for delimiter in ("", "/"):
        whole = page(n, delimiter=delimiter)
        expected = sorted(keys_of(whole) + prefixes_of(whole))
        for size in (1, 2, 5, 13, 14, 20):
            got, token, pages = [], None, 0
            while True:
                q = dict(delimiter=delimiter, max_keys=str(size))
                if token:
                    q["continuation_token"] = token
                r = page(n, (EU, US)[pages % 2], **q)
                new = keys_of(r) + prefixes_of(r)
                ok("no page is too long", len(new) <= size, new)
                got += new
                pages += 1
                token = r.text("NextContinuationToken")
                eq("a token says that more follows", r.text("IsTruncated"), "true" if token else "false")
                if not token:
                    break
                ok("pages end", pages < 50)
            eq("all of them, with %s and %d a page" % (delimiter, size), sorted(got), expected)


def test_thousand():
    """1,000 a page at most, whatever is asked for; the rest comes with the token."""
    import concurrent.futures
    n = bucket(EU)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: S3().put(n, "k%04d" % i, b""), range(1005)))
    r = page(n, max_keys="2000")
    eq("KeyCount", r.text("KeyCount"), "1000")
    eq("MaxKeys", r.text("MaxKeys"), "1000")
    eq("IsTruncated", r.text("IsTruncated"), "true")
    eq("the rest", keys_of(page(n, continuation_token=r.text("NextContinuationToken"))), ["k%04d" % i for i in range(1000, 1005)])


def test_start_after():
    n = bucket(EU)
    fill(n, ["a", "b", "b/1", "b/2", "c"])
    eq("after a", keys_of(page(n, start_after="a")), ["b", "b/1", "b/2", "c"])
    eq("after what is not there", keys_of(page(n, start_after="b/1x")), ["b/2", "c"])
    r = page(n, start_after="a", delimiter="/")
    eq("with a delimiter", (keys_of(r), prefixes_of(r)), (["b", "c"], ["b/"]))
    eq("StartAfter is told", page(n, start_after="a").text("StartAfter"), "a")


def test_encoding():
    """encoding-type=url makes any key survive XML."""
    n = bucket(EU)
    fill(n, ["a b+c&<>\"'%/\u00e9", "tab\t"])
    r = page(n, encoding_type="url", prefix="a b")
    eq("EncodingType", r.text("EncodingType"), "url")
    eq("Key", keys_of(r), ["a+b%2Bc%26%3C%3E%22%27%25/%C3%A9"]) if "+" in keys_of(r)[0] else eq("Key", keys_of(r), ["a%20b%2Bc%26%3C%3E%22%27%25/%C3%A9"])
    ok("Prefix is encoded, too", r.text("Prefix") in ("a+b", "a%20b"), r.text("Prefix"))
    error(S3().request("GET", n, query={"list-type": "2", "encoding-type": "rot13"}), 400, "InvalidArgument")


def test_owner():
    n = bucket(EU)
    fill(n, ["a"])
    eq("with fetch-owner", page(n, fetch_owner="true").text("Contents/Owner/ID"), OWNER)


def test_zero_and_bad_arguments():
    n = bucket(EU)
    fill(n, ["a"])
    r = page(n, max_keys="0")
    eq("none", (keys_of(r), r.text("IsTruncated"), r.text("KeyCount")), ([], "false", "0"))
    for q in ({"list-type": "2", "max-keys": "-1"}, {"list-type": "2", "max-keys": "x"}, {"list-type": "2", "continuation-token": "not ours"}):
        error(S3().request("GET", n, query=q), 400, "InvalidArgument")
    r = S3().request("GET", n, query={"list-type": "2", "continuation-token": ""})
    eq("an empty token is the start, and told back", (keys_of(r), r.text("ContinuationToken")), (["a"], ""))


def test_missing_and_refused():
    error(S3().request("GET", "t-" + secrets.token_hex(8), query={"list-type": "2"}), 404, "NoSuchBucket")
    n = bucket(EU)
    error(S3(EU, KEY2, SECRET2).request("GET", n, query={"list-type": "2"}), 403, "AccessDenied")
    error(S3().send("GET", "/%s?list-type=2" % n), 403, "AccessDenied")


def test_range_does_not_cut():
    """A Range header on a listing changes nothing: web servers would cut it."""
    n = bucket(EU)
    fill(n, ["a", "b"])
    r = S3().request("GET", n, query={"list-type": "2"}, headers={"Range": "bytes=0-9"})
    status(r, 200)
    eq("whole", keys_of(r), ["a", "b"])


def test_wire():
    n = bucket(EU)
    fill(n, ["a"])
    ok("as S3 writes it", re.match(rb'<\?xml version="1.0" encoding="UTF-8"\?>\s*<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>', page(n).body), page(n).body)


if __name__ == "__main__":
    main()
