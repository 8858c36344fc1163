#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""UploadPart: a body like that of PutObject, kept until the upload ends."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from uploads import *  # noqa: E402,F403

def test_sizes_and_etags():
    """Nothing, inline, files; through both regions; the ETag is the MD5."""
    n = bucket(EU)
    i = create(n, "k")
    for number, size in enumerate((0, 1, 16384, 16385, 1000003), 1):
        data = random_bytes(size, size)
        r = put_part(n, "k", i, number, data, (EU, US)[number % 2])
        status(r, 200)
        eq("ETag", r.get("ETag"), '"%s"' % hashlib.md5(data).hexdigest())
        if size < 100000:
            eq("checksum", r.get("x-amz-checksum-crc64nvme"), sigv4.checksum("crc64nvme", data))
    eq("no object", S3().keys(n), [])


def test_sent_again():
    """The last of a number is the part."""
    n = bucket(EU)
    i = create(n, "k")
    for body in (random_bytes(20000, 1), b"small", random_bytes(30000, 2)):
        e = put_part(n, "k", i, 7, body).get("ETag")
    status(complete(n, "k", i, [(7, e)]), 200)
    ok("bytes equal", S3(US).get(n, "k").body == body)


def test_numbers():
    n = bucket(EU)
    i = create(n, "k")
    for number in ("0", "10001", "-1", "x", "", "1.5", "99999999999999999999"):
        error(put_part(n, "k", i, number, b"x"), 400, "InvalidArgument", ArgumentName="partNumber", ArgumentValue=number)
    for number in (1, 10000):
        status(put_part(n, "k", i, number, b"x"), 200)


def test_no_such_upload():
    n = bucket(EU)
    i = create(n, "k")
    for key, u in (("other", i), ("k", "0" * 32), ("k", "56788"), ("k", i.upper() + "x"), ("k", "")):
        error(put_part(n, key, u, 1, b"x"), 404, "NoSuchUpload", UploadId=u)
    status(abort(n, "k", i), 204)
    error(put_part(n, "k", i, 1, b"x"), 404, "NoSuchUpload")


def test_verified():
    """Content-MD5, the payload's hash, checksums: as for PutObject, small and large."""
    n = bucket(EU)
    i = create(n, "k")
    for size in (10, 100000):
        data = random_bytes(size, 3)
        error(put_part(n, "k", i, 1, data, content_md5="1B2M2Y8AsgTpgAmY7PhCfg=="), 400, "BadDigest")
        error(put_part(n, "k", i, 1, data, x_amz_checksum_crc32="AAAAAA=="), 400, "BadDigest")
        error(S3().request("PUT", n, "k", query={"partNumber": "1", "uploadId": i}, body=data, payload=hashlib.sha256(b"").hexdigest()), 400, "XAmzContentSHA256Mismatch")
        r = put_part(n, "k", i, 2, data, x_amz_checksum_sha1=sigv4.checksum("sha1", data))
        status(r, 200)
        eq("told", r.get("x-amz-checksum-sha1"), sigv4.checksum("sha1", data))
    r = S3().request("GET", n, "k", query={"uploadId": i})
    eq("one part", [e.text for e in r.xml.findall("Part/PartNumber")], ["2"])


def test_algorithm_of_the_upload():
    """An upload that asked for a checksum takes no other."""
    n = bucket(EU)
    i = create(n, "k", x_amz_checksum_algorithm="SHA256")
    status(put_part(n, "k", i, 1, b"x", x_amz_checksum_sha256=sigv4.checksum("sha256", b"x")), 200)
    error(put_part(n, "k", i, 1, b"x", x_amz_checksum_crc32=sigv4.checksum("crc32", b"x")), 400, "InvalidRequest")
    error(put_part(n, "k", i, 1, b"x"), 400, "InvalidRequest")
    i = create(n, "k", x_amz_checksum_algorithm="CRC32", x_amz_checksum_type="FULL_OBJECT")
    eq("computed here", put_part(n, "k", i, 1, b"x").get("x-amz-checksum-crc32"), sigv4.checksum("crc32", b"x"))


def test_refused():
    n = bucket(EU)
    i = create(n, "k")
    error(put_part(n, "k", i, 1, b"x", s3=S3(EU, KEY2, SECRET2)), 403, "AccessDenied")
    error(S3().send("PUT", "/%s/k?partNumber=1&uploadId=%s" % (n, i), body=b"x"), 403, "AccessDenied")
    error(put_part(n, "k", i, 1, b"x", x_amz_server_side_encryption="AES256"), 400, "InvalidArgument")


def test_odd_key():
    n = bucket(EU)
    key = "a b+c%2F//./d\u00e9\U0001f600&<>'\""
    r, _ = upload(n, key, [b"odd"], US)
    status(r, 200)
    eq("key", r.text("Key"), key)
    eq("bytes", S3(EU).get(n, key).body, b"odd")


def test_too_large():
    """5 GiB at most, said before a byte is taken."""
    n = bucket(EU)
    r = S3().request("PUT", n, "k", query={"partNumber": "1", "uploadId": create(n, "k")}, body=b"0\r\n\r\n", payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                     headers={"x-amz-decoded-content-length": "5368709121", "content-encoding": "aws-chunked"})
    error(r, 400, "EntityTooLarge", ProposedSize="5368709121", MaxSizeAllowed="5368709120")


if __name__ == "__main__":
    main()
