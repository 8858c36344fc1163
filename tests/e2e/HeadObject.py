#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""HeadObject: GetObject without the bytes."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403



def test_as_get():
    """The headers are GET's, small and large, whole and range."""
    n = bucket(EU)
    S3().request("PUT", n, "small", body=b"s" * 100, headers={"x-amz-meta-a": "b"})
    S3().request("PUT", n, "large", body=b"l" * 200000, headers={"x-amz-meta-a": "b"})
    for key in ("small", "large"):
        for headers in ({}, {"Range": "bytes=5-9"}):
            for region in (EU, US):
                g, h = S3(region).request("GET", n, key, headers=headers), S3(region).request("HEAD", n, key, headers=headers)
                eq("status", h.status, g.status)
                eq("no body", h.body, b"")
                for name in ("ETag", "Last-Modified", "Content-Length", "Content-Type", "Content-Range", "Accept-Ranges", "x-amz-meta-a"):
                    eq("%s of %s %s" % (name, key, headers), h.get(name), g.get(name))


def test_missing():
    n = bucket(EU)
    for r in (S3().head(n, "none"), S3(US).head(n, "none"), S3().head("t-" + secrets.token_hex(8), "k")):
        status(r, 404)
        eq("no body", r.body, b"")


def test_refused():
    n = bucket(EU)
    S3().put(n, "k", b"x")
    for r in (S3(EU, KEY2, SECRET2).head(n, "k"), S3().send("HEAD", "/%s/k" % n), S3(EU, KEY, "wrong").head(n, "k")):
        status(r, 403)
        eq("no body", r.body, b"")


def test_odd_key():
    n = bucket(EU)
    S3().put(n, "a b/\u00e9+%", b"12345")
    eq("length", S3(US).head(n, "a b/\u00e9+%").get("Content-Length"), "5")


def test_wire():
    n = bucket(EU)
    S3().put(n, "k", b"12345")
    target, headers = "/%s/k" % n, {"host": EU.netloc}
    sigv4.sign("HEAD", target, headers, sigv4.EMPTY, KEY, SECRET, EU.name)
    text = raw(EU, ("HEAD %s HTTP/1.1\r\nConnection: close\r\n" % target + "".join("%s: %s\r\n" % kv for kv in headers.items()) + "\r\n").encode())
    ok("a status line, headers and nothing after", re.match(rb"HTTP/1.1 200 OK\r\n", text) and text.endswith(b"\r\n\r\n") and text.count(b"\r\n\r\n") == 1, text)


if __name__ == "__main__":
    main()
