#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Encryption at rest: SSE-S3 and SSE-C. What lies on the disk and in the row is not the object."""
import base64
import hashlib
import os
import subprocess
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
import uploads  # noqa: E402

SSE = "x-amz-server-side-encryption"
CHUNK = 65536
SIZES = (0, 1, 1000, 16385, CHUNK, CHUNK + 1, 3 * CHUNK, 1 << 20)


def customer(n, md5=None, prefix=SSE):
    key = hashlib.sha256(b"key %d" % n).digest()
    return {prefix + "-customer-algorithm": "AES256", prefix + "-customer-key": base64.b64encode(key).decode(),
            prefix + "-customer-key-md5": md5 or base64.b64encode(hashlib.md5(key).digest()).decode()}


def put(n, key, data, headers, region=EU):
    r = S3(region).request("PUT", n, key, body=data, headers=headers)
    status(r, 200)
    return r


def ranges(size):
    return [(a, b) for a, b in ((0, 0), (0, CHUNK - 1), (CHUNK - 1, CHUNK), (CHUNK, CHUNK), (1, size - 1), (size - 1, size - 1),
                                (CHUNK + 5, 2 * CHUNK + 5)) if 0 <= a <= b < size]


def blob_of(n, key):
    """The file of an object's bytes; None: they are in the row."""
    dsn = conf_value(EU, "regional_dsn")
    row = psql("SELECT replace(blob_id::text, '-', '') FROM objects WHERE key = '%s' AND size > 16384" % key, dsn).strip()
    if not row:
        return None
    for top, _, names in os.walk(conf_value(EU, "store_dir")):
        if row in names:
            return os.path.join(top, row)
    fail("no file of blob %s" % row)


def test_sse_s3():
    """Written and read as ever, in both regions, whole and by ranges; each answer says AES256; the ETag is the MD5."""
    n = bucket(EU)
    for size in SIZES:
        data = random_bytes(size, 1)
        for region in (EU, US):
            r = put(n, "k", data, {SSE: "AES256"}, region)
            eq("told on PUT", r.get(SSE), "AES256")
            eq("ETag", r.get("ETag"), '"%s"' % hashlib.md5(data).hexdigest())
        g = S3(US).get(n, "k")
        status(g, 200)
        ok("%d bytes come back" % size, g.body == data)
        eq("told on GET", g.get(SSE), "AES256")
        h = S3().head(n, "k")
        eq("told on HEAD", (h.get(SSE), int(h.get("Content-Length"))), ("AES256", size))  # Apache says 0 as "00"
        for a, b in ranges(size):
            g = S3().get(n, "k", Range="bytes=%d-%d" % (a, b))
            status(g, 206)
            ok("bytes %d-%d of %d" % (a, b, size), g.body == data[a:b + 1])
    eq("size in a listing", S3().list(n).xml.findtext("Contents/Size"), str(SIZES[-1]))


def test_sse_c():
    """Only with the very key; the ETag is not the MD5."""
    n = bucket(EU)
    mine, other = customer(1), customer(2)
    for size in SIZES:
        data = random_bytes(size, 2)
        r = put(n, "k", data, mine)
        eq("told on PUT", (r.get(SSE), r.get(SSE + "-customer-algorithm"), r.get(SSE + "-customer-key-MD5")),
           (None, "AES256", mine[SSE + "-customer-key-md5"]))
        ok("ETag is not the MD5", r.get("ETag") != '"%s"' % hashlib.md5(data).hexdigest(), r.get("ETag"))
        g = S3(US).request("GET", n, "k", headers=mine)
        status(g, 200)
        ok("%d bytes come back" % size, g.body == data)
        eq("told on GET", g.get(SSE + "-customer-key-MD5"), mine[SSE + "-customer-key-md5"])
        for a, b in ranges(size):
            g = S3().request("GET", n, "k", headers=dict(mine, Range="bytes=%d-%d" % (a, b)))
            ok("bytes %d-%d of %d" % (a, b, size), g.status == 206 and g.body == data[a:b + 1], g)
        error(S3().get(n, "k"), 400, "InvalidRequest")
        error(S3().request("GET", n, "k", headers=other), 403, "AccessDenied")
        eq("HEAD without the key", S3().head(n, "k").status, 400)
        eq("HEAD with it", S3().request("HEAD", n, "k", headers=mine).status, 200)
    S3().put(n, "plain", b"x")
    error(S3().request("GET", n, "plain", headers=mine), 400, "InvalidRequest")
    put(n, "s3", b"x", {SSE: "AES256"})
    error(S3().request("GET", n, "s3", headers=mine), 400, "InvalidRequest")


def test_complete_with_a_key():
    """Complete takes the upload's key alone; without a checksum algorithm it may be left out, with one it may not."""
    n = bucket(EU)
    mine, other = customer(1), customer(2)
    crc = base64.b64encode(zlib.crc32(b"one").to_bytes(4, "big")).decode()
    for summed in (False, True):
        i = uploads.create(n, "k", **dict(mine, **({"x-amz-checksum-algorithm": "CRC32"} if summed else {})))
        r = uploads.put_part(n, "k", i, 1, b"one", **dict(mine, **({"x-amz-checksum-crc32": crc} if summed else {})))
        status(r, 200)
        part = (1, r.get("ETag"), {"ChecksumCRC32": crc} if summed else {})
        error(uploads.complete(n, "k", i, [part], **other), 400, "InvalidRequest")
        if summed:
            error(uploads.complete(n, "k", i, [part]), 400, "InvalidRequest")
        status(uploads.complete(n, "k", i, [part], US, **(mine if summed else {})), 200)
        eq("bytes", S3().request("GET", n, "k", headers=mine).body, b"one")


def test_refused():
    """Half of the headers, a wrong MD5, another algorithm, both kinds, KMS: nothing is stored."""
    n = bucket(EU)
    c = customer(1)
    for h in ({k: v for k, v in c.items() if not k.endswith("algorithm")}, {k: v for k, v in c.items() if not k.endswith("-key")},
              {k: v for k, v in c.items() if not k.endswith("md5")}, customer(1, md5="A" * 22 + "=="),
              dict(c, **{SSE + "-customer-key": "AAAA"}),
              dict(c, **{SSE: "AES256"}), {SSE: "AES128"}, {SSE + "-aws-kms-key-id": "k"}):
        error(S3().request("PUT", n, "k", body=b"x", headers=h), 400, "InvalidArgument", ArgumentName=None)
    error(S3().request("PUT", n, "k", body=b"x", headers=dict(c, **{SSE + "-customer-algorithm": "AES128"})), 400, "InvalidEncryptionAlgorithmError", ArgumentValue="AES128")
    error(S3().request("PUT", n, "k", body=b"x", headers={SSE: "aws:kms"}), 501, "NotImplemented")
    S3().put(n, "there", b"x")
    error(S3().request("GET", n, "there", headers={SSE: "AES256"}), 400, "InvalidArgument")
    eq("nothing is left", S3().keys(n), ["there"])


def test_needs_tls():
    """A client's key over plain HTTP is refused, but where the settings allow it (as the quick start's do)."""
    program = os.path.join(os.environ.get("ANVIL_BUILD_DIR", ""), "anvil-s3.fcgi")
    if not os.path.exists(program):
        skip("no build to run one request of")
    n = bucket(EU)
    conf = os.path.join(temp_dir(), "anvil.conf")
    with open(conf, "w") as f:
        f.write("".join(line for line in open(EU.conf) if "sse_c_without_tls" not in line))
    for scheme, want in (("http", b"400"), ("https", b"200")):
        headers = dict(customer(1), host=EU.netloc)
        target = sigv4.path_of(n, "k")
        sigv4.sign("PUT", target, headers, hashlib.sha256(b"x").hexdigest(), KEY, SECRET, EU.name)
        env = {"REQUEST_METHOD": "PUT", "REQUEST_URI": target, "REQUEST_SCHEME": scheme, "CONTENT_LENGTH": "1",
               "REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1"}
        env.update({"HTTP_" + k.upper().replace("-", "_"): v for k, v in headers.items()})
        out = subprocess.run([program, "--once", "-c", conf], input=b"x", env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        contains("over " + scheme, out.stdout[:100], want)
        if want == b"400":
            contains("says so", out.stdout, b"secure connection")
            eq("nothing is left", S3().keys(n), [])


def test_at_rest():
    """Neither the file nor the row holds the bytes; a changed or cut file is never passed off as the object."""
    n = bucket(EU)
    text = b"the quick brown fox jumps over the lazy dog " * 5000
    name = "at-rest-" + n
    put(n, name, text, {SSE: "AES256"})
    path = blob_of(n, name)
    stored = open(path, "rb").read()
    eq("size of the file", len(stored), len(text) + 16 * ((len(text) + CHUNK - 1) // CHUNK))
    ok("the file is not the text", b"quick brown" not in stored)
    put(n, name + "-small", text[:1000], {SSE: "AES256"})
    row = psql("SELECT encode(data, 'escape') FROM objects WHERE key = '%s-small'" % name, conf_value(EU, "regional_dsn"))
    ok("the row is not the text", "quick brown" not in row)
    os.chmod(path, 0o640)
    with open(path, "r+b") as f:
        f.seek(CHUNK + 16 + 100)
        f.write(bytes([stored[CHUNK + 116] ^ 1]))
    status(S3().get(n, name, Range="bytes=0-99"), 206)
    try:
        g = S3().get(n, name)
        ok("a changed chunk is not the object", g.status != 200 or len(g.body) < len(text), g.status)
    except Exception:
        pass  # broken off in the middle: as it should be
    with open(path, "wb") as f:
        f.write(stored[:2 * (CHUNK + 16)])
    error(S3().get(n, name), 500, "InternalError")


def test_conditions_and_metadata():
    n = bucket(EU)
    data = random_bytes(100000, 3)
    tag = put(n, "k", data, dict(customer(1), **{"x-amz-meta-a": "b", "Content-Type": "text/x"})).get("ETag")
    g = S3().request("GET", n, "k", headers=dict(customer(1), **{"If-Match": tag}))
    eq("with its ETag", (g.status, g.get("x-amz-meta-a"), g.get("Content-Type")), (200, "b", "text/x"))
    eq("not modified", S3().request("GET", n, "k", headers=dict(customer(1), **{"If-None-Match": tag})).status, 304)
    put(n, "k", b"now plain", {})
    eq("overwritten by a plain one", S3().get(n, "k").body, b"now plain")


if __name__ == "__main__":
    main()
