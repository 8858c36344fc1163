#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""ListParts: what an upload has so far, page by page."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from uploads import *  # noqa: E402,F403

def parts_of(n, i, key="k", region=None, **q):
    query = {"uploadId": i}
    query.update({k.replace("_", "-"): str(v) for k, v in q.items()})
    r = S3(region or EU).request("GET", n, key, query=query)
    status(r, 200)
    eq("root", r.xml.tag, "ListPartsResult")
    return r, [int(e.text) for e in r.xml.findall("Part/PartNumber")]


def test_answer():
    """The wire text; the order is that of the numbers, not of their coming."""
    n = bucket(EU)
    i = create(n, "k", x_amz_checksum_algorithm="SHA256", x_amz_storage_class="GLACIER_IR")
    for number in (5, 1, 10000):
        body = b"part %d" % number
        status(put_part(n, "k", i, number, body, x_amz_checksum_sha256=sigv4.checksum("sha256", body)), 200)
    for region in (EU, US):
        r, numbers = parts_of(n, i, region=region)
        eq("numbers", numbers, [1, 5, 10000])
        eq("elements", [e.tag for e in r.xml], ["Bucket", "Key", "UploadId", "Initiator", "Owner", "StorageClass", "PartNumberMarker", "NextPartNumberMarker",
                                                "MaxParts", "IsTruncated", "Part", "Part", "Part", "ChecksumAlgorithm", "ChecksumType"])
        eq("of a part", [e.tag for e in r.xml.find("Part")], ["PartNumber", "LastModified", "ETag", "Size", "ChecksumSHA256"])
        eq("said", (r.text("Bucket"), r.text("Key"), r.text("UploadId"), r.text("StorageClass"), r.text("MaxParts"), r.text("IsTruncated"), r.text("ChecksumAlgorithm"), r.text("ChecksumType")),
           (n, "k", i, "GLACIER_IR", "1000", "false", "SHA256", "COMPOSITE"))
        eq("the last", (r.xml.findall("Part/ETag")[2].text, r.xml.findall("Part/Size")[2].text), ('"%s"' % hashlib.md5(b"part 10000").hexdigest(), "10"))
        ok("owner", r.text("Owner/ID") and r.text("Owner/ID") == r.text("Initiator/ID"), r.body)


def test_pages():
    n = bucket(EU)
    i = create(n, "k")
    eq("none yet", parts_of(n, i)[1], [])
    for number in range(1, 6):
        put_part(n, "k", i, number, b"x")
    r, numbers = parts_of(n, i, max_parts=2)
    eq("first", (numbers, r.text("IsTruncated"), r.text("NextPartNumberMarker"), r.text("MaxParts")), ([1, 2], "true", "2", "2"))
    r, numbers = parts_of(n, i, max_parts=2, part_number_marker=2)
    eq("second", (numbers, r.text("IsTruncated"), r.text("PartNumberMarker")), ([3, 4], "true", "2"))
    r, numbers = parts_of(n, i, max_parts=2, part_number_marker=4)
    eq("last", (numbers, r.text("IsTruncated")), ([5], "false"))
    eq("behind", parts_of(n, i, part_number_marker=10000)[1], [])
    for q in ({"max-parts": "x"}, {"max-parts": "-1"}, {"part-number-marker": "x"}):
        error(S3().request("GET", n, "k", query=dict(q, uploadId=i)), 400, "InvalidArgument")


def test_refused():
    n = bucket(EU)
    i = create(n, "k")
    error(S3(EU, KEY2, SECRET2).request("GET", n, "k", query={"uploadId": i}), 403, "AccessDenied")
    error(S3().send("GET", "/%s/k?uploadId=%s" % (n, i)), 403, "AccessDenied")
    error(S3().request("GET", n, "k", query={"uploadId": "0" * 32}), 404, "NoSuchUpload")
    r, i = upload(n, "k", [b"x"])
    error(S3().request("GET", n, "k", query={"uploadId": i}), 404, "NoSuchUpload")


def test_odd_key():
    n = bucket(EU)
    key = "a b+c%2F//./d\u00e9&<>'\""
    i = create(n, key)
    put_part(n, key, i, 1, b"x")
    r, numbers = parts_of(n, i, key)
    eq("key", (r.text("Key"), numbers), (key, [1]))

if __name__ == "__main__":
    main()
