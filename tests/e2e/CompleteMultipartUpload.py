#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CompleteMultipartUpload: the listed parts in order are the object, once."""
import base64
import io
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from uploads import *  # noqa: E402,F403

BIG = random_bytes(MIN, 1)


def test_whole():
    """Parts through both regions, one left out and one in its row; ETag, bytes, ranges over the seams; the wire text."""
    n = bucket(EU)
    other = random_bytes(MIN + 12345, 2)
    last = random_bytes(1000, 3)
    i = create(n, "k")
    etags = {}
    for number, body in ((3, last), (1, BIG), (2, other), (5, b"left out")):
        etags[number] = put_part(n, "k", i, number, body, (EU, US)[number % 2]).get("ETag")
    r = complete(n, "k", i, [(x, etags[x]) for x in (1, 2, 3)], US)
    status(r, 200)
    eq("root", r.xml.tag, "CompleteMultipartUploadResult")
    eq("elements", [e.tag for e in r.xml], ["Location", "Bucket", "Key", "ETag", "ChecksumCRC64NVME", "ChecksumType"])
    whole = BIG + other + last
    eq("ETag", r.text("ETag"), etag([BIG, other, last]))
    crc = S3().put(n, "whole", whole).get("x-amz-checksum-crc64nvme")
    eq("checksum", (r.text("ChecksumCRC64NVME"), r.text("ChecksumType")), (crc, "FULL_OBJECT"))
    contains("location", r.text("Location"), "/%s/k" % n)
    eq("versions are none", r.get("x-amz-version-id"), None)
    for region in (EU, US):
        g = S3(region).get(n, "k", x_amz_checksum_mode="ENABLED")
        ok("bytes equal at %s" % region, g.body == whole)
        eq("ETag", g.get("ETag"), etag([BIG, other, last]))
        eq("checksum", g.get("x-amz-checksum-crc64nvme"), crc)
    a, b = len(BIG), len(BIG) + len(other)
    for first, end in ((0, 10), (a - 5, a + 5), (a, a + 1), (a - 1, a), (b - 7, b + 7), (b, b + 1), (a - 1, b + 1), (len(whole) - 1, len(whole)), (b + 500, len(whole))):
        g = S3().get(n, "k", range="bytes=%d-%d" % (first, end - 1))
        status(g, 206)
        ok("range %d-%d" % (first, end), g.body == whole[first:end])
    eq("listed", S3().list(n, prefix="k").xml.findtext("Contents/Size"), str(len(whole)))
    eq("no upload is left", S3().request("GET", n, query="uploads").xml.findall("Upload"), [])


def test_again():
    """The same list gets the same answer; another does not."""
    n = versioned(EU)
    i = create(n, "k")
    e = put_part(n, "k", i, 1, b"one").get("ETag")
    first = complete(n, "k", i, [(1, e)])
    status(first, 200)
    S3().put(n, "k", b"newer")
    for region in (EU, US):
        r = complete(n, "k", i, [(1, e)], region)
        status(r, 200)
        eq("ETag", r.text("ETag"), first.text("ETag"))
        eq("version", r.get("x-amz-version-id"), first.get("x-amz-version-id"))
    error(complete(n, "k", i, [(2, e)]), 404, "NoSuchUpload", UploadId=i)
    error(complete(n, "other", i, [(1, e)]), 404, "NoSuchUpload")
    eq("the newer one", S3().get(n, "k").body, b"newer")
    eq("two versions", len(versions(n)), 2)


def test_wrong_lists():
    n = bucket(EU)
    i = create(n, "k")
    a, b = put_part(n, "k", i, 1, b"one").get("ETag"), put_part(n, "k", i, 2, b"two").get("ETag")
    error(complete(n, "k", i, [(2, b), (1, a)]), 400, "InvalidPartOrder", UploadId=i)
    error(complete(n, "k", i, [(1, b)]), 400, "InvalidPart", UploadId=i, PartNumber="1", ETag=b.strip('"'))
    error(complete(n, "k", i, [(9999, a)]), 400, "InvalidPart")
    error(complete(n, "k", i, [(1, "x")]), 400, "InvalidPart")
    error(complete(n, "k", i, [(1, a), (2, b)]), 400, "EntityTooSmall", ProposedSize="3", MinSizeAllowed=str(MIN), PartNumber="1", ETag=a.strip('"'))
    error(complete(n, "k", i, [(0, a)]), 400, "InvalidArgument")
    for body in (b"", b"<CompleteMultipartUpload><Part/></CompleteMultipartUpload>", b"<Other/>", b"no XML",
                 b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>", document([(1, a)])[:-5]):
        error(complete(n, "k", i, body), 400, "MalformedXML")
    error(complete(n, "k", "0" * 32, [(1, a)]), 404, "NoSuchUpload")
    eq("nothing is left", S3().keys(n), [])
    # Without quotes, listed twice, and the other left out.
    status(complete(n, "k", i, [(2, a), (2, b.strip('"'))]), 200)
    eq("bytes", S3().get(n, "k").body, b"two")


def test_conditions():
    n = bucket(EU)

    def ready():
        i = create(n, "k")
        return i, [(1, put_part(n, "k", i, 1, b"new").get("ETag"))]

    i, parts = ready()
    error(complete(n, "k", i, parts, if_match='"any"'), 404, "NoSuchKey", Key="k")
    error(complete(n, "k", i, parts, if_match="*"), 501, "NotImplemented", Header="If-Match")
    error(complete(n, "k", i, parts, if_none_match='"any"'), 501, "NotImplemented", Header="If-None-Match")
    status(complete(n, "k", i, parts, if_none_match="*"), 200)
    i, parts = ready()
    error(complete(n, "k", i, parts, if_none_match="*"), 412, "PreconditionFailed", Condition="If-None-Match")
    error(complete(n, "k", i, parts, if_match='"other"'), 412, "PreconditionFailed", Condition="If-Match")
    status(complete(n, "k", i, parts, if_match=S3().head(n, "k").get("ETag")), 200)


def test_checksums():
    """Composite and of the full object; given, wrong, missing, of another kind; the type and the size, too."""
    n = bucket(EU)
    bodies = [BIG, b"the last"]
    whole = BIG + b"the last"
    for algorithm, kind in (("CRC32", "COMPOSITE"), ("SHA256", "COMPOSITE"), ("CRC32", "FULL_OBJECT")):
        a = algorithm.lower()
        header, element = "x-amz-checksum-" + a, "Checksum" + algorithm
        i = create(n, "k", x_amz_checksum_algorithm=algorithm, x_amz_checksum_type=kind)
        parts = []
        for number, body in enumerate(bodies, 1):
            s = sigv4.checksum(a, body)
            r = put_part(n, "k", i, number, body, **{header: s})
            parts.append((number, r.get("ETag"), {element: s}))
        if kind == "COMPOSITE":
            want = sigv4.checksum(a, b"".join(base64.b64decode(p[2][element]) for p in parts)) + "-2"
        else:
            want = sigv4.checksum(a, whole)
        error(complete(n, "k", i, parts, **{header: sigv4.checksum(a, b"other")}), 400, "BadDigest")
        error(complete(n, "k", i, parts, x_amz_checksum_sha1=sigv4.checksum("sha1", whole)), 400, "InvalidRequest")
        error(complete(n, "k", i, parts, x_amz_checksum_type="COMPOSITE" if kind != "COMPOSITE" else "FULL_OBJECT"), 400, "InvalidRequest")
        error(complete(n, "k", i, parts, x_amz_mp_object_size=str(len(whole) + 1)), 400, "InvalidRequest")
        # A part may leave its checksum out, but not have another's.
        error(complete(n, "k", i, [parts[0][:2], parts[1][:2] + ({element: parts[0][2][element]},)]), 400, "InvalidPart")
        r = complete(n, "k", i, parts, x_amz_mp_object_size=str(len(whole)), x_amz_checksum_type=kind, **{header: want})
        status(r, 200)
        eq("told", (r.text(element), r.text("ChecksumType")), (want, kind))
        h = S3().head(n, "k", x_amz_checksum_mode="ENABLED")
        eq("told by HEAD", (h.get(header), h.get("x-amz-checksum-type")), (want, kind))
        g = S3().request("GET", n, "k", query={"partNumber": "2"}, headers={"x-amz-checksum-mode": "ENABLED"})
        eq("the part's, where the object's is made of them", (g.get(header), g.get("x-amz-checksum-type")), (sigv4.checksum(a, bodies[1]), kind) if kind == "COMPOSITE" else (None, None))
        alone = create(n, "alone", x_amz_checksum_algorithm=algorithm, x_amz_checksum_type=kind)
        p = put_part(n, "alone", alone, 1, b"one", **{header: sigv4.checksum(a, b"one")})
        status(complete(n, "alone", alone, [(1, p.get("ETag"), {element: p.get(header)})]), 200)
        g = S3().request("GET", n, "alone", query={"partNumber": "1"}, headers={"x-amz-checksum-mode": "ENABLED"})
        eq("of the only part", (g.get(header), g.get("x-amz-checksum-type")), (p.get(header), kind))
        attributes = S3().request("GET", n, "k", query="attributes", headers={"x-amz-object-attributes": "Checksum"})
        eq("an attribute, without the number of parts", (attributes.text("Checksum/" + element), attributes.text("Checksum/ChecksumType")), (want.split("-")[0], kind))


def test_encrypted():
    """SSE-S3, also by default, and SSE-C: small parts, seams of chunks; the key is asked for with each part."""
    n = bucket(EU)
    key = hashlib.sha256(b"k").digest()
    c = {"x-amz-server-side-encryption-customer-algorithm": "AES256", "x-amz-server-side-encryption-customer-key": base64.b64encode(key).decode(),
         "x-amz-server-side-encryption-customer-key-md5": base64.b64encode(hashlib.md5(key).digest()).decode()}
    bodies = [BIG + b"x" * 77, b"the last"]
    whole = b"".join(bodies)
    seam = "bytes=%d-%d" % (len(bodies[0]) - 3, len(bodies[0]) + 2)
    r, _ = upload(n, "s", bodies, x_amz_server_side_encryption="AES256")
    status(r, 200)
    eq("said", r.get("x-amz-server-side-encryption"), "AES256")
    eq("ETag", r.text("ETag"), etag(bodies))
    ok("bytes equal", S3(US).get(n, "s").body == whole)
    eq("range", S3().get(n, "s", range=seam).body, whole[len(bodies[0]) - 3:len(bodies[0]) + 3])
    for s3 in (S3(EU), S3(US)):
        if s3.request("PUT", n, "probe", body=b"", headers=c).status != 200:
            continue  # keys over TLS only
        r, i = upload(n, "c", bodies, s3=s3, part_headers=c, **c)
        status(r, 200)
        ok("bytes equal", s3.request("GET", n, "c", headers=c).body == whole)
        eq("range", s3.request("GET", n, "c", headers=dict(c, range=seam)).body, whole[len(bodies[0]) - 3:len(bodies[0]) + 3])
        error(S3().get(n, "c"), 400, "InvalidRequest")
        i = create(n, "c", s3=s3, **c)
        error(put_part(n, "c", i, 1, b"x"), 400, "InvalidRequest")


def test_many():
    """A thousand parts of nothing but the last are too small; two that are not are one object for boto3, too."""
    n = bucket(EU)
    try:
        import boto3
        from boto3.s3.transfer import TransferConfig
        from botocore.config import Config
    except ImportError:
        raise Skipped("boto3 is not installed")
    c = boto3.client("s3", endpoint_url=US.endpoint, region_name=US.name, aws_access_key_id=KEY, aws_secret_access_key=SECRET, config=Config(s3={"addressing_style": "path"}))
    data = random_bytes(2 * MIN + 99, 9)
    c.upload_fileobj(io.BytesIO(data), n, "k", Config=TransferConfig(multipart_threshold=MIN, multipart_chunksize=MIN, max_concurrency=3))
    h = c.head_object(Bucket=n, Key="k", PartNumber=3)
    eq("parts", (h["PartsCount"], h["ContentLength"], h["ETag"][-3:]), (3, 99, '-3"'))
    got = io.BytesIO()
    c.download_fileobj(n, "k", got)
    ok("bytes equal", got.getvalue() == data)


def test_refused():
    n = bucket(EU)
    i = create(n, "k")
    e = put_part(n, "k", i, 1, b"x").get("ETag")
    error(complete(n, "k", i, [(1, e)], s3=S3(EU, KEY2, SECRET2)), 403, "AccessDenied")
    error(S3().send("POST", "/%s/k?uploadId=%s" % (n, i), body=document([(1, e)])), 403, "AccessDenied")
    eq("nothing is left", S3().keys(n), [])


def test_odd_key():
    n = bucket(EU)
    key = "a b+c%2F//./d\u00e9&<>'\"\t"
    r, _ = upload(n, key, [b"odd"])
    status(r, 200)
    eq("key", r.text("Key"), key)

if __name__ == "__main__":
    main()
