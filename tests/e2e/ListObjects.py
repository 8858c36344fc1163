#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""ListObjects, version 1: markers."""
import os
import sys
from urllib.parse import unquote

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def test_markers():
    """NextMarker comes with a delimiter; without one the last key is the marker."""
    n = bucket(EU)
    fill(n, ["a", "b/1", "b/2", "c", "d/1", "e"])
    r = listed(n, max_keys="2")
    eq("first page", (keys_of(r), r.text("IsTruncated")), (["a", "b/1"], "true"))
    eq("second page", keys_of(listed(n, US, marker="b/1")), ["b/2", "c", "d/1", "e"])
    r = listed(n, max_keys="2", delimiter="/")
    eq("with a delimiter", (keys_of(r), prefixes_of(r), r.text("NextMarker")), (["a"], ["b/"], "b/"))
    r = listed(n, US, max_keys="2", delimiter="/", marker="b/")
    eq("next", (keys_of(r), prefixes_of(r), r.text("NextMarker")), (["c"], ["d/"], "d/"))
    r = listed(n, delimiter="/", marker="d/")
    eq("last", (keys_of(r), prefixes_of(r), r.text("IsTruncated"), r.text("NextMarker")), (["e"], [], "false", None))
    eq("Marker is told", listed(n, marker="c").text("Marker"), "c")


def test_prefix():
    n = bucket(EU)
    fill(n, ["x/a", "x/b", "y/a"])
    eq("prefix", keys_of(listed(n, prefix="x/")), ["x/a", "x/b"])
    eq("owner is always there", listed(n).text("Contents/Owner/ID"), OWNER)


def test_encoding():
    n = bucket(EU)
    fill(n, ["a b", "\u00e9"])
    got = keys_of(listed(n, encoding_type="url"))
    ok("encoded", got in (["a+b", "%C3%A9"], ["a%20b", "%C3%A9"]), got)


def test_arguments():
    n = bucket(EU)
    eq("none", keys_of(listed(n, max_keys="0")), [])
    error(S3().request("GET", n, query={"max-keys": "x"}), 400, "InvalidArgument")
    error(S3().request("GET", n, query={"encoding-type": "x"}), 400, "InvalidArgument")


def test_missing_and_refused():
    error(S3().request("GET", "t-" + secrets.token_hex(8)), 404, "NoSuchBucket")
    n = bucket(EU)
    error(S3(EU, KEY2, SECRET2).request("GET", n), 403, "AccessDenied")
    error(S3().send("GET", "/" + n), 403, "AccessDenied")


def test_odd_key():
    """Keys that XML cannot write as they are come back by encoding-type=url."""
    n = bucket(EU)
    fill(n, ["]]>", "&amp;", "\x01x" , "a\rb"])
    got = [unquote(k.replace("+", " ")) for k in keys_of(listed(n, encoding_type="url"))]
    eq("all", sorted(got), sorted(["]]>", "&amp;", "\x01x", "a\rb"]))


def test_wire():
    n = bucket(EU)
    r = listed(n)
    ok("V1's elements", r.text("Marker") is not None and r.text("KeyCount") is None and r.text("MaxKeys") == "1000", r.body)


if __name__ == "__main__":
    main()
