#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""UploadPartCopy: parts from objects and ranges of them, of either region; and copies of what was uploaded in parts."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
import uploads  # noqa: E402
from copies import SSE, customer  # noqa: E402
from uploads import MIN  # noqa: E402


def part(n, key, upload, number, source, s3=None, **headers):
    """source: (bucket, key) or the header as it is."""
    if isinstance(source, tuple):
        source = sigv4.path_of(*source)[1:]
    h = {"x-amz-copy-source": source}
    h.update({k.replace("_", "-"): v for k, v in headers.items()})
    return (s3 or S3()).request("PUT", n, key, query={"partNumber": str(number), "uploadId": upload}, headers=h)


def test_parts_and_copies():
    """A whole object, a range, a small end; then copies of the whole, into one object each, and back as parts."""
    data = random_bytes(MIN + 100000)
    for home, to in ((EU, EU), (EU, US)):
        n, m = bucket(home), bucket(to)
        S3().put(n, "s", data)
        u = uploads.create(m, "k", to)
        wanted = [data, data[1000:1000 + MIN], data[:17], b""]
        ranges = [None, "bytes=1000-%d" % (999 + MIN), "bytes=0-16"]
        etags = []
        for number, r in enumerate(ranges, 1):
            a = part(m, "k", u, number, (n, "s"), S3(to if number % 2 else home), **({"x_amz_copy_source_range": r} if r else {}))
            status(a, 200)
            eq("answer", (a.xml.tag, [e.tag for e in a.xml]), ("CopyPartResult", ["LastModified", "ETag", "ChecksumCRC64NVME"]))
            eq("ETag", a.text("ETag"), '"%s"' % hashlib.md5(wanted[number - 1]).hexdigest())
            etags.append((number, a.text("ETag")))
        status(uploads.complete(m, "k", u, etags, to), 200)
        whole = b"".join(wanted)
        g = S3(to).get(m, "k")
        ok("bytes", g.body == whole)
        r = S3().request("PUT", n, "copy", headers={"x-amz-copy-source": m + "/k"})
        status(r, 200)
        eq("one object", r.text("ETag"), '"%s"' % hashlib.md5(whole).hexdigest())
        ok("bytes", S3().get(n, "copy").body == whole)


def test_range():
    n = bucket(EU)
    S3().put(n, "s", b"hello")
    u = uploads.create(n, "k")
    for bad in ("0-2", "bytes=0", "bytes=hello-world", "bytes=0-bar", "bytes=hello-", "bytes=0-2,3-5", "bytes=3-2", "bytes=-2", ""):
        if bad:
            error(part(n, "k", u, 1, (n, "s"), x_amz_copy_source_range=bad), 400, "InvalidArgument", ArgumentName="x-amz-copy-source-range")
    for source in (n, bucket(US)):
        S3().put(source, "s", b"hello")
        for bad, code in (("bytes=0-5", "InvalidArgument"), ("bytes=0-21", "InvalidArgument"), ("bytes=5-5", "InvalidRequest"), ("bytes=9-10", "InvalidRequest")):
            error(part(n, "k", u, 1, (source, "s"), x_amz_copy_source_range=bad), 400, code)
        status(part(n, "k", u, 1, (source, "s"), x_amz_copy_source_range="bytes=4-4"), 200)


def test_versions_conditions_and_odd_keys():
    n, m = versioned(EU), bucket(US)
    key = "a b+c/\u65e5%?"
    a, b = (S3().put(n, key, x).get("x-amz-version-id") for x in (b"a", b"b"))
    u = uploads.create(m, key, US)
    r = part(m, key, u, 1, sigv4.path_of(n, key)[1:] + "?versionId=" + a, S3(US))
    status(r, 200)
    eq("of", (r.get("x-amz-copy-source-version-id"), r.text("ETag")), (a, '"%s"' % hashlib.md5(b"a").hexdigest()))
    error(part(m, key, u, 2, (n, key), x_amz_copy_source_if_match="z"), 412, "PreconditionFailed")
    error(part(m, key, u, 2, (n, key), x_amz_copy_source_if_none_match=hashlib.md5(b"b").hexdigest()), 412, "PreconditionFailed")
    status(uploads.complete(m, key, u, [(1, r.text("ETag"))], US), 200)
    eq("bytes", S3(US).get(m, key).body, b"a")


def test_encryption():
    """The upload's key seals the parts, the source's is asked for."""
    n = bucket(EU)
    data = random_bytes(100000)
    status(S3().request("PUT", n, "s", body=data, headers=customer(1)), 200)
    ask = customer(1, "x-amz-copy-source-server-side-encryption")
    for to in ({}, {SSE: "AES256"}, customer(2)):
        u = uploads.create(n, "k", **to)
        again = to if SSE not in to else {}
        error(part(n, "k", u, 1, (n, "s"), **again), 400, "InvalidRequest")
        r = part(n, "k", u, 1, (n, "s"), **ask, **again)
        status(r, 200)
        status(uploads.complete(n, "k", u, [(1, r.text("ETag"))], **again), 200)
        ok("bytes", S3().request("GET", n, "k", headers=again).body == data)


def test_errors():
    n = bucket(EU)
    S3().put(n, "s", b"x")
    u = uploads.create(n, "k")
    error(part(n, "k", u, 0, (n, "s")), 400, "InvalidArgument")
    error(part(n, "k", u, 1, "s"), 400, "InvalidArgument")
    error(part(n, "k", u, 1, (n, "never")), 404, "NoSuchKey", Key="never")
    error(part(n, "k", u, 1, ("never-" + n, "s")), 404, "NoSuchBucket")
    error(part(n, "other", u, 1, (n, "s")), 404, "NoSuchUpload")
    error(part(n, "k", "x" * 32, 1, (n, "s")), 404, "NoSuchUpload")


def test_refused():
    n, m = bucket(EU), bucket(EU, s3=S3(EU, KEY2, SECRET2))
    other = S3(EU, KEY2, SECRET2)
    S3().put(n, "open/s", b"x")
    S3().put(n, "s", b"x")
    u = uploads.create(m, "k", s3=other)
    error(part(m, "k", u, 1, (n, "s"), other), 403, "AccessDenied")
    error(part(m, "k", u, 1, (m, "s")), 403, "AccessDenied")
    status(S3().request("PUT", n, query="policy", body=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::%s/open/*" % n}]}).encode()), 204)
    status(part(m, "k", u, 1, (n, "open/s"), other), 200)
    error(part(m, "k", u, 1, (n, "s"), other), 403, "AccessDenied")


if __name__ == "__main__":
    main()
