#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PostObject: an object from a browser's form, signed by its policy, or anonymous where the bucket allows it."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403

from forms import *  # noqa: E402,F403


def test_put():
    """Signed for and sent to either region; small and large; bytes, type and metadata as asked; 204 and Location."""
    n = bucket(EU)
    for via, scope, size in ((EU, EU, 0), (EU, EU, 100), (EU, EU, 16384), (EU, EU, 16385), (EU, EU, 1000003), (US, EU, 500000), (US, US, 300)):
        data = random_bytes(size, size)
        fields = [("key", "dir/${filename}"), ("Content-Type", "text/x-thing"), ("x-amz-meta-color", "blue"), ("Cache-Control", "no-cache")]
        r = post(n, form(n, fields, [{"bucket": n}, ["starts-with", "$key", "dir/"], {"content-type": "text/x-thing"}, ["eq", "$x-amz-meta-color", "blue"], {"cache-control": "no-cache"}], region=scope.name), data, via, filename="%d.bin" % size)
        status(r, 204)
        eq("ETag", r.get("ETag"), '"%s"' % hashlib.md5(data).hexdigest())
        contains("Location", r.get("Location", ""), "/dir/%d.bin" % size)
        g = S3().get(n, "dir/%d.bin" % size)
        status(g, 200)
        ok("bytes equal", g.body == data)
        eq("headers", (g.get("Content-Type"), g.get("x-amz-meta-color"), g.get("Cache-Control")), ("text/x-thing", "blue", "no-cache"))


def test_tags():
    """The field "tagging" is a document; who signed must be allowed to put tags."""
    n = bucket(EU)
    doc = "<Tagging><TagSet><Tag><Key>b</Key><Value>x @ y</Value></Tag><Tag><Key>a</Key><Value></Value></Tag></TagSet></Tagging>"
    fields = [("key", "k"), ("tagging", doc)]
    status(post(n, form(n, fields, [{"bucket": n}, {"key": "k"}, ["starts-with", "$tagging", ""]])), 204)
    eq("tags", tags_of(n), [("a", ""), ("b", "x @ y")])
    error(post(n, form(n, [("key", "k"), ("tagging", "<Other/>")])), 400, "MalformedXML")
    error(post(n, form(n, [("key", "k"), ("tagging", doc.replace("<Key>a<", "<Key>b<"))])), 400, "InvalidTag")
    allow(n, "s3:PutObject")
    error(post(n, fields), 403, "AccessDenied")
    allow(n, ["s3:PutObject", "s3:PutObjectTagging"], {"StringEquals": {"s3:RequestObjectTag/b": "x @ y"}})
    status(post(n, fields, via=US), 204)
    error(post(n, [("key", "k"), ("tagging", doc.replace("x @ y", "z"))]), 403, "AccessDenied")


def test_boto3():
    """As an application makes it: boto3's generate_presigned_post."""
    import boto3
    from botocore.config import Config
    n = bucket(EU)
    c = boto3.client("s3", region_name=EU.name, endpoint_url=EU.endpoint, aws_access_key_id=KEY, aws_secret_access_key=SECRET, config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
    p = c.generate_presigned_post(n, "up/${filename}", Fields={"acl": "bucket-owner-full-control", "success_action_status": "201"},
                                  Conditions=[{"acl": "bucket-owner-full-control"}, {"success_action_status": "201"}, ["content-length-range", 1, 1000]])
    r = post(n, list(p["fields"].items()), b"from boto3", filename="a b.txt")
    status(r, 201)
    eq("Key", r.text("Key"), "up/a b.txt")
    eq("Bucket", r.text("Bucket"), n)
    eq("Location", r.text("Location"), r.get("Location"))
    contains("Location", r.text("Location"), "/%s/up/a%%20b.txt" % n)
    eq("ETag", r.text("ETag"), '"%s"' % hashlib.md5(b"from boto3").hexdigest())
    eq("bytes", S3().get(n, "up/a b.txt").body, b"from boto3")


def test_success_action():
    """success_action_status 200, 201, 204 and others; success_action_redirect."""
    n = bucket(EU)
    for word, want in (("200", 200), ("204", 204), ("201", 201), ("404", 204), ("", 204)):
        r = post(n, form(n, [("key", "k"), ("success_action_status", word)]))
        status(r, want)
        eq("body", bool(r.body), want == 201)
    etag = "%%22%s%%22" % hashlib.md5(b"hello").hexdigest()
    for url, mark in (("http://example.com/done", "?"), ("https://example.com/done?a=b", "&")):
        r = post(n, form(n, [("key", "a b&c"), ("success_action_redirect", url)]))
        status(r, 303)
        eq("Location", r.get("Location"), "%s%sbucket=%s&key=a%%20b%%26c&etag=%s" % (url, mark, n, etag))
    status(post(n, form(n, [("key", "k"), ("success_action_redirect", "javascript:alert(1)")])), 204)
    status(post(n, form(n, [("key", "k"), ("redirect", "http://example.com/")])), 303)


def test_conditions():
    """Each kind of condition, met and not."""
    n = bucket(EU)
    base = [{"bucket": n}]

    def one(fields, conditions, data=b"hello"):
        return post(n, form(n, fields, base + conditions), data)
    status(one([("key", "user/a")], [["starts-with", "$key", "user/"]]), 204)
    error(one([("key", "other/a")], [["starts-with", "$key", "user/"]]), 403, "AccessDenied")
    error(one([("key", "a")], [["eq", "$key", "b"]]), 403, "AccessDenied")
    error(one([("key", "a"), ("x-amz-meta-x", "1")], [{"key": "a"}]), 403, "AccessDenied")
    status(one([("key", "a"), ("x-ignore-x", "1")], [{"key": "a"}]), 204)
    error(one([("key", "a")], [{"key": "a"}, ["starts-with", "$x-amz-meta-must", "x"]]), 403, "AccessDenied")
    status(one([("KEY", "a"), ("Content-TYPE", "image/png")], [["StArTs-WiTh", "$kEy", ""], ["starts-with", "$Content-Type", "image/"]]), 204)
    error(post(n, form(n, [("key", "a")], [{"key": "a"}])), 403, "AccessDenied")
    r = one([("key", "a")], [{"key": "b"}])
    contains("the reason", r.text("Message"), 'Policy Condition failed: ["eq", "$key", "b"]')
    range_ = [{"key": "a"}, ["content-length-range", 10, 100000]]
    status(one([("key", "a")], range_, b"x" * 10), 204)
    status(one([("key", "a")], range_, b"x" * 100000), 204)
    error(one([("key", "a")], range_, b"x" * 9), 400, "EntityTooSmall", ProposedSize="9", MinSizeAllowed="10")
    error(one([("key", "a")], range_, b"x" * 100001), 400, "EntityTooLarge", MaxSizeAllowed="100000", ProposedSize=None)
    eq("the last that was accepted", len(S3().get(n, "a").body), 100000)


def test_policy_refused():
    n = bucket(EU)
    f = [("key", "k")]
    r = post(n, form(n, f, expires=-60))
    error(r, 403, "AccessDenied")
    contains("the reason", r.text("Message"), "Policy expired")
    for conditions in ([{}], [{"bucket": n, "key": "k"}], ["x"], [["content-length-range", -1, 0]], [["content-length-range", 0]], [["ends-with", "$key", "k"]]):
        error(post(n, form(n, f, conditions)), 400, "InvalidPolicyDocument")
    when = sigv4.now_text()
    for text in (b"no json", b"{}", b'{"expiration": "2099-01-01T00:00:00Z"}', b'{"conditions": []}', b'{"expiration": "x", "conditions": []}'):
        policy = base64.b64encode(text).decode()
        sig = hmac.new(sigv4.signing_key(SECRET, when[:8], EU.name), policy.encode(), hashlib.sha256).hexdigest()
        error(post(n, form(n, f, policy=policy, x_amz_signature=sig)), 400, "InvalidPolicyDocument")
    eq("nothing is left", S3().keys(n), [])


def test_signature_refused():
    """A wrong signature, an unknown key, another region, a field that is not there, versions 2: nothing is stored."""
    n = bucket(EU)
    f = [("key", "k")]
    for via in (EU, US):
        error(post(n, form(n, f, secret="wrong"), via=via), 403, "SignatureDoesNotMatch", AWSAccessKeyId=KEY, StringToSign=None, SignatureProvided=None)
        error(post(n, form(n, f, key="AKIANOTHERE000000000"), via=via), 403, "InvalidAccessKeyId")
    error(post(n, form(n, f, region="mars")), 400, "AuthorizationQueryParametersError", Region=EU.name)
    other = form(n, [("key", "other")])
    error(post(n, form(n, f, policy=dict(other)["policy"])), 403, "SignatureDoesNotMatch")
    for gone in ("policy", "x-amz-signature", "x-amz-date", "x-amz-credential", "x-amz-algorithm"):
        error(post(n, form(n, f, **{gone.replace("-", "_"): None})), 400, "InvalidArgument")
    error(post(n, form(n, f, x_amz_algorithm="AWS4-HMAC-SHA1")), 400, "AuthorizationQueryParametersError")
    error(post(n, form(n, f, now=time.time() - 9 * 86400, expires=10 * 86400)), 403, "AccessDenied")
    r = post(n, f + [("AWSAccessKeyId", KEY), ("policy", "e30="), ("signature", "AAAA")])
    error(r, 400, "InvalidRequest")
    contains("the way out", r.text("Message"), "AWS4-HMAC-SHA256")
    eq("nothing is left", S3().keys(n), [])


def test_refused():
    """Who may not put may not post: another tenant, nobody; and a policy by whom it was signed."""
    n = bucket(EU)
    f = [("key", "k")]
    for via in (EU, US):
        error(post(n, form(n, f, key=KEY2, secret=SECRET2), via=via), 403, "AccessDenied")
        error(post(n, f, via=via), 403, "AccessDenied")
    eq("nothing is left", S3().keys(n), [])
    missing = "t-" + secrets.token_hex(8)
    error(post(missing, form(missing, f)), 404, "NoSuchBucket", BucketName=missing)


def test_anonymous():
    """Where the bucket's policy lets everybody put, a form needs no policy of its own."""
    n = bucket(EU)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::%s/open/*" % n}]})
    status(S3().request("PUT", n, query={"policy": None}, body=policy.encode()), 204)
    for via in (EU, US):
        status(post(n, [("key", "open/${filename}"), ("Content-Type", "text/plain")], via=via), 204)
        error(post(n, [("key", "closed")], via=via), 403, "AccessDenied")
    eq("what is there", S3().keys(n), ["open/f.txt"])


def test_malformed():
    n = bucket(EU)
    f = form(n, [("key", "k")])
    error(S3().send("POST", "/" + n, {"Content-Type": "application/x-www-form-urlencoded"}, b"a=b"), 412, "PreconditionFailed", Condition=None)
    error(S3().send("POST", "/" + n, {"Content-Type": "multipart/form-data"}, b"a=b"), 400, "MalformedPOSTRequest")
    error(post(n, f, file=False), 400, "InvalidArgument", ArgumentName="file")
    error(post(n, form(n, [("x-ignore-key", "k")])), 400, "InvalidArgument", ArgumentName="key")
    error(post(n, [("key", "a"), ("key", "b")]), 400, "InvalidArgument", ArgumentName="Field")
    error(post(n, [("key", "a"), ("x-amz-meta-a", "x" * 21000)]), 400, "MaxPostPreDataLengthExceeded")
    error(post(n, form(n, [("key", "k" * 1025)])), 400, "KeyTooLongError", MaxSizeAllowed="1024")
    whole = body_of(f)
    error(S3().send("POST", "/" + n, {"Content-Type": "multipart/form-data; boundary=" + BOUNDARY}, whole[:-len(BOUNDARY) - 8]), 400, "MalformedPOSTRequest")
    error(S3().send("POST", "/" + n, {"Content-Type": "multipart/form-data; boundary=" + BOUNDARY}, b""), 400, "MalformedPOSTRequest")
    eq("nothing is left", S3().keys(n), [])


def test_odd_key():
    n = bucket(EU)
    for key in ("a b+c%2F//./d\u00e9\U0001f600&<>'\"", "/lead", "\\$x", "${x}"):
        status(post(n, form(n, [("key", key)]), key.encode()), 204)
        eq("read back", S3(EU).get(n, key).body, key.encode())
    r = post(n, form(n, [("key", "dir/${filename}"), ("success_action_status", "201")], [{"bucket": n}, ["starts-with", "$key", "dir/"], {"success_action_status": "201"}]), filename="C:\\a\\b\u00e9.txt")
    status(r, 201)
    eq("Key", r.text("Key"), "dir/b\u00e9.txt")


def test_checksum():
    """Content-MD5 and a checksum in the form are held against the file."""
    n = bucket(EU)
    md5 = base64.b64encode(hashlib.md5(b"hello").digest()).decode()
    status(post(n, form(n, [("key", "k"), ("Content-MD5", md5), ("x-amz-checksum-sha256", sigv4.checksum("sha256", b"hello"))])), 204)
    error(post(n, form(n, [("key", "bad"), ("Content-MD5", md5)]), b"other"), 400, "BadDigest")
    error(post(n, form(n, [("key", "bad"), ("x-amz-checksum-crc32", sigv4.checksum("crc32", b"hello"))]), b"other"), 400, "BadDigest")
    eq("what is left", S3().keys(n), ["k"])


def test_chunked_transfer():
    """A form whose length nobody told before."""
    n = bucket(EU)
    data = random_bytes(300001, 4)
    whole = body_of(form(n, [("key", "k")]), data)
    pieces = [whole[i:i + 50000] for i in range(0, len(whole), 50000)]
    for via in (EU, US):
        status(S3(via).send("POST", "/" + n, {"Content-Type": "multipart/form-data; boundary=" + BOUNDARY}, iter(pieces)), 204)
        ok("bytes equal", S3().get(n, "k").body == data)
        status(S3().delete(n, "k"), 204)


def test_short_body():
    """The browser goes away in the middle of the file: nothing is left."""
    n = bucket(EU)
    whole = body_of(form(n, [("key", "k")]), b"x" * 200000)
    head = "POST /%s HTTP/1.1\r\nHost: %s\r\nContent-Type: multipart/form-data; boundary=%s\r\nContent-Length: %d\r\n\r\n" % (n, EU.netloc, BOUNDARY, len(whole))
    raw(EU, head.encode() + whole[:100000], half_close=True, timeout=30)
    eq("nothing is left", S3().keys(n), [])


def size_of(path):
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def test_memory():
    """A large form streams: the workers do not grow with it; and one that is refused leaves nothing."""
    n = bucket(EU)
    data = random_bytes(48 << 20, 7)
    f = form(n, [("key", "large")])

    def peak():
        out = 0
        for p in os.listdir("/proc"):
            try:
                if p.isdigit() and b"anvil-s3.fcgi" in open("/proc/%s/cmdline" % p, "rb").read() and EU.dir in open("/proc/%s/cmdline" % p).read():
                    out = max([out] + [int(x.split()[1]) for x in open("/proc/%s/status" % p) if x.startswith("VmHWM:")])
            except OSError:
                pass
        return out
    post(n, form(n, [("key", "small")]))
    before = peak()
    status(post(n, f, data), 204)
    ok("the workers did not grow", before == 0 or peak() - before < 24 << 10, (before, peak()))
    ok("bytes equal", S3().get(n, "large").body == data)
    large = (9 << 20) + 77  # nobody else's size: other tests store objects meanwhile
    error(post(n, form(n, [("key", "bad"), ("x-amz-checksum-crc32", "AAAAAA==")]), data[:large]), 400, "BadDigest")
    error(post(n, form(n, [("key", "bad")], secret="wrong"), data[:large], via=US), 403, "SignatureDoesNotMatch")
    left = [f for d, _, names in os.walk(os.path.join(EU.dir, "blobs")) for f in (os.path.join(d, x) for x in names) if size_of(f) == large]
    eq("no file is left", left, [])
    eq("keys", S3().keys(n), ["large", "small"])


def test_checksum_without_condition():
    """Who signs the policy does not know the file: its checksum needs no condition."""
    n = bucket(EU)
    for value, want in ((sigv4.checksum("sha256", b"hello"), 204), (sigv4.checksum("sha256", b"other"), 400), ("no checksum", 400)):
        status(post(n, form(n, [("key", "k"), ("x-amz-checksum-sha256", value)], [{"bucket": n}, {"key": "k"}])), want)


def test_redirected():
    """Where a bucket's requests are redirected, a form is sent on before its file is taken."""
    if len(REGIONS) < 2:
        skip("one region")
    n = bucket(EU)
    admin(EU, "bucket", "routing", n, "redirect")
    f = form(n, [("key", "k")])
    r = post(n, f, via=US)
    error(r, 307, "TemporaryRedirect", Region=EU.name)
    eq("Location", r.get("Location"), "%s/%s" % (EU.endpoint, n))
    status(post(n, f), 204)


def test_boundary_in_the_file():
    """Bytes that look like a delimiter, cut over the reader's pieces, are the file's."""
    n = bucket(EU)
    data = (b"\r\n--" + BOUNDARY[:-1].encode() + b"\r\n--\r" + b"x" * 1001) * 300
    status(post(n, form(n, [("key", "k")]), data), 204)
    ok("bytes equal", S3().get(n, "k").body == data)


def test_signed_header():
    """A form is signed by its fields; a signature in the header beside it is refused."""
    n = bucket(EU)
    b = body_of([("key", "k")])
    r = S3().request("POST", n, body=b, headers={"content-type": "multipart/form-data; boundary=" + BOUNDARY})
    error(r, 400, "InvalidRequest")
    eq("nothing is left", S3().keys(n), [])


if __name__ == "__main__":
    main()
