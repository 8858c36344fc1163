#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""ListMultipartUploads: what is under way, by keys and then by their beginnings."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from uploads import *  # noqa: E402,F403
import base64  # noqa: E402


def uploads(n, region=None, **q):
    query = {"uploads": ""}
    query.update({k.replace("_", "-"): str(v) for k, v in q.items()})
    r = S3(region or EU).request("GET", n, query=query)
    status(r, 200)
    eq("root", r.xml.tag, "ListMultipartUploadsResult")
    return r, [e.text for e in r.xml.findall("Upload/Key")], [e.text for e in r.xml.findall("CommonPrefixes/Prefix")]


def ids_of(r):
    return [e.text for e in r.xml.findall("Upload/UploadId")]


def test_answer():
    n = bucket(EU)
    eq("none", uploads(n)[1], [])
    first = create(n, "b", x_amz_checksum_algorithm="CRC32")
    time.sleep(0.005)  # ids tell milliseconds
    second = create(n, "b", US)
    create(n, "a")
    S3().put(n, "object", b"x")
    for region in (EU, US):
        r, keys, _ = uploads(n, region)
        eq("keys", keys, ["a", "b", "b"])
        eq("the earlier first", ids_of(r)[1:], [first, second])
        eq("elements", [e.tag for e in r.xml], ["Bucket", "KeyMarker", "UploadIdMarker", "NextKeyMarker", "NextUploadIdMarker", "Prefix", "MaxUploads", "IsTruncated", "Upload", "Upload", "Upload"])
        eq("of an upload", [e.tag for e in r.xml.findall("Upload")[1]], ["Key", "UploadId", "Initiator", "Owner", "StorageClass", "Initiated", "ChecksumAlgorithm", "ChecksumType"])
        eq("the last that is listed", (r.text("NextKeyMarker"), r.text("NextUploadIdMarker")), ("b", second))
        eq("said", (r.text("Bucket"), r.text("MaxUploads"), r.text("IsTruncated"), r.text("Upload/StorageClass")), (n, "1000", "false", "STANDARD"))
        ok("owner", r.text("Upload/Owner/ID") and r.text("Upload/Owner/DisplayName"), r.body)


def test_owners():
    """Whose each is, by id and name, whoever asks: uploads of others where lists let them in."""
    n = bucket(EU)
    body = b"<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>"
    status(S3().request("PUT", n, query="ownershipControls", body=body, headers={"content-md5": base64.b64encode(hashlib.md5(body).digest()).decode()}), 200)
    status(S3().request("DELETE", n, query="publicAccessBlock"), 204)
    status(S3().request("PUT", n, query="acl", headers={"x-amz-acl": "public-read-write"}), 200)
    theirs = S3(EU, KEY2, SECRET2)
    create(n, "a")
    create(n, "b", s3=theirs)
    create(n, "c", s3=theirs)
    status(S3().request("PUT", n, query="policy", body=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:ListBucketMultipartUploads", "Resource": "arn:aws:s3:::" + n}]}).encode()), 204)
    name, name2 = (psql("SELECT name FROM tenants WHERE canonical_id = '%s'" % i) for i in (OWNER, OWNER2))
    for s3 in (S3(), S3(US), theirs, theirs.at(US)):
        r = s3.request("GET", n, query="uploads")
        status(r, 200)
        for of in ("Initiator", "Owner"):
            eq(of, [(e.findtext(of + "/ID"), e.findtext(of + "/DisplayName")) for e in r.xml.findall("Upload")], [(OWNER, name), (OWNER2, name2), (OWNER2, name2)])


def test_pages():
    n = bucket(EU)
    made = {}
    for key in ("a", "d/1", "d/1", "d/2", "e", "f/1"):
        made.setdefault(key, []).append(create(n, key))
        time.sleep(0.003)
    eq("prefix", uploads(n, prefix="d/")[1], ["d/1", "d/1", "d/2"])
    eq("delimiter", uploads(n, delimiter="/")[1:], (["a", "e"], ["d/", "f/"]))
    r, keys, prefixes = uploads(n, delimiter="/", max_uploads=2)
    eq("first", (keys, prefixes, r.text("IsTruncated"), r.text("NextKeyMarker")), (["a"], ["d/"], "true", "d/"))
    r, keys, prefixes = uploads(n, delimiter="/", max_uploads=2, key_marker="d/")
    eq("second", (keys, prefixes, r.text("IsTruncated")), (["e"], ["f/"], "false"))
    seen, marker = [], {}
    for _ in range(10):
        r, keys, _ = uploads(n, max_uploads=1, **marker)
        seen += ids_of(r)
        if r.text("IsTruncated") == "false":
            break
        marker = {"key_marker": r.text("NextKeyMarker"), "upload_id_marker": r.text("NextUploadIdMarker")}
    eq("one by one", seen, [i for k in sorted(made) for i in made[k]])
    eq("behind a key", uploads(n, key_marker="d/1")[1], ["d/2", "e", "f/1"])
    eq("behind an upload", ids_of(uploads(n, key_marker="d/1", upload_id_marker=made["d/1"][0], max_uploads=1)[0]), made["d/1"][1:])
    eq("no key: no upload", uploads(n, upload_id_marker=made["d/1"][0], max_uploads=1)[1], ["a"])
    eq("none asked", uploads(n, max_uploads=0)[1], [])
    for q in ({"max-uploads": "x"}, {"max-uploads": "-1"}, {"encoding-type": "x"}):
        error(S3().request("GET", n, query=dict(q, uploads="")), 400, "InvalidArgument")


def test_refused():
    n = bucket(EU)
    create(n, "k")
    error(S3(EU, KEY2, SECRET2).request("GET", n, query="uploads"), 403, "AccessDenied")
    error(S3().send("GET", "/%s?uploads" % n), 403, "AccessDenied")
    error(S3().request("GET", "t-" + secrets.token_hex(8), query="uploads"), 404, "NoSuchBucket")


def test_odd_key():
    n = bucket(EU)
    key = "a b+c%2F//./d\u00e9&<>'\""
    create(n, key)
    eq("plain", uploads(n)[1], [key])
    r, keys, _ = uploads(n, encoding_type="url")
    eq("encoded", (r.text("EncodingType"), keys), ("url", ["a%20b%2Bc%252F//./d%C3%A9%26%3C%3E%27%22"]))

if __name__ == "__main__":
    main()
