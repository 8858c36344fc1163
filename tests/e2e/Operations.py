#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every operation that is built, by one good request each: what it takes to be allowed it, and the wire text of its answer."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from uploads import create, document, put_part  # noqa: E402

import base64  # noqa: E402

NS = "http://s3.amazonaws.com/doc/2006-03-01/"
KEY_ODD = "o d+d/%2F//\u00e9&<'.txt"
OWNED = "<Owner><ID>%s</ID></Owner>" % OWNER


class Row:
    """A row of s3/operations.def."""

    def __init__(self, m):
        self.name, self.method, self.level, query, header, self.handler, self.action, of_version = m.groups()
        self.query = {k: v for k, _, v in (p.partition("=") for p in ("" if query == "NULL" else query.strip('"')).split("&") if p)}
        self.header = None if header == "NULL" else header.strip('"')


def rows():
    out = []
    for line in open(os.path.join(SOURCE, "s3", "operations.def"), encoding="utf-8"):
        m = re.match(r'OP\((\w+),\s*(\w+),\s*(\w+),\s*(NULL|"[^"]*"),\s*(NULL|"[^"]*"),\s*(\w+),\s*"([^"]*)",\s*(NULL|"[^"]*")', line)
        if m and m.group(6) != "op_not_implemented":
            out.append(Row(m))
    ok("the table was read", len(out) > 80, len(out))
    return out


# What has no bucket, or no one action that decides: their own files test them.
APART = ("SecurityToken", "SecurityTokenQuery", "CorsPreflight", "PostObject")


class Good:
    """One good request: its body, headers and query besides the row's; what the answer is; what is there before; which actions it takes besides the row's."""

    def __init__(self, status=200, root=None, body=b"", query=None, headers=None, before=None, more=(), home=bucket, elements=()):
        self.status, self.root, self.body, self.query, self.headers = status, root, body, query or {}, headers or {}
        self.before, self.more, self.home, self.elements = before, more, home, elements


def x(root, inner=""):
    return ("<%s xmlns='%s'>%s</%s>" % (root, NS, inner, root)).encode()


def put_it(n):
    S3().put(n, KEY_ODD, b"bytes")


def begin(n):
    """An upload with one part: what its requests name, and its list."""
    i = create(n, KEY_ODD)
    r = put_part(n, KEY_ODD, i, 1, b"part")
    status(r, 200)
    return {"uploadId": i}, document([(1, r.get("ETag"))])


def upload_of(n):
    return begin(n)[0]


def config(sub, document, more=None):
    """A bucket's document is there."""
    def before(n):
        r = S3().request("PUT", n, query=sub, body=document)
        ok("%s is put" % sub, r.status in (200, 204), r)
    return before


def with_hold(n):
    put_it(n)
    status(put_hold(n, "ON", key=KEY_ODD), 200)


def with_retention(n):
    put_it(n)
    status(put_retention(n, "GOVERNANCE", days_ahead(1), key=KEY_ODD), 200)


def with_tags(n):
    put_it(n)
    status(tagging("PUT", n, [("a", "b")], key=KEY_ODD), 200)


CORS = x("CORSConfiguration", "<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>")
ENCRYPTION = x("ServerSideEncryptionConfiguration", "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>")
LIFECYCLE = x("LifecycleConfiguration", "<Rule><ID>r</ID><Filter><Prefix>x/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>9</Days></Expiration></Rule>")
OWNERSHIP = x("OwnershipControls", "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>")
BLOCK = x("PublicAccessBlockConfiguration", "<BlockPublicAcls>true</BlockPublicAcls>")
TAGS = x("Tagging", "<TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet>")
WEBSITE = x("WebsiteConfiguration", "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>")
LOCK = x("ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule>")
ACL = x("AccessControlPolicy", OWNED + "<AccessControlList><Grant><Grantee xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='CanonicalUser'><ID>%s</ID></Grantee>"
        "<Permission>FULL_CONTROL</Permission></Grant></AccessControlList>" % OWNER)
DELETE = x("Delete", "<Object><Key>k</Key></Object>")


def policy(n):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::%s/open/*" % n}]}).encode()


def with_policy(n):
    status(S3().request("PUT", n, query="policy", body=policy(n)), 204)


def owned_by_writers():
    n = bucket()
    status(S3().request("PUT", n, query="ownershipControls", body=OWNERSHIP.replace(b"BucketOwnerEnforced", b"ObjectWriter")), 200)
    return n


GOOD = {
    "ListBuckets": Good(root="ListAllMyBucketsResult", elements=("Owner/ID", "Buckets/Bucket/Name", "Buckets/Bucket/CreationDate")),
    "CreateBucket": Good(home=lambda: "t-" + secrets.token_hex(8)),
    "HeadBucket": Good(),
    "GetBucketLocation": Good(root="LocationConstraint"),
    "DeleteBucket": Good(204),
    "ListObjects": Good(root="ListBucketResult", before=put_it, query={"encoding-type": "url"}, elements=("Name", "Prefix", "Marker", "MaxKeys", "EncodingType", "IsTruncated", "Contents/Key", "Contents/LastModified",
                        "Contents/ETag", "Contents/ChecksumAlgorithm", "Contents/ChecksumType", "Contents/Size", "Contents/Owner/ID", "Contents/StorageClass")),
    "ListObjectsV2": Good(root="ListBucketResult", before=put_it, elements=("Name", "Prefix", "KeyCount", "MaxKeys", "IsTruncated", "Contents/Key", "Contents/StorageClass")),
    "ListObjectVersions": Good(root="ListVersionsResult", before=put_it, elements=("Name", "Prefix", "KeyMarker", "VersionIdMarker", "MaxKeys", "IsTruncated", "Version/Key", "Version/VersionId", "Version/IsLatest",
                               "Version/LastModified", "Version/ETag", "Version/Size", "Version/StorageClass", "Version/Owner/ID")),
    "ListMultipartUploads": Good(root="ListMultipartUploadsResult", before=lambda n: begin(n) and None, elements=("Bucket", "KeyMarker", "UploadIdMarker", "NextKeyMarker", "NextUploadIdMarker", "MaxUploads", "IsTruncated",
                                 "Upload/Key", "Upload/UploadId", "Upload/Initiator/ID", "Upload/Owner/ID", "Upload/StorageClass", "Upload/Initiated")),
    "DeleteObjects": Good(root="DeleteResult", body=DELETE, headers={"content-md5": base64.b64encode(hashlib.md5(DELETE).digest()).decode()}, elements=("Deleted/Key",)),
    "GetBucketAccelerateConfiguration": Good(root="AccelerateConfiguration"),
    "PutBucketAccelerateConfiguration": Good(body=x("AccelerateConfiguration", "<Status>Suspended</Status>")),
    "GetBucketAcl": Good(root="AccessControlPolicy", elements=("Owner/ID", "AccessControlList/Grant/Grantee/ID", "AccessControlList/Grant/Permission")),
    "PutBucketAcl": Good(body=ACL, home=owned_by_writers),
    "GetBucketCors": Good(root="CORSConfiguration", before=config("cors", CORS)),
    "PutBucketCors": Good(body=CORS),
    "DeleteBucketCors": Good(204, before=config("cors", CORS)),
    "GetBucketEncryption": Good(root="ServerSideEncryptionConfiguration", before=config("encryption", ENCRYPTION), elements=("Rule/ApplyServerSideEncryptionByDefault/SSEAlgorithm", "Rule/BucketKeyEnabled")),
    "PutBucketEncryption": Good(body=ENCRYPTION),
    "DeleteBucketEncryption": Good(204),
    "GetBucketLifecycleConfiguration": Good(root="LifecycleConfiguration", before=config("lifecycle", LIFECYCLE)),
    "PutBucketLifecycleConfiguration": Good(body=LIFECYCLE),
    "DeleteBucketLifecycle": Good(204, before=config("lifecycle", LIFECYCLE)),
    "GetBucketLogging": Good(root="BucketLoggingStatus"),
    "PutBucketLogging": Good(body=x("BucketLoggingStatus")),
    "GetBucketNotificationConfiguration": Good(root="NotificationConfiguration"),
    "PutBucketNotificationConfiguration": Good(body=x("NotificationConfiguration")),
    "GetObjectLockConfiguration": Good(root="ObjectLockConfiguration", home=locked),
    "PutObjectLockConfiguration": Good(body=LOCK, home=locked),
    "GetBucketOwnershipControls": Good(root="OwnershipControls", before=config("ownershipControls", OWNERSHIP)),
    "PutBucketOwnershipControls": Good(body=OWNERSHIP),
    "DeleteBucketOwnershipControls": Good(204),
    "GetBucketPolicy": Good(before=with_policy),
    "PutBucketPolicy": Good(204, body=policy),
    "DeleteBucketPolicy": Good(204, before=with_policy),
    "GetBucketPolicyStatus": Good(root="PolicyStatus", before=with_policy, elements=("IsPublic",)),
    "GetPublicAccessBlock": Good(root="PublicAccessBlockConfiguration", before=config("publicAccessBlock", BLOCK)),
    "PutPublicAccessBlock": Good(body=BLOCK),
    "DeletePublicAccessBlock": Good(204),
    "GetBucketReplication": Good(404, root="Error"),
    "DeleteBucketReplication": Good(204),
    "GetBucketRequestPayment": Good(root="RequestPaymentConfiguration", elements=("Payer",)),
    "PutBucketRequestPayment": Good(body=x("RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>")),
    "GetBucketTagging": Good(root="Tagging", before=config("tagging", TAGS), elements=("TagSet/Tag/Key", "TagSet/Tag/Value")),
    "PutBucketTagging": Good(204, body=TAGS),
    "DeleteBucketTagging": Good(204, before=config("tagging", TAGS)),
    "GetBucketVersioning": Good(root="VersioningConfiguration", home=versioned, elements=("Status",)),
    "PutBucketVersioning": Good(body=x("VersioningConfiguration", "<Status>Enabled</Status>")),
    "GetBucketWebsite": Good(root="WebsiteConfiguration", before=config("website", WEBSITE)),
    "PutBucketWebsite": Good(body=WEBSITE),
    "DeleteBucketWebsite": Good(204, before=config("website", WEBSITE)),
    "PutObject": Good(body=b"bytes"),
    "GetObject": Good(before=put_it),
    "HeadObject": Good(before=put_it),
    "DeleteObject": Good(204, before=put_it),
    "CopyObject": Good(root="CopyObjectResult", before=put_it, more=("s3:GetObject",), headers={"x-amz-metadata-directive": "REPLACE"}, elements=("LastModified", "ETag", "ChecksumType", "ChecksumCRC64NVME")),
    "RenameObject": Good(before=lambda n: S3().put(n, "old", b"x") and None, headers={"x-amz-rename-source": "old"}, more=("s3:GetObject", "s3:DeleteObject")),
    "GetObjectAcl": Good(root="AccessControlPolicy", before=put_it, elements=("Owner/ID", "AccessControlList/Grant/Permission")),
    "PutObjectAcl": Good(body=ACL, home=owned_by_writers, before=put_it),
    "GetObjectAttributes": Good(root="GetObjectAttributesResponse", before=put_it, headers={"x-amz-object-attributes": "ETag,ObjectSize,StorageClass"}, more=("s3:GetObject",), elements=("ETag", "ObjectSize", "StorageClass")),
    "GetObjectLegalHold": Good(root="LegalHold", home=locked, before=with_hold, elements=("Status",)),
    "PutObjectLegalHold": Good(home=locked, before=put_it, body=x("LegalHold", "<Status>OFF</Status>")),
    "GetObjectRetention": Good(root="Retention", home=locked, before=with_retention, elements=("Mode", "RetainUntilDate")),
    "PutObjectRetention": Good(home=locked, before=put_it, body=x("Retention", "<Mode>GOVERNANCE</Mode><RetainUntilDate>%s</RetainUntilDate>" % days_ahead(1))),
    "GetObjectTagging": Good(root="Tagging", before=with_tags, elements=("TagSet/Tag/Key", "TagSet/Tag/Value")),
    "PutObjectTagging": Good(before=put_it, body=TAGS),
    "DeleteObjectTagging": Good(204, before=with_tags),
    "CreateMultipartUpload": Good(root="InitiateMultipartUploadResult", elements=("Bucket", "Key", "UploadId")),
    "UploadPart": Good(query={"partNumber": "1"}, before=upload_of, body=b"part"),
    "UploadPartCopy": Good(root="CopyPartResult", query={"partNumber": "1"}, more=("s3:GetObject",), before=lambda n: put_it(n) or upload_of(n), elements=("LastModified", "ETag")),
    "CompleteMultipartUpload": Good(root="CompleteMultipartUploadResult", before=begin, elements=("Location", "Bucket", "Key", "ETag", "ChecksumCRC64NVME", "ChecksumType")),
    "AbortMultipartUpload": Good(204, before=upload_of),
    "ListParts": Good(root="ListPartsResult", before=upload_of, elements=("Bucket", "Key", "UploadId", "Initiator/ID", "Owner/ID", "StorageClass", "PartNumberMarker", "NextPartNumberMarker", "MaxParts", "IsTruncated",
                      "Part/PartNumber", "Part/LastModified", "Part/ETag", "Part/Size")),
}
for _sub, _root in (("Analytics", "ListBucketAnalyticsConfigurationResult"), ("IntelligentTiering", "ListBucketIntelligentTieringConfigurationsOutput"),
                    ("Inventory", "ListInventoryConfigurationsResult"), ("Metrics", "ListMetricsConfigurationsResult")):
    GOOD["ListBucket%sConfigurations" % _sub] = Good(root=_root, elements=("IsTruncated",))
    GOOD["GetBucket%sConfiguration" % _sub] = Good(404, root="Error", query={"id": "x"})
    GOOD["DeleteBucket%sConfiguration" % _sub] = Good(404, root="Error", query={"id": "x"})


def session(*statements):
    """Keys that may do what these allow, and nothing else."""
    document = json.dumps({"Version": "2012-10-17", "Statement": [dict(st, Resource="*") for st in statements]})
    r = S3().request("GET", query={"Action": "AssumeRole", "RoleArn": "arn:aws:iam::%s:role/%s" % (OWNER, KEY), "RoleSessionName": "rows", "Policy": document}, service="sts")
    status(r, 200)
    c = r.xml.find(".//Credentials")
    return [c.findtext(e) for e in ("AccessKeyId", "SecretAccessKey", "SessionToken")]


class Case:
    """A row's good request about a bucket of its own."""

    def __init__(self, row):
        self.row, self.good = row, GOOD[row.name]
        self.bucket = None if row.level == "SERVICE" else self.good.home()
        self.key = KEY_ODD if row.level == "OBJECT" else None
        self.query, self.body = dict(row.query, **self.good.query), self.good.body
        if callable(self.body):
            self.body = self.body(self.bucket)
        made = self.good.before(self.bucket) if self.good.before else None
        if isinstance(made, tuple):
            made, self.body = made
        self.query.update(made or {})
        if row.name == "CreateBucket":
            self.body = x("CreateBucketConfiguration", "<LocationConstraint>%s</LocationConstraint>" % EU.name)

    def send(self, region=EU, keys=(KEY, SECRET, None), bucket=None, headers=None):
        bucket = bucket or self.bucket
        h = dict(self.good.headers, **(headers or {}))
        if self.row.header == "x-amz-copy-source":
            h["x-amz-copy-source"] = sigv4.path_of(bucket, KEY_ODD)
        return S3(region, keys[0], keys[1]).request(self.row.method, bucket, self.key, query=self.query, headers=h, body=self.body, token=keys[2])

    def refused(self, r, http, code, **elements):
        if self.row.method == "HEAD":
            status(r, http)
            eq("no body", r.body, b"")
        elif self.row.name == "DeleteObjects" and code == "AccessDenied" and r.status == 200:
            eq("each key", [e.text for e in r.xml.findall("Error/Code")], [code])
        else:
            error(r, http, code, **elements)

    def wire(self, r):
        """The answer as S3 writes it."""
        good = self.good
        status(r, good.status)
        for h in ("x-amz-request-id", "x-amz-id-2", "Date"):
            eq("%s once" % h, len(r.all(h)), 1)
        ok("a length, or chunks", r.get("Content-Length") is not None or r.get("Transfer-Encoding") == "chunked" or good.status == 204 or self.row.method == "HEAD", r.headers)
        if good.root is None:
            return
        eq("the kind", r.get("Content-Type"), "application/xml")
        ok("an XML declaration", r.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>'), r.body[:80])
        eq("the root", r.xml.tag, good.root)
        for path in good.elements:
            ok("%s is there" % path, r.xml.find(path) is not None, r.body)
        if good.root != "Error":
            contains("S3's namespace", r.body.decode(), '<%s xmlns="%s"' % (good.root, NS))


def cases():
    return [Case(row) for row in rows() if row.name not in APART]


def test_table_is_whole():
    """An operation that is built has a good request here."""
    names = [row.name for row in rows() if row.name not in APART]
    eq("without one, or of no row", sorted(set(names) ^ set(GOOD)), [])


def test_action_decides():
    """Whoever may do all but a row's action is refused; who may do that action and no other is served, in S3's form; by either region."""
    wrong, keys = [], {}
    for i, case in enumerate(cases()):
        home, other = (EU, US) if i % 2 else (US, EU)
        action = case.row.action
        for which, st in (("all but", ({"Effect": "Allow", "Action": "*"}, {"Effect": "Deny", "Action": action})), ("alone", ({"Effect": "Allow", "Action": [action] + list(case.good.more)},))):
            keys.setdefault((which, action, case.good.more), None)
            if keys[which, action, case.good.more] is None:
                keys[which, action, case.good.more] = session(*st)
        try:
            case.refused(case.send(home, keys["all but", action, case.good.more]), 403, "AccessDenied")
            case.wire(case.send(other, keys["alone", action, case.good.more]))
        except Failed as e:
            wrong.append("%s: %s" % (case.row.name, e))
    ok("what is otherwise:\n" + "\n".join(wrong), not wrong)


def test_missing_bucket():
    """404 NoSuchBucket, which names it."""
    wrong = []
    for i, case in enumerate(cases()):
        if case.bucket is None or case.row.name == "CreateBucket":
            continue
        none = "t-" + secrets.token_hex(8)
        try:
            case.refused(case.send((EU, US)[i % 2], bucket=none), 404, "NoSuchBucket", BucketName=none)
        except Failed as e:
            wrong.append("%s: %s" % (case.row.name, e))
    ok("what is otherwise:\n" + "\n".join(wrong), not wrong)


def test_expected_owner():
    """x-amz-expected-bucket-owner: another's is 403, and nothing happens; the owner's is as none."""
    wrong = []
    for i, case in enumerate(cases()):
        if case.bucket is None or case.row.name == "CreateBucket":
            continue
        region = (EU, US)[i % 2]
        try:
            r = case.send(region, headers={"x-amz-expected-bucket-owner": OWNER2})
            status(r, 403)
            if case.row.method != "HEAD":
                error(r, 403, "AccessDenied")
            status(case.send(region, headers={"x-amz-expected-bucket-owner": OWNER}), case.good.status)
        except Failed as e:
            wrong.append("%s: %s" % (case.row.name, e))
    ok("what is otherwise:\n" + "\n".join(wrong), not wrong)


if __name__ == "__main__":
    main()
