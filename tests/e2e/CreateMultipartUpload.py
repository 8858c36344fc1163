#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CreateMultipartUpload: what the object is to be is said here, and the upload is to be seen at once."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from uploads import *  # noqa: E402,F403

def test_answer():
    """The wire text; ids differ; nothing is listed as an object yet."""
    n = bucket(EU)
    r = S3().request("POST", n, "a/k", query="uploads")
    status(r, 200)
    eq("root", r.xml.tag, "InitiateMultipartUploadResult")
    eq("namespace", r.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'), True)
    eq("elements", [e.tag for e in r.xml], ["Bucket", "Key", "UploadId"])
    eq("bucket and key", (r.text("Bucket"), r.text("Key")), (n, "a/k"))
    ok("another id", r.text("UploadId") != create(n, "a/k", US))
    eq("no object", S3().keys(n), [])
    error(S3().get(n, "a/k"), 404, "NoSuchKey")


def test_headers_kept():
    """Content headers, metadata, class and tags become the object's."""
    n = bucket(EU)
    sent = {"Content-Type": "text/x-thing", "Cache-Control": "max-age=5", "Content-Language": "de", "x-amz-meta-one": "1", "x-amz-storage-class": "GLACIER_IR"}
    r = S3().request("POST", n, "k", query="uploads", headers=dict(sent, **{"x-amz-tagging": "a=1&b=2"}))
    status(r, 200)
    i = r.text("UploadId")
    e = put_part(n, "k", i, 1, b"abc").get("ETag")
    status(complete(n, "k", i, [(1, e)]), 200)
    for g in (S3().head(n, "k"), S3(US).get(n, "k")):
        status(g, 200)
        for k, v in sent.items():
            eq("%s at %s" % (k, g.said), g.get(k), v)
        eq("tags", g.get("x-amz-tagging-count"), "2")


def test_checksum_algorithm():
    n = bucket(EU)

    def ask(algorithm=None, type=None):
        h = {}
        if algorithm:
            h["x-amz-checksum-algorithm"] = algorithm
        if type:
            h["x-amz-checksum-type"] = type
        return S3().request("POST", n, "k", query="uploads", headers=h)

    for a, t, told in (("CRC32", None, "COMPOSITE"), ("CRC32C", "FULL_OBJECT", "FULL_OBJECT"), ("CRC64NVME", None, "FULL_OBJECT"), ("SHA256", "COMPOSITE", "COMPOSITE"), ("sha1", None, "COMPOSITE")):
        r = ask(a, t)
        status(r, 200)
        eq("told", (r.get("x-amz-checksum-algorithm"), r.get("x-amz-checksum-type")), (a.upper(), told))
    eq("not asked", ask().get("x-amz-checksum-algorithm"), None)
    for a, t in (("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE"), ("NONE", None), ("CRC32", "HALF"), (None, "COMPOSITE")):
        error(ask(a, t), 400, "InvalidRequest")


def test_refused():
    n = bucket(EU)
    error(S3(EU, KEY2, SECRET2).request("POST", n, "k", query="uploads"), 403, "AccessDenied")
    error(S3().send("POST", "/%s/k?uploads" % n), 403, "AccessDenied")
    error(S3().request("POST", "t-" + secrets.token_hex(8), "k", query="uploads"), 404, "NoSuchBucket")
    error(S3().request("POST", n, "k" * 1025, query="uploads"), 400, "KeyTooLongError")
    error(S3().request("POST", n, "k", query="uploads", headers={"x-amz-acl": "public-read"}), 400, "AccessControlListNotSupported")
    error(S3().request("POST", n, "k", query="uploads", headers={"x-amz-storage-class": "NONE"}), 400, "InvalidStorageClass")
    error(S3().request("POST", n, "k", query="uploads", headers={"x-amz-object-lock-legal-hold": "ON"}), 400, "InvalidRequest")


def test_lock():
    """Retention and legal hold of the upload are the version's."""
    n = locked(EU)
    i = create(n, "k", x_amz_object_lock_legal_hold="ON", x_amz_object_lock_mode="GOVERNANCE", x_amz_object_lock_retain_until_date=days_ahead(1))
    r = complete(n, "k", i, [(1, put_part(n, "k", i, 1, b"x").get("ETag"))])
    status(r, 200)
    ok("version", r.get("x-amz-version-id"))
    h = S3().head(n, "k")
    eq("lock", (h.get("x-amz-object-lock-legal-hold"), h.get("x-amz-object-lock-mode")), ("ON", "GOVERNANCE"))
    put_hold(n, "OFF")

if __name__ == "__main__":
    main()
