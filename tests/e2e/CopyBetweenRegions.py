#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CopyObject between two regions: as within one, and the source's home decides who may."""
import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from copies import SSE, copied, copy, customer  # noqa: E402


def test_each_way():
    """Each way, asked in either region: bytes of any size, with all that is copied within a region."""
    for home, to in ((EU, US), (US, EU)):
        n, m = bucket(home), bucket(to)
        for size in (0, 16385, 1000003):
            data = random_bytes(size, size)
            put = S3().put(n, "a b+/\u65e5", data, content_type="text/a", x_amz_meta_a="\u00fc", x_amz_website_redirect_location="/there", x_amz_tagging="t=1&u=%2B",
                           x_amz_checksum_sha1=base64.b64encode(hashlib.sha1(data).digest()).decode())
            for via in (EU, US):
                r = copied((n, "a b+/\u65e5"), m, s3=S3(via))
                eq("answer", (r.text("ETag"), r.text("ChecksumSHA1"), r.get("x-amz-copy-source-version-id")), (put.get("ETag"), put.get("x-amz-checksum-sha1"), None))
                g = S3(to).get(m, "copy")
                ok("%d bytes come back" % size, g.body == data)
                eq("told", [g.get(k) for k in ("Content-Type", "x-amz-meta-a", "x-amz-website-redirect-location", "x-amz-tagging-count")], ["text/a", S3().head(n, "a b+/\u65e5").get("x-amz-meta-a"), None, "2"])
        eq("tags", tags_of(m, key="copy"), [("t", "1"), ("u", "+")])
        copied((n, "a b+/\u65e5"), m, x_amz_metadata_directive="REPLACE", x_amz_meta_b="2", x_amz_tagging_directive="REPLACE", x_amz_checksum_algorithm="SHA256")
        h = S3().head(m, "copy", x_amz_checksum_mode="ENABLED")
        eq("replaced", [h.get(k) for k in ("Content-Type", "x-amz-meta-a", "x-amz-meta-b", "x-amz-tagging-count", "x-amz-checksum-sha256")], ["binary/octet-stream", None, "2", None, base64.b64encode(hashlib.sha256(data).digest()).decode()])


def test_versions():
    n, m = versioned(US), versioned(EU)
    a, b = (S3().put(n, "s", x).get("x-amz-version-id") for x in (b"a", b"b"))
    r = copied("%s/s?versionId=%s" % (n, a), m)
    eq("of", (r.get("x-amz-copy-source-version-id"), S3().get(m, "copy").body, r.get("x-amz-version-id")), (a, b"a", versions(m)[0][1]))
    eq("of", copied("%s/s" % n, m).get("x-amz-copy-source-version-id"), b)
    error(copy("%s/s?versionId=ffffffffffffffff" % n, m), 404, "NoSuchVersion", VersionId="ffffffffffffffff")
    marker = S3().delete(n, "s").get("x-amz-version-id")
    error(copy("%s/s" % n, m), 404, "NoSuchKey", Key="s")
    error(copy("%s/s?versionId=%s" % (n, marker), m), 400, "InvalidRequest")


def test_encrypted():
    """The source's key goes to its home, the copy's stays."""
    n, m = bucket(US), bucket(EU)
    ask = customer(1, "x-amz-copy-source-server-side-encryption")
    data = random_bytes(200000)
    status(S3().request("PUT", n, "c", body=data, headers=customer(1)), 200)
    status(S3().request("PUT", n, "s", body=data, headers={SSE: "AES256"}), 200)
    for source, h in (("c", ask), ("s", {})):
        for to in ({}, {SSE: "AES256"}, customer(2)):
            copied((n, source), m, **h, **to)
            ok("bytes", S3().request("GET", m, "copy", headers=to if "-customer-" in str(to) else {}).body == data)
    error(copy((n, "c"), m), 400, "InvalidRequest")
    error(copy((n, "c"), m, **customer(3, "x-amz-copy-source-server-side-encryption")), 403, "AccessDenied")
    error(copy((n, "s"), m, **ask), 400, "InvalidRequest")


def test_refused():
    """The source's home decides, by its own policies, for whoever copies: another tenant, a session, nobody."""
    n, m = bucket(US), bucket(EU, s3=S3(EU, KEY2, SECRET2))
    etag = S3().put(n, "s", b"x", x_amz_tagging="a=b").get("ETag")
    other = S3(EU, KEY2, SECRET2)
    error(copy((n, "s"), m, s3=other), 403, "AccessDenied")
    error(copy((n, "never"), m, s3=other), 403, "AccessDenied")
    allow(n, "s3:GetObject", who={"AWS": "arn:aws:iam::%s:root" % OWNER2})
    error(copy((n, "s"), m, s3=other), 403, "AccessDenied")  # its tags
    copied((n, "s"), m, s3=other, x_amz_tagging_directive="REPLACE")
    status(other.request("PUT", m, query="policy", body=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["s3:PutObject", "s3:PutObjectTagging"], "Resource": "arn:aws:s3:::%s/*" % m}]}).encode()), 204)
    nobody = lambda: S3().send("PUT", "/%s/copy" % m, {"x-amz-copy-source": "%s/s" % n}, b"")
    error(nobody(), 403, "AccessDenied")
    allow(n, ["s3:GetObject", "s3:GetObjectTagging"], {"StringEquals": {"aws:UserAgent": "copier"}})
    error(nobody(), 403, "AccessDenied")
    status(S3().send("PUT", "/%s/copy" % m, {"x-amz-copy-source": "%s/s" % n, "User-Agent": "copier"}, b""), 200)
    copied((n, "s"), m, s3=other, user_agent="copier")
    eq("tags", tags_of(m, key="copy", s3=other), [("a", "b")])
    mine = bucket(EU)
    error(copy((n, "never"), mine), 404, "NoSuchKey", Key="never")
    error(copy((n, "s"), mine, x_amz_copy_source_if_match="z"), 412, "PreconditionFailed", Condition="x-amz-copy-source-If-Match")
    error(copy((n, "s"), mine, x_amz_copy_source_if_none_match=etag), 412, "PreconditionFailed")
    copied((n, "s"), mine, x_amz_copy_source_if_match=etag)
    error(copy((n, "s"), mine, if_none_match="*"), 412, "PreconditionFailed", Condition="If-None-Match")
    # What the regions say to each other is not for clients: the header alone asks for nothing.
    eq("bytes", S3(US).request("GET", n, "s", headers={"x-anvil-copy": "all"}).body, b"x")


def test_verified():
    """Bytes that are not what the source's row says become no copy."""
    n, m = bucket(US), bucket(EU)
    data = random_bytes(300000)
    S3().put(n, "s", data)
    blob = psql("SELECT replace(blob_id::text, '-', '') FROM objects WHERE key = 's' AND etag = '%s' ORDER BY mtime DESC LIMIT 1" % hashlib.md5(data).hexdigest(), conf_value(US, "regional_dsn"))
    path = os.path.join(conf_value(US, "store_dir"), blob[:3], blob)
    with open(path, "r+b") as f:
        f.seek(200000)
        f.write(b"!")
    error(copy((n, "s"), m), 500, "InternalError")
    with open(path, "r+b") as f:
        f.truncate(100000)
    error(copy((n, "s"), m), 503, "ServiceUnavailable")
    eq("nothing is left", S3().keys(m), [])


def test_session():
    """Temporary credentials, whose policy may narrow what they copy."""
    n, m = bucket(US), bucket(EU)
    S3().put(n, "s", b"x")
    S3().put(n, "t", b"y")
    r = S3().request("POST", headers={"content-type": "application/x-www-form-urlencoded"}, service="sts", body=sigv4.query_of({"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": "arn:aws:iam::%s:role/%s" % (OWNER, KEY), "RoleSessionName": "copier", "Policy": json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::%s/*" % m, "arn:aws:s3:::%s/s" % n]}]})}).encode())
    status(r, 200)
    key, secret, token = (r.text("AssumeRoleResult/Credentials/" + k) for k in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    ask = lambda source: S3(EU, key, secret).request("PUT", m, "copy", headers={"x-amz-copy-source": "%s/%s" % (n, source)}, token=token)
    status(ask("s"), 200)
    error(ask("t"), 403, "AccessDenied")
    eq("bytes", S3().get(m, "copy").body, b"x")


if __name__ == "__main__":
    main()
