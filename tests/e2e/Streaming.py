#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""aws-chunked bodies: chunk signatures and trailers, good and broken."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403



def send(s3, n, key, data, kind, spoil=None, trailer=None, size=65536, headers=None, decoded=None, chunked_te=False, declare=None, secret=None, cut=0):
    target = sigv4.path_of(n, key)
    h = {"host": s3.region.netloc, "content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(len(data) if decoded is None else decoded)}
    if trailer is not None or declare:
        h["x-amz-trailer"] = declare or ",".join(trailer)
    h.update(headers or {})
    seed = sigv4.sign("PUT", target, h, kind, s3.key, s3.secret, s3.scope)
    body = sigv4.chunked(data, seed, secret or s3.secret, h["x-amz-date"], s3.scope, trailer, signed=kind != sigv4.STREAM_UNSIGNED, size=size, spoil=spoil)
    if cut:
        body = body[:-cut]
    return s3.send("PUT", target, h, iter([body[i:i + 60000] for i in range(0, len(body), 60000)]) if chunked_te else body)


KINDS = ((sigv4.STREAM, None), (sigv4.STREAM_TRAILER, "crc32c"), (sigv4.STREAM_UNSIGNED, "crc32"), (sigv4.STREAM_UNSIGNED, "crc64nvme"), (sigv4.STREAM_TRAILER, "sha256"), (sigv4.STREAM_UNSIGNED, "sha1"))


def trailer_of(algorithm, data):
    return {"x-amz-checksum-" + algorithm: sigv4.checksum(algorithm, data)} if algorithm else None


def test_good():
    """Every kind, sizes around the chunks' and the inline limit, through both regions; aws-chunked is not stored."""
    n = bucket(EU)
    for kind, algorithm in KINDS:
        for size in (0, 1, 65535, 65536, 65537, 200001):
            data = random_bytes(size, size)
            for region in (EU, US):
                r = send(S3(region), n, "k", data, kind, trailer=trailer_of(algorithm, data))
                status(r, 200)
                eq("ETag", r.get("ETag"), '"%s"' % hashlib.md5(data).hexdigest())
                g = S3().get(n, "k", x_amz_checksum_mode="ENABLED")
                ok("bytes equal: %s %d" % (kind, size), g.body == data, len(g.body))
                eq("Content-Encoding", g.get("Content-Encoding"), None)
                if algorithm:
                    eq("the checksum comes back", g.get("x-amz-checksum-" + algorithm), sigv4.checksum(algorithm, data))


def test_broken():
    """A byte, a chunk's signature, a trailer, its signature: 4xx, and nothing is left."""
    n = bucket(EU)
    flip = lambda b: bytes([b[0] ^ 1]) + b[1:]  # noqa: E731
    digit = lambda b: (b"1" if b[:1] == b"0" else b"0") + b[1:]  # noqa: E731
    for size in (1000, 200000):
        data = random_bytes(size, 9)
        last = size // 65536
        for kind, algorithm, part, number, fn, codes in (
                (sigv4.STREAM, None, "chunk", 0, flip, ("SignatureDoesNotMatch",)), (sigv4.STREAM, None, "chunk", last, flip, ("SignatureDoesNotMatch",)),
                (sigv4.STREAM, None, "signature", 0, digit, ("SignatureDoesNotMatch",)), (sigv4.STREAM, None, "signature", last + 1, digit, ("SignatureDoesNotMatch",)),
                (sigv4.STREAM_TRAILER, "crc32c", "chunk", 0, flip, ("SignatureDoesNotMatch",)), (sigv4.STREAM_TRAILER, "crc32c", "trailer-signature", 0, digit, ("SignatureDoesNotMatch",)),
                (sigv4.STREAM_TRAILER, "crc32c", "trailer", 0, lambda b: b.replace(b":", b":A", 1), ("SignatureDoesNotMatch", "InvalidRequest", "BadDigest")),
                (sigv4.STREAM_UNSIGNED, "crc32", "chunk", 0, flip, ("BadDigest",)),
                (sigv4.STREAM_UNSIGNED, "crc32", "trailer", 0, lambda b: b.replace(b"crc32:", b"crc32:AAAAAA==\r\nx-drop:"), ("BadDigest", "MalformedTrailerError", "InvalidRequest"))):
            for region in (EU, US):
                r = send(S3(region), n, "k", data, kind, trailer=trailer_of(algorithm, data), spoil=lambda p, i, b: fn(b) if (p, i) == (part, number) else b)
                ok("%s with a broken %s %d: refused" % (kind, part, number), r.status in (400, 403) and r.code in codes, r)
        # the right framing, signed with another secret
        r = send(S3(), n, "k", data, sigv4.STREAM, secret="wrong")
        error(r, 403, "SignatureDoesNotMatch")
    eq("nothing is left", S3().keys(n), [])


def test_lengths():
    """The decoded length is what is stored, or it is refused; a body that ends early, too."""
    n = bucket(EU)
    data = random_bytes(100000, 3)
    for kind, algorithm in KINDS[:3]:
        for decoded in (99999, 100001):
            r = send(S3(), n, "k", data, kind, trailer=trailer_of(algorithm, data), decoded=decoded)
            ok("decoded length %d of 100000: refused" % decoded, r.status == 400 and r.code, r)
        r = send(S3(), n, "k", data, kind, trailer=trailer_of(algorithm, data), cut=40)
        ok("cut: refused", r.status in (400, 403) and r.code, r)
    r = send(S3(), n, "k", data, sigv4.STREAM, headers={"x-amz-decoded-content-length": "x"})
    ok("no number", r.status in (400, 411), r)
    eq("nothing is left", S3().keys(n), [])


def test_trailer_declared():
    """A trailer that was announced must come."""
    n = bucket(EU)
    data = b"x" * 100
    r = send(S3(), n, "k", data, sigv4.STREAM_UNSIGNED, trailer={}, declare="x-amz-checksum-crc32")
    ok("missing trailer: refused", r.status == 400, r)
    eq("nothing is left", S3().keys(n), [])


def test_chunk_size():
    """Signed chunks under 8 KiB before the last: InvalidChunkSizeError, as S3."""
    n = bucket(EU)
    r = send(S3(), n, "k", b"x" * 20000, sigv4.STREAM, size=4096)
    error(r, 403, "InvalidChunkSizeError")
    status(send(S3(), n, "k", b"x" * 20000, sigv4.STREAM, size=8192), 200)


def test_over_chunked_transfer():
    """aws-chunked inside Transfer-Encoding: chunked, as some SDKs send."""
    n = bucket(EU)
    data = random_bytes(300000, 5)
    for kind, algorithm in KINDS[:3]:
        r = send(S3(), n, "k", data, kind, trailer=trailer_of(algorithm, data), chunked_te=True)
        status(r, 200)
        ok("bytes equal", S3().get(n, "k").body == data)


def test_other_encodings_stay():
    n = bucket(EU)
    data = b"gzip says the header"
    status(send(S3(), n, "k", data, sigv4.STREAM, headers={"content-encoding": "aws-chunked,gzip"}), 200)
    eq("Content-Encoding", S3().get(n, "k").get("Content-Encoding"), "gzip")


def test_unknown_kind():
    n = bucket(EU)
    for kind in ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-SOMETHING"):
        h = {"host": EU.netloc, "x-amz-decoded-content-length": "1"}
        sigv4.sign("PUT", "/%s/k" % n, h, kind, KEY, SECRET, EU.name)
        r = S3().send("PUT", "/%s/k" % n, h, b"x")
        ok("refused: " + kind, r.status in (400, 403, 501) and r.code, r)
    eq("nothing is left", S3().keys(n), [])


if __name__ == "__main__":
    main()
