#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetObjectAttributes: ETag, checksum, parts, class and size, as many as are asked for."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from uploads import MIN, etag, upload  # noqa: E402

ALL = "ETag,Checksum,ObjectParts,StorageClass,ObjectSize"


def ask(n, key="k", what=ALL, region=None, s3=None, query="attributes", **headers):
    h = {k.replace("_", "-"): str(v) for k, v in headers.items()}
    if what is not None:
        h["x-amz-object-attributes"] = what
    return (s3 or S3(region or EU)).request("GET", n, key, query=query, headers=h)


def test_plain():
    """The wire text; no parts; only what is asked."""
    n = bucket(EU)
    put = S3().put(n, "k", b"body", x_amz_checksum_sha256=sigv4.checksum("sha256", b"body"))
    for region in (EU, US):
        r = ask(n, region=region)
        status(r, 200)
        eq("root", r.xml.tag, "GetObjectAttributesResponse")
        eq("elements", [e.tag for e in r.xml], ["ETag", "Checksum", "StorageClass", "ObjectSize"])
        eq("said", (r.text("ETag"), r.text("Checksum/ChecksumSHA256"), r.text("Checksum/ChecksumType"), r.text("StorageClass"), r.text("ObjectSize")),
           (put.get("ETag").strip('"'), sigv4.checksum("sha256", b"body"), "FULL_OBJECT", "STANDARD", "4"))
        ok("Last-Modified", r.get("Last-Modified"))
        eq("no versions", r.get("x-amz-version-id"), None)
    eq("one", [e.tag for e in ask(n, what="ObjectSize").xml], ["ObjectSize"])
    eq("two", [e.tag for e in ask(n, what=" StorageClass , ETag").xml], ["ETag", "StorageClass"])


def test_parts():
    n = bucket(EU)
    bodies = [random_bytes(MIN, 1), random_bytes(MIN, 2), b"last"]
    upload(n, "k", bodies)
    r = ask(n)
    status(r, 200)
    eq("elements", [e.tag for e in r.xml], ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"])
    eq("of parts", [e.tag for e in r.xml.find("ObjectParts")], ["IsTruncated", "MaxParts", "NextPartNumberMarker", "PartNumberMarker", "Part", "Part", "Part", "PartsCount"])
    eq("ETag and size", (r.text("ETag"), r.text("ObjectSize")), (etag(bodies).strip('"'), str(2 * MIN + 4)))
    eq("each", [(e.findtext("PartNumber"), e.findtext("Size")) for e in r.xml.findall("ObjectParts/Part")], [("1", str(MIN)), ("2", str(MIN)), ("3", "4")])
    eq("a checksum", r.xml.findall("ObjectParts/Part")[2].findtext("ChecksumCRC64NVME"), sigv4.checksum("crc64nvme", b"last"))
    r = ask(n, x_amz_max_parts=1, x_amz_part_number_marker=1)
    eq("a page", [r.text("ObjectParts/" + x) for x in ("IsTruncated", "MaxParts", "NextPartNumberMarker", "PartNumberMarker", "PartsCount")], ["true", "1", "2", "1", "3"])
    eq("its part", [e.text for e in r.xml.findall("ObjectParts/Part/PartNumber")], ["2"])
    r = ask(n, x_amz_max_parts=10, x_amz_part_number_marker=2)
    eq("the last page", (r.text("ObjectParts/IsTruncated"), len(r.xml.findall("ObjectParts/Part"))), ("false", 1))


def test_versions():
    n = versioned(EU)
    first = S3().put(n, "k", b"one").get("x-amz-version-id")
    S3().put(n, "k", b"three")
    r = ask(n, query={"attributes": "", "versionId": first})
    eq("the first", (r.text("ObjectSize"), r.get("x-amz-version-id")), ("3", first))
    eq("the newest", ask(n).text("ObjectSize"), "5")
    S3().delete(n, "k")
    r = ask(n)
    error(r, 404, "NoSuchKey")
    eq("a marker", r.get("x-amz-delete-marker"), "true")
    error(ask(n, query={"attributes": "", "versionId": "0123456789abcdef"}), 400, "InvalidArgument")


def test_refused():
    n = bucket(EU)
    S3().put(n, "k", b"x")
    error(ask(n, what=None), 400, "InvalidRequest")
    error(ask(n, what=""), 400, "InvalidRequest")
    error(ask(n, what="ETag,Color"), 400, "InvalidArgument", ArgumentValue="Color")
    error(ask(n, x_amz_max_parts="x"), 400, "InvalidArgument")
    error(ask(n, "none"), 404, "NoSuchKey")
    error(ask(n, s3=S3(EU, KEY2, SECRET2)), 403, "AccessDenied")
    error(S3().send("GET", "/%s/k?attributes" % n, headers={"x-amz-object-attributes": ALL}), 403, "AccessDenied")


def test_odd_key():
    n = bucket(EU)
    key = "a b+c%2F//./d\u00e9&<>'\""
    S3().put(n, key, b"odd")
    eq("size", ask(n, key).text("ObjectSize"), "3")


if __name__ == "__main__":
    main()
