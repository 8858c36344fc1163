# SPDX-License-Identifier: Apache-2.0
"""AWS Signature Version 4 written from Amazon's documentation, apart from ours:
a mistake that both made would have to be made twice."""
import base64
import hashlib
import hmac
import time
import zlib
from urllib.parse import quote, unquote_to_bytes

EMPTY = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
STREAM = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
STREAM_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
STREAM_UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def path_of(bucket=None, key=None):
    """The raw path that names a bucket and key (bytes or str), encoded as S3 asks."""
    p = "/"
    if bucket:
        p += bucket
    if key is not None:
        p += "/" + quote(key, safe="-._~/")
    return p


def query_of(params):
    """{name: value or None} -> raw query, encoded as S3 asks; order kept."""
    out = []
    for k, v in params.items():
        out.append(quote(str(k), safe="-._~") + ("=" + quote(v if isinstance(v, bytes) else str(v), safe="-._~") if v is not None else ""))
    return "&".join(out)


def now_text(now=None):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() if now is None else now))


def _hmac(key, msg):
    return hmac.new(key, msg.encode() if isinstance(msg, str) else msg, hashlib.sha256).digest()


def signing_key(secret, day, region, service="s3"):
    k = _hmac(b"AWS4" + secret.encode(), day)
    for part in (region, service, "aws4_request"):
        k = _hmac(k, part)
    return k


def _canonical_query(raw, drop=()):
    pairs = []
    for part in raw.split("&") if raw else []:
        if part == "":
            continue
        name, _, value = part.partition("=")
        name, value = (unquote_to_bytes(x.replace("+", " ")) for x in (name, value))
        if name.decode("utf-8", "replace") in drop:
            continue
        pairs.append((quote(name, safe="-._~"), quote(value, safe="-._~")))
    return "&".join("%s=%s" % p for p in sorted(pairs))


def canonical(method, target, headers, signed, payload, drop=()):
    path, _, query = target.partition("?")
    path = quote(unquote_to_bytes(path), safe="-._~/")
    low = {}
    for k, v in headers.items():
        low[k.lower()] = " ".join(str(v).split())
    head = "".join("%s:%s\n" % (h, low.get(h, "")) for h in signed)
    return "\n".join([method, path, _canonical_query(query, drop), head, ";".join(signed), payload])


def _sign(secret, when, region, text, service="s3"):
    scope = "%s/%s/%s/aws4_request" % (when[:8], region, service)
    to_sign = "\n".join(["AWS4-HMAC-SHA256", when, scope, hashlib.sha256(text.encode()).hexdigest()])
    return hmac.new(signing_key(secret, when[:8], region, service), to_sign.encode(), hashlib.sha256).hexdigest()


def sign(method, target, headers, payload, key, secret, region, now=None, service="s3", unsigned=(), token=None):
    """Adds x-amz-date, x-amz-content-sha256 and Authorization to headers; returns the signature."""
    when = now_text(now)
    headers.setdefault("x-amz-date", when)
    headers.setdefault("x-amz-content-sha256", payload)
    if token:
        headers["x-amz-security-token"] = token
    when = headers["x-amz-date"]
    signed = sorted(h.lower() for h in headers if h.lower() not in
                    ("authorization", "user-agent", "expect", "content-length", "transfer-encoding", "connection") and h.lower() not in unsigned)
    sig = _sign(secret, when, region, canonical(method, target, headers, signed, payload), service)
    headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s" % (
        key, when[:8], region, service, ";".join(signed), sig)
    return sig


def presign(method, target, host, key, secret, region, expires=300, now=None, headers=None, service="s3"):
    """The target with its query signed; headers are those that must be sent, besides Host."""
    when = now_text(now)
    all_headers = dict(headers or {}, host=host)
    signed = sorted(h.lower() for h in all_headers)
    extra = query_of({"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": "%s/%s/%s/%s/aws4_request" % (key, when[:8], region, service),
                      "X-Amz-Date": when, "X-Amz-Expires": expires, "X-Amz-SignedHeaders": ";".join(signed)})
    target += ("&" if "?" in target else "?") + extra
    text = canonical(method, target, all_headers, signed, UNSIGNED if service == "s3" else EMPTY)
    return target + "&X-Amz-Signature=" + _sign(secret, when, region, text, service)


# ---- checksums ----

def _crc32_table(poly):
    table = []
    for i in range(256):
        for _ in range(8):
            i = (i >> 1) ^ (poly if i & 1 else 0)
        table.append(i)
    return table


_tables = {}


def _crc(data, poly, ones):
    table = _tables.setdefault(poly, _crc32_table(poly))
    crc = ones
    for b in data:
        crc = (crc >> 8) ^ table[(crc ^ b) & 0xFF]
    return crc ^ ones


def checksum(algorithm, data):
    """Base64, as in x-amz-checksum-*; algorithm in lower case."""
    raw = {
        "crc32": lambda: zlib.crc32(data).to_bytes(4, "big"),
        "crc32c": lambda: _crc(data, 0x82F63B78, 0xFFFFFFFF).to_bytes(4, "big"),
        "crc64nvme": lambda: _crc(data, 0x9A6C9329AC4BC9B5, 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big"),
        "sha1": lambda: hashlib.sha1(data).digest(),
        "sha256": lambda: hashlib.sha256(data).digest(),
        "sha512": lambda: hashlib.sha512(data).digest(),
        "md5": lambda: hashlib.md5(data).digest(),
    }[algorithm]()
    return base64.b64encode(raw).decode()


# ---- aws-chunked bodies ----

def chunked(data, seed, key, when, region, trailer=None, signed=True, size=65536, spoil=None):
    """The body of a STREAMING-* request. seed: the signature of the headers; key: the secret.
    trailer: {name: value}. spoil(part, n, bytes) may change what is sent, after it was signed:
    part is "chunk", "signature", "trailer" or "trailer-signature"."""
    spoil = spoil or (lambda part, n, b: b)
    scope = "%s/%s/s3/aws4_request" % (when[:8], region)
    k = signing_key(key, when[:8], region)
    previous, out, n = seed, b"", 0
    pieces = [data[i:i + size] for i in range(0, len(data), size)] + [b""]
    for piece in pieces:
        ext = b""
        if signed:
            text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", when, scope, previous, EMPTY, hashlib.sha256(piece).hexdigest()])
            previous = hmac.new(k, text.encode(), hashlib.sha256).hexdigest()
            ext = b";chunk-signature=" + spoil("signature", n, previous.encode())
        out += b"%x" % len(piece) + ext + b"\r\n"
        if piece:
            out += spoil("chunk", n, piece) + b"\r\n"
        n += 1
    if trailer is None:
        return out + b"\r\n"
    lines = "".join("%s:%s\n" % kv for kv in trailer.items())
    out += spoil("trailer", 0, lines.replace("\n", "\r\n").encode())
    if signed:
        text = "\n".join(["AWS4-HMAC-SHA256-TRAILER", when, scope, previous, hashlib.sha256(lines.encode()).hexdigest()])
        sig = hmac.new(k, text.encode(), hashlib.sha256).hexdigest()
        out += b"x-amz-trailer-signature:" + spoil("trailer-signature", 0, sig.encode()) + b"\r\n"
    return out + b"\r\n"
