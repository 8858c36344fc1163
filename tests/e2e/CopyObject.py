#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CopyObject within a region: what is copied, what is not, what a copy may be made of, and by whom."""
import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from copies import SSE, copied, copy, customer  # noqa: E402

SIZES = (0, 1, 16384, 16385, 65536, 1000003)


def test_copy():
    """Bytes, ETag, checksum; in one bucket and into another; it stays when the source goes."""
    n, other = bucket(EU), bucket(EU)
    for size in SIZES:
        data = random_bytes(size, size)
        put = S3().put(n, "a b/source", data)
        for to, via, slash in ((n, EU, ""), (other, US, "/")):
            r = copied(slash + sigv4.path_of(n, "a b/source")[1:], to, s3=S3(via))
            eq("answer", [e.tag for e in r.xml], ["LastModified", "ETag", "ChecksumType", "ChecksumCRC64NVME"])
            eq("ETag", (r.text("ETag"), r.text("ChecksumCRC64NVME")), (put.get("ETag"), put.get("x-amz-checksum-crc64nvme")))
            g = S3().get(to, "copy", x_amz_checksum_mode="ENABLED")
            ok("%d bytes come back" % size, g.body == data)
            eq("told", (g.get("ETag"), g.get("x-amz-checksum-crc64nvme"), g.get("x-amz-version-id")), (put.get("ETag"), r.text("ChecksumCRC64NVME"), None))
        status(S3().delete(n, "a b/source"), 204)
        ok("%d bytes stay" % size, S3().get(other, "copy").body == data)
    contains("wire", r.body, b'<?xml version="1.0" encoding="UTF-8"?>\n<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LastModified>20')
    contains("wire", r.body, b"<ETag>&quot;%s&quot;</ETag>" % hashlib.md5(data).hexdigest().encode())


def test_by_reference():
    """Plain bytes have one more name in the store, and a row of their own that dies alone."""
    n = bucket(EU)
    S3().put(n, "source", random_bytes(100000))
    copied((n, "source"), n)
    dsn, store = conf_value(EU, "regional_dsn"), conf_value(EU, "store_dir")
    ids = psql("SELECT replace(o.blob_id::text, '-', '') FROM objects o JOIN objects s USING (bucket_id) WHERE s.key = 'source' AND o.size = 100000 AND s.etag = '%s'" % S3().head(n, "copy").get("ETag").strip('"'), dsn).split()
    eq("two blobs", len(set(ids)), 2)
    eq("one file", len({os.stat(os.path.join(store, i[:3], i)).st_ino for i in ids}), 1)


def test_metadata():
    """COPY takes the source's, REPLACE the request's; the redirect and the storage class are the request's either way."""
    n = bucket(EU)
    S3().put(n, "s", b"x", content_type="text/a", cache_control="no-cache", x_amz_meta_a="1", x_amz_storage_class="STANDARD_IA", x_amz_website_redirect_location="/there")
    copied((n, "s"), n, x_amz_meta_b="2", content_type="text/b")
    h = S3().head(n, "copy")
    eq("copied", [h.get(k) for k in ("Content-Type", "Cache-Control", "x-amz-meta-a", "x-amz-meta-b", "x-amz-storage-class", "x-amz-website-redirect-location")],
       ["text/a", "no-cache", "1", None, None, None])
    copied((n, "s"), n, x_amz_metadata_directive="REPLACE", x_amz_meta_b="2", content_type="text/b", x_amz_storage_class="GLACIER_IR", x_amz_website_redirect_location="/here")
    h = S3().head(n, "copy")
    eq("replaced", [h.get(k) for k in ("Content-Type", "Cache-Control", "x-amz-meta-a", "x-amz-meta-b", "x-amz-storage-class", "x-amz-website-redirect-location")],
       ["text/b", None, None, "2", "GLACIER_IR", "/here"])
    for h in ("metadata", "tagging"):
        error(copy((n, "s"), n, **{"x_amz_%s_directive" % h: "KEEP"}), 400, "InvalidArgument", ArgumentName="x-amz-%s-directive" % h)
    error(copy((n, "s"), n, x_amz_storage_class="WARM"), 400, "InvalidStorageClass")


def test_tags():
    n = bucket(EU)
    S3().put(n, "s", b"x", x_amz_tagging="a=b&c=d")
    copied((n, "s"), n, x_amz_tagging="e=f")
    eq("copied", tags_of(n, key="copy"), [("a", "b"), ("c", "d")])
    copied((n, "s"), n, x_amz_tagging_directive="REPLACE", x_amz_tagging="e=f")
    eq("replaced", tags_of(n, key="copy"), [("e", "f")])
    copied((n, "s"), n, x_amz_tagging_directive="REPLACE")
    eq("none", tags_of(n, key="copy"), [])
    # They are read and put by whoever copies: both must be allowed.
    other, to = S3(EU, KEY2, SECRET2), bucket(EU, s3=S3(EU, KEY2, SECRET2))
    allow(n, "s3:GetObject")
    error(copy((n, "s"), to, s3=other), 403, "AccessDenied")
    copied((n, "s"), to, s3=other, x_amz_tagging_directive="REPLACE")
    allow(n, ["s3:GetObject", "s3:GetObjectTagging"])
    copied((n, "s"), to, s3=other)
    eq("copied", tags_of(to, key="copy", s3=other), [("a", "b"), ("c", "d")])
    allow(n, ["s3:GetObject", "s3:GetObjectTagging", "s3:PutObject"])
    error(copy((n, "s"), n, s3=other), 403, "AccessDenied")
    # A header that is not heeded is none that a policy sees.
    allow(n, ["s3:GetObject", "s3:GetObjectTagging", "s3:PutObject", "s3:PutObjectTagging"], {"StringEqualsIfExists": {"s3:RequestObjectTag/a": "b"}, "Null": {"s3:RequestObjectTag/a": "false"}})
    error(copy((n, "s"), n, s3=other, x_amz_tagging="a=b"), 403, "AccessDenied")


def test_itself():
    """Refused unless something changes."""
    n = versioned(EU)
    v = S3().put(n, "k", b"x", x_amz_meta_a="1", content_type="text/a").get("x-amz-version-id")
    error(copy((n, "k"), n, "k"), 400, "InvalidRequest")
    error(copy((n, "k"), n, "k", x_amz_metadata_directive="COPY", x_amz_meta_b="1"), 400, "InvalidRequest")
    for change in ({"x_amz_metadata_directive": "REPLACE"}, {"x_amz_storage_class": "STANDARD_IA"}, {SSE.replace("-", "_"): "AES256"}, {"x_amz_checksum_algorithm": "SHA256"}):
        copied((n, "k"), n, "k", **change)
        eq("bytes", S3().get(n, "k").body, b"x")
    r = copied(sigv4.path_of(n, "k")[1:] + "?versionId=" + v, n, "k")
    eq("brought back", (r.get("x-amz-copy-source-version-id"), S3().head(n, "k").get("x-amz-meta-a"), len(versions(n))), (v, "1", 6))


def test_conditions():
    """On the source (412), and on what is there already."""
    n = bucket(EU)
    etag = S3().put(n, "s", b"x").get("ETag")
    past, future = "Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
    for good, c in ((True, {"match": etag}), (False, {"match": '"z"'}), (False, {"none_match": etag}), (True, {"none_match": "z"}),
                    (True, {"modified_since": past}), (False, {"modified_since": S3().head(n, "s").get("Last-Modified")}), (True, {"unmodified_since": future}),
                    (False, {"unmodified_since": past}), (True, {"match": etag, "unmodified_since": past}), (False, {"none_match": etag, "modified_since": past})):
        r = copy((n, "s"), n, **{"x_amz_copy_source_if_" + k: v for k, v in c.items()})
        if good:
            status(r, 200)
        else:
            error(r, 412, "PreconditionFailed", Condition=None)
    error(copy((n, "s"), n, if_none_match="*"), 412, "PreconditionFailed", Condition="If-None-Match")
    copied((n, "s"), n, "new", if_none_match="*")
    copied((n, "s"), n, if_match=etag)
    error(copy((n, "s"), n, if_match='"z"'), 412, "PreconditionFailed", Condition="If-Match")
    error(copy((n, "s"), n, "never", if_match=etag), 404, "NoSuchKey")
    for h, named in (({"if_match": "*"}, "If-Match"), ({"if_none_match": etag}, "If-None-Match"), ({"if_match": etag, "if_none_match": "*"}, "If-Match,If-None-Match")):
        error(copy((n, "s"), n, **h), 501, "NotImplemented", Header=named, additionalMessage=None)


def test_versions():
    n, to = versioned(EU), versioned(EU)
    a, b = (S3().put(n, "s", x).get("x-amz-version-id") for x in (b"a", b"b"))
    r = copied("%s/s?versionId=%s" % (n, a), to)
    eq("of", (r.get("x-amz-copy-source-version-id"), S3().get(to, "copy").body), (a, b"a"))
    eq("its own", r.get("x-amz-version-id"), versions(to)[0][1])
    r = copied("%s/s" % n, to)
    eq("of", (r.get("x-amz-copy-source-version-id"), S3().get(to, "copy").body, len(versions(to))), (b, b"b", 2))
    r = copied("%s/copy" % to, bucket(EU))
    eq("its own", r.get("x-amz-version-id"), None)
    error(copy("%s/s?versionId=ffffffffffffffff" % n, to), 404, "NoSuchVersion")
    for bad in ("?versionId=", "?versionId=zz", "?acl", "?versionId=%s&x=y" % a):
        error(copy("%s/s%s" % (n, bad), to), 400, "InvalidArgument")
    marker = S3().delete(n, "s").get("x-amz-version-id")
    error(copy("%s/s" % n, to), 404, "NoSuchKey")
    error(copy("%s/s?versionId=%s" % (n, marker), to), 400, "InvalidRequest")


def test_checksums():
    """The source's algorithm stays, another is computed."""
    n = bucket(EU)
    data = random_bytes(50000)
    S3().put(n, "s", data, x_amz_checksum_sha1=base64.b64encode(hashlib.sha1(data).digest()).decode())
    r = copied((n, "s"), n)
    eq("stays", r.text("ChecksumSHA1"), base64.b64encode(hashlib.sha1(data).digest()).decode())
    r = copied((n, "s"), n, x_amz_checksum_algorithm="SHA256")
    want = base64.b64encode(hashlib.sha256(data).digest()).decode()
    eq("computed", (r.text("ChecksumSHA256"), r.text("ChecksumType"), S3().head(n, "copy", x_amz_checksum_mode="ENABLED").get("x-amz-checksum-sha256")), (want, "FULL_OBJECT", want))
    error(copy((n, "s"), n, x_amz_checksum_algorithm="CRC8"), 400, "InvalidRequest")


def test_encryption():
    """From any kind to any other; each key is asked for."""
    n = bucket(EU)
    source_key = lambda i: customer(i, "x-amz-copy-source-server-side-encryption")
    for size in (1000, 200000):
        data = random_bytes(size, size)
        etag = '"%s"' % hashlib.md5(data).hexdigest()
        for i, (put, ask) in enumerate((({}, {}), ({SSE: "AES256"}, {}), (customer(1), source_key(1)))):
            status(S3().request("PUT", n, "s%d" % i, body=data, headers=put), 200)
            for to, read in (({}, {}), ({SSE: "AES256"}, {}), (customer(2), customer(2))):
                r = copied((n, "s%d" % i), n, **ask, **to)
                g = S3().request("GET", n, "copy", headers=read)
                ok("%d bytes of %s to %s" % (size, put, to), g.body == data)
                eq("told", (r.get(SSE), r.get(SSE + "-customer-algorithm")), (to.get(SSE), to.get(SSE + "-customer-algorithm")))
                eq("ETag", r.text("ETag") == etag, not read)
    error(copy((n, "s2"), n), 400, "InvalidRequest")
    error(copy((n, "s2"), n, **source_key(3)), 403, "AccessDenied")
    error(copy((n, "s0"), n, **source_key(1)), 400, "InvalidRequest")


def test_bucket_default():
    n = bucket(EU)
    S3().put(n, "s", b"x" * 20000)
    status(S3().request("PUT", n, query="encryption", body=b"<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"), 200)
    eq("told", (copied((n, "s"), n).get(SSE), S3().get(n, "copy").body), ("AES256", b"x" * 20000))


def test_lock():
    """Not copied; as the request says, or the bucket."""
    n, to = bucket(EU), locked(EU)
    S3().put(n, "s", b"x")
    error(copy((n, "s"), n, x_amz_object_lock_legal_hold="ON"), 400, "InvalidRequest")
    v = copied((n, "s"), to, x_amz_object_lock_mode="GOVERNANCE", x_amz_object_lock_retain_until_date=days_ahead(1)).get("x-amz-version-id")
    error(S3().request("DELETE", to, "copy", query={"versionId": v}), 403, "AccessDenied")
    v = copied((to, "copy"), to, "second").get("x-amz-version-id")
    status(S3().request("DELETE", to, "second", query={"versionId": v}), 204)


def test_refused():
    """Whoever copies must be allowed to read the source and to write the copy."""
    n, to = bucket(EU), bucket(EU, s3=S3(EU, KEY2, SECRET2))
    S3().put(n, "s", b"x")
    other = S3(EU, KEY2, SECRET2)
    error(copy((n, "s"), to, s3=other), 403, "AccessDenied")
    error(copy((n, "never"), to, s3=other), 403, "AccessDenied")
    error(copy((n, "s"), to), 403, "AccessDenied")
    error(copy((to, "s"), n), 403, "AccessDenied")
    error(S3().send("PUT", "/%s/copy" % to, {"x-amz-copy-source": "%s/s" % n}), 403, "AccessDenied")
    allow(n, "s3:GetObject")
    copied((n, "s"), to, s3=other)
    eq("bytes", other.get(to, "copy").body, b"x")
    error(copy((n, "never"), to, s3=other), 403, "AccessDenied")
    error(copy((n, "s"), to, s3=other, x_amz_source_expected_bucket_owner=OWNER2), 403, "AccessDenied")
    copied((n, "s"), to, s3=other, x_amz_source_expected_bucket_owner=OWNER)
    # A version takes another action; a condition may name the source.
    error(copy("%s/s?versionId=null" % n, to, s3=other), 403, "AccessDenied")
    allow(n, ["s3:GetObjectVersion", "s3:GetObject"])
    copied("%s/s?versionId=null" % n, to, s3=other)
    m = bucket(EU)
    allow(m, "s3:PutObject", {"StringLike": {"s3:x-amz-copy-source": n + "/s*"}})
    copied("%s/s" % n, m, s3=other)
    S3().put(n, "t", b"x")
    error(copy("%s/t" % n, m, s3=other), 403, "AccessDenied")
    # However it is spelled.
    st = {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::%s/*" % m}
    deny = dict(st, Effect="Deny", Condition={"StringLike": {"s3:x-amz-copy-source": n + "/t*"}})
    status(S3().request("PUT", m, query="policy", body=json.dumps({"Version": "2012-10-17", "Statement": [st, deny]}).encode()), 204)
    copied("/%s/s" % n, m, s3=other)
    for spelled in ("%s/t", "/%s/t", "%s/%%74", "%s%%2Ft", "%s/t?versionId=null"):
        error(copy(spelled % n, m, s3=other), 403, "AccessDenied")


def test_errors():
    n = bucket(EU)
    S3().put(n, "s", b"x")
    for bad in ("x", "/", "/x", n + "/", "/" + n + "/", "//s", n + "/%zz", n + "/s%00"):
        error(copy(bad, n), 400, "InvalidArgument", ArgumentName="x-amz-copy-source")
    error(copy("%s/never" % n, n), 404, "NoSuchKey", Key="never")
    error(copy("%s/%s" % (n, "k" * 1025), n), 404, "NoSuchKey")
    error(copy("never-%s/s" % n, n), 404, "NoSuchBucket", BucketName="never-" + n)
    error(copy("A_b/s", n), 404, "NoSuchBucket")
    error(copy("%s/s" % n, "never-" + n), 404, "NoSuchBucket")
    eq("nothing is left", S3().keys(n), ["s"])


def test_odd_keys():
    n = bucket(EU)
    for key in ("a b+c/\u65e5%?", "?versionId", "/", "a//b", "..", "\u00fc?versionId=x"):
        S3().put(n, key, key.encode())
        copied((n, key), n, key + " copy")
        eq("bytes", S3().get(n, key + " copy").body, key.encode())
    copied(n + "/a+b%2Bc/%E6%97%A5%25%3F", n)
    eq("a blank as a plus", S3().get(n, "copy").body, "a b+c/\u65e5%?".encode())


if __name__ == "__main__":
    main()
