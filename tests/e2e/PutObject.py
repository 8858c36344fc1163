#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutObject: streamed, hashed, durable, or nothing at all."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403

import base64  # noqa: E402


def test_sizes():
    """Nothing, inline, at the inline limit and around, files; ETag is the MD5; bytes equal."""
    n = bucket(EU)
    for size in (0, 1, 4096, 16383, 16384, 16385, 65535, 65536, 65537, 1000003, 8388609):
        data = random_bytes(size, size)
        r = S3().put(n, "size-%d" % size, data)
        eq("ETag", r.get("ETag"), '"%s"' % hashlib.md5(data).hexdigest())
        g = S3().get(n, "size-%d" % size)
        status(g, 200)
        ok("bytes of %d equal" % size, g.body == data)
        eq("ETag read", g.get("ETag"), r.get("ETag"))


def test_through_the_other_region():
    n = bucket(EU)
    for size in (0, 100, 300000):
        data = random_bytes(size, 1)
        S3(US).put(n, "k", data)
        for region in (EU, US):
            ok("bytes equal at %s" % region, S3(region).get(n, "k").body == data)


def test_overwrite():
    """The last one wins, small over large and large over small."""
    n = bucket(EU)
    for data in (b"one", random_bytes(200000, 2), b"", random_bytes(100000, 3), b"five"):
        S3().put(n, "k", data)
        ok("what was put last", S3(US).get(n, "k").body == data)
    eq("one key", S3().keys(n), ["k"])


def test_headers_kept():
    """Content headers and user metadata come back, from GET and HEAD, small and large."""
    n = bucket(EU)
    sent = {"Content-Type": "text/x-thing; charset=utf-8", "Cache-Control": "max-age=5", "Content-Disposition": 'attachment; filename="a b"',
            "Content-Encoding": "gzip", "Content-Language": "de", "Expires": "Wed, 21 Oct 2026 07:28:00 GMT", "x-amz-meta-one": "1", "x-amz-meta-long-name": "two  blanks"}
    for size in (10, 200000):
        r = S3().request("PUT", n, "k", body=b"x" * size, headers=sent)
        status(r, 200)
        for g in (S3().get(n, "k"), S3().head(n, "k"), S3(US).get(n, "k")):
            status(g, 200)
            for k, v in sent.items():
                if k == "x-amz-meta-long-name":
                    eq(k, " ".join((g.get(k) or "").split()), "two blanks")
                else:
                    eq("%s at %s" % (k, g.said), g.get(k), v)


def test_default_type():
    n = bucket(EU)
    S3().put(n, "k", b"x")
    eq("Content-Type", S3().head(n, "k").get("Content-Type"), "binary/octet-stream")


def test_content_md5():
    n = bucket(EU)
    data = b"some bytes"
    md5 = base64.b64encode(hashlib.md5(data).digest()).decode()
    status(S3().request("PUT", n, "k", body=data, headers={"Content-MD5": md5}), 200)
    error(S3().request("PUT", n, "bad", body=b"others", headers={"Content-MD5": md5}), 400, "BadDigest")
    error(S3().request("PUT", n, "bad", body=data, headers={"Content-MD5": "no base64!"}), 400, "InvalidDigest")
    error(S3().request("PUT", n, "bad", body=data, headers={"Content-MD5": "AAAA"}), 400, "InvalidDigest")
    error(S3().request("PUT", n, "bad", body=data, headers={"Content-MD5": ""}), 400, "InvalidDigest")
    eq("nothing is left", S3().keys(n), ["k"])


def test_payload_hash():
    """x-amz-content-sha256 is verified against the body: 400, and nothing is left. Small and large."""
    n = bucket(EU)
    for size in (10, 300000):
        r = S3().request("PUT", n, "k", body=b"y" * size, payload=hashlib.sha256(b"x" * size).hexdigest())
        error(r, 400, "XAmzContentSHA256Mismatch")
    error(S3().request("PUT", n, "k", body=b"y", payload="0123"), 400, "InvalidArgument")
    status(S3().request("PUT", n, "ok", body=b"y", payload="UNSIGNED-PAYLOAD"), 200)
    eq("nothing is left", S3().keys(n), ["ok"])


def test_chunked_transfer():
    """Transfer-Encoding: chunked, whose length nobody told before."""
    n = bucket(EU)
    data = random_bytes(700001, 4)
    pieces = [data[i:i + 50000] for i in range(0, len(data), 50000)]
    for via in (EU, US):
        r = S3(via).request("PUT", n, "chunked", body=iter(pieces))
        if SERVER != "lighttpd":  # S3 itself wants a length; lighttpd counts the body first, and tells it
            error(r, 501, "NotImplemented", Header="Transfer-Encoding")
            continue
        status(r, 200)
        ok("bytes equal", S3().get(n, "chunked").body == data)


def test_empty_metadata():
    """Web servers leave empty headers out; the signature tells that it was there."""
    n = bucket(EU)
    status(S3().request("PUT", n, "k", headers={"x-amz-meta-empty": "", "x-amz-meta-full": "f"}, body=b"x"), 200)
    r = S3().get(n, "k")
    eq("metadata", r.get("x-amz-meta-full"), "f")
    # lighttpd leaves empty headers of answers out, too
    ok("the empty one", r.get("x-amz-meta-empty") == "" or SERVER == "lighttpd", r.headers)


def test_signed_transfer_encoding():
    n = bucket(EU)
    r = S3().request("PUT", n, "k", headers={"transfer-encoding": "chunked"}, body=iter([b"abc", b"def"]))
    # lighttpd counts the body, Apache and nginx one that came whole with the head; else its length is not known
    if SERVER != "lighttpd" and r.status != 200:
        error(r, 501, "NotImplemented", Header="Transfer-Encoding")
        return
    status(r, 200)
    eq("bytes", S3().get(n, "k").body, b"abcdef")


def test_acl_refused():
    """Where ownership is enforced, as it is by default, access is a matter of policies: no grant is taken and then not heeded."""
    n = bucket(EU)
    for name, value in (("acl", "public-read"), ("acl", "bucket-owner-read"), ("grant-read", "id=" + OWNER)):
        error(S3().request("PUT", n, "k", headers={"x-amz-" + name: value}, body=b"x"), 400, "AccessControlListNotSupported")
    for word in ("bucket-owner-full-control", "private"):  # what holds anyway; rclone and s3fs say the latter
        status(S3().request("PUT", n, "k", headers={"x-amz-acl": word}, body=b"x"), 200)


def test_conditions():
    """By what is there: its absence or its ETag. S3 takes no other condition here, and says so."""
    n = bucket(EU)
    for size in (3, 100000):
        key, body = "k%d" % size, b"x" * size
        error(S3(US).request("PUT", n, key, body=body, headers={"If-Match": '"bad-char_/"'}), 404, "NoSuchKey", Key=key)
        etag = S3(US).put(n, key, body, If_None_Match="*").get("ETag")
        error(S3(US).request("PUT", n, key, body=body, headers={"If-None-Match": "*"}), 412, "PreconditionFailed", Condition="If-None-Match")
        error(S3(US).request("PUT", n, key, body=body, headers={"If-Match": '"other"'}), 412, "PreconditionFailed", Condition="If-Match")
        for tag in (etag, etag.strip('"')):
            S3(US).put(n, key, body, If_Match=tag)
        for h, named in (({"If-Match": "*"}, "If-Match"), ({"If-None-Match": etag}, "If-None-Match"), ({"If-Match": etag, "If-None-Match": "*"}, "If-Match,If-None-Match"),
                         ({"If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}, "If-Modified-Since"), ({"x-amz-if-match-size": "3"}, "x-amz-if-match-size")):
            error(S3(US).request("PUT", n, key, body=b"other", headers=h), 501, "NotImplemented", Header=named)
        eq("as it was", S3().get(n, key).body, body)


def test_missing_bucket():
    error(S3().request("PUT", "t-" + secrets.token_hex(8), "k", body=b"x"), 404, "NoSuchBucket", BucketName=None)


def test_refused():
    n = bucket(EU)
    error(S3(EU, KEY2, SECRET2).request("PUT", n, "k", body=b"x"), 403, "AccessDenied")
    error(S3(US, KEY2, SECRET2).request("PUT", n, "k", body=b"x"), 403, "AccessDenied")
    error(S3().send("PUT", "/%s/k" % n, body=b"x"), 403, "AccessDenied")
    eq("nothing is left", S3().keys(n), [])


def test_key_limits():
    n = bucket(EU)
    S3().put(n, "k" * 1024, b"x")
    error(S3().request("PUT", n, "k" * 1025, body=b"x"), 400, "KeyTooLongError", MaxSizeAllowed="1024")
    S3().put(n, "\u00e9" * 512, b"y")
    eq("both", sorted(S3().keys(n)), sorted(["k" * 1024, "\u00e9" * 512]))


def test_metadata_limit():
    n = bucket(EU)
    status(S3().request("PUT", n, "k", body=b"x", headers={"x-amz-meta-a": "v" * 2040}), 200)
    error(S3().request("PUT", n, "bad", body=b"x", headers={"x-amz-meta-a": "v" * 2100}), 400, "MetadataTooLarge")
    eq("nothing is left", S3().keys(n), ["k"])


def test_short_body():
    """The client goes away in the middle: nothing is left."""
    n = bucket(EU)
    headers = {"host": EU.netloc}
    sigv4.sign("PUT", "/%s/short" % n, headers, "UNSIGNED-PAYLOAD", KEY, SECRET, EU.name)
    head = "PUT /%s/short HTTP/1.1\r\nContent-Length: 200000\r\n" % n + "".join("%s: %s\r\n" % kv for kv in headers.items()) + "\r\n"
    raw(EU, head.encode() + b"x" * 100000, half_close=True, timeout=30)
    eq("nothing is left", S3().keys(n), [])


def test_odd_key():
    n = bucket(EU)
    for key in ("a b+c%2F//./d\u00e9\U0001f600&<>'\"", "/lead", "a/b/", "%", "+", "..."):
        S3(US).put(n, key, key.encode())
        eq("read back", S3(EU).get(n, key).body, key.encode())
    eq("listed", len(S3().keys(n, encoding_type="url")), 6)


def test_expect_continue():
    """Expect: 100-continue is answered, and the put succeeds."""
    n = bucket(EU)
    headers = {"host": EU.netloc}
    body = random_bytes(100000, 5)
    sigv4.sign("PUT", "/%s/k" % n, headers, hashlib.sha256(body).hexdigest(), KEY, SECRET, EU.name)
    head = "PUT /%s/k HTTP/1.1\r\nContent-Length: %d\r\nExpect: 100-continue\r\nConnection: close\r\n" % (n, len(body)) + "".join("%s: %s\r\n" % kv for kv in headers.items()) + "\r\n"
    s = socket.create_connection((EU.host, EU.port), 30)
    s.sendall(head.encode())
    got = s.recv(4096)
    ok("100 first", got.startswith(b"HTTP/1.1 100 "), got)
    s.sendall(body)
    rest = got.split(b"\r\n\r\n", 1)[1]
    while True:
        b = s.recv(4096)
        if not b:
            break
        rest += b
    s.close()
    ok("then 200", rest.startswith(b"HTTP/1.1 200 "), rest)
    ok("bytes equal", S3().get(n, "k").body == body)


if __name__ == "__main__":
    main()
