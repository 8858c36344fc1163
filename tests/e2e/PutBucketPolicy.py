#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutBucketPolicy: in any region; every region knows when the 204 arrives."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403

import base64  # noqa: E402


def statement(n, **more):
    st = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::%s/*" % n}
    st.update(more)
    return {k: v for k, v in st.items() if v is not None}


def policy(n, **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [statement(n, **more)]}).encode()


def put(s3, n, document, **kw):
    return s3.request("PUT", n, query="policy", body=document, **kw)


def get(s3, n):
    return s3.request("GET", n, query="policy")


def test_everywhere_at_once():
    """Put through either region, a bucket of either: the next request anywhere sees it, ten times to and fro."""
    for home in (EU, US):
        n = bucket(home)
        S3(home).put(n, "k", b"x")
        for i in range(5):
            for via in (EU, US):
                r = put(S3(via), n, policy(n))
                status(r, 204)
                eq("no body", r.body, b"")
                eq("the public reads, in each region", [S3(x).send("GET", "/%s/k" % n).status for x in (EU, US)], [200, 200])
                status(put(S3(via), n, policy(n, Effect="Deny", Action="s3:PutObject")), 204)
                eq("and no more", [S3(x).send("GET", "/%s/k" % n).status for x in (EU, US)], [403, 403])


def test_byte_for_byte():
    """The document comes back as it was given: blanks, order, escapes, letters of all kinds; up to 20 KB."""
    n = bucket(EU)
    odd = '{ "Statement" :\n[{"Resource":["arn:aws:s3:::%s/\\u00e9 \\"x\\" %%2F+&<>/ü/日本/*"],\r\n\t"Sid":"a \\\\ b","Principal":{"AWS":"*"},"Effect":"Allow","Action":["s3:GetObject"]}],"Version":"2012-10-17","Id":"\U0001f98a"}  \n' % n
    document = odd.encode()
    full = policy(n)
    full += b" " * (20480 - len(full))
    for d in (document, full):
        for via in (EU, US):
            status(put(S3(via), n, d), 204)
            for region in (EU, US):
                eq("the document", get(S3(region), n).body, d)
    error(put(S3(EU), n, full + b" "), 400, "MalformedPolicy")
    error(put(S3(EU), n, b"{" * 1000000), 400, "EntityTooLarge")
    eq("what was refused changed nothing", get(S3(US), n).body, full)


def test_odd_key_in_resource():
    """Resources are compared with keys as they are, whatever letters they have."""
    n = bucket(EU)
    for key in ("ü/日本", 'a b+c%2F"d', "with\\backslash", "x" * 1000):
        status(put(S3(EU), n, json.dumps(json.loads(policy(n, Resource="arn:aws:s3:::%s/%s" % (n, key))), ensure_ascii=False).encode()), 204)
        S3(EU).put(n, key, b"x")
        eq("public: " + key[:20], S3(US).send("GET", sigv4.path_of(n, key)).status, 200)
        S3(EU).put(n, key + "2", b"x") if len(key) < 1000 else None
        eq("not public", S3(US).send("GET", sigv4.path_of(n, key + "2")).status, 403)


def test_malformed():
    """What S3 refuses, in its words; and nothing is stored."""
    n = bucket(EU)
    for document, message in (
            (b"", "Policies must be valid JSON and the first byte must be '{'"),
            (b" {}", "Policies must be valid JSON and the first byte must be '{'"),
            (b"not json", "Policies must be valid JSON and the first byte must be '{'"),
            (policy(n)[:-1], "Policies must be valid JSON and the first byte must be '{'"),
            (b'{"a":"\xff"}', "Policies must be valid JSON and the first byte must be '{'"),
            (b"{}", "Missing required field Statement"),
            (b'{"Statement":[]}', "Could not parse the policy: Statement is empty!"),
            (b'{"Version":"2011-01-01","Statement":[]}', "The policy must contain a valid version string"),
            (b'{"Foo":1,"Statement":[]}', "Unknown field Foo"),
            (policy(n, Foo=1), "Unknown field Foo"),
            (policy(n, Effect="Maybe"), "Invalid effect: Maybe"),
            (policy(n, Principal=None), "Missing required field Principal"),
            (policy(n, Principal={"AWS": "arn:aws:s3:::x"}), "Invalid principal in policy"),
            (policy(n, Principal={"Planet": "mars"}), "Invalid principal type in policy: Planet"),
            (policy(n, Principal=None, NotPrincipal={"AWS": "arn:aws:iam::%s:root" % OWNER}), "Allow with NotPrincipal is not allowed."),
            (policy(n, Action="s3:GetObjekt"), "Policy has invalid action"),
            (policy(n, Action="ec2:RunInstances"), "Policy has invalid action"),
            (policy(n, Resource="arn:aws:s3:::%s-other/*" % n), "Policy has invalid resource"),
            (policy(n, Resource="*"), "Policy has invalid resource"),
            (policy(n, Resource="arn:aws:s3:::%s" % n), "Action does not apply to any resource(s) in statement"),
            (policy(n, Condition={"StringIsh": {"aws:username": "x"}}), "Invalid Condition type : StringIsh"),
            (policy(n, Condition={"StringEquals": {"username": "x"}}), "Policy has an invalid condition key")):
        r = put(S3(US), n, document)
        error(r, 400, "MalformedPolicy", Message=message)
    error(get(S3(EU), n), 404, "NoSuchBucketPolicy")


def test_digests():
    """Content-MD5 and checksums are held to; a wrong one stores nothing."""
    n = bucket(EU)
    d = policy(n)
    md5 = base64.b64encode(hashlib.md5(d).digest()).decode()
    status(put(S3(EU), n, d, headers={"Content-MD5": md5}), 204)
    status(put(S3(US), n, d, headers={"x-amz-checksum-sha256": sigv4.checksum("sha256", d), "x-amz-sdk-checksum-algorithm": "SHA256"}), 204)
    other = policy(n, Effect="Deny")
    error(put(S3(EU), n, other, headers={"Content-MD5": md5}), 400, "BadDigest")
    error(put(S3(EU), n, other, headers={"Content-MD5": "nonsense"}), 400, "InvalidDigest")
    error(put(S3(EU), n, other, headers={"x-amz-checksum-crc32": sigv4.checksum("crc32", d)}), 400, "BadDigest")
    error(put(S3(EU), n, other, payload=hashlib.sha256(d).hexdigest()), 400, "XAmzContentSHA256Mismatch")
    eq("the first one stays", get(S3(US), n).body, d)


def test_refused():
    """Another tenant and the public: 403; with the policy's leave 405, as S3 has it. Nobody takes a bucket from its owner."""
    n = bucket(EU)
    S3(EU).put(n, "k", b"x")
    theirs, mine = S3(EU, KEY2, SECRET2), policy(n, Action="s3:*", Resource=["arn:aws:s3:::" + n, "arn:aws:s3:::%s/*" % n])
    error(put(theirs, n, policy(n)), 403, "AccessDenied")
    error(S3(US).send("PUT", "/%s?policy" % n, body=policy(n)), 403, "AccessDenied")
    error(put(S3(EU, KEY, "wrong"), n, policy(n)), 403, "SignatureDoesNotMatch")
    error(put(S3(EU), n, policy(n), headers={"x-amz-expected-bucket-owner": OWNER2}), 403, "AccessDenied")
    status(put(S3(EU), n, mine), 204)
    eq("they may read", theirs.get(n, "k").status, 200)
    for s3 in (theirs, theirs.at(US)):
        r = put(s3, n, policy(n))
        error(r, 405, "MethodNotAllowed", Method="PUT", ResourceType="BUCKETPOLICY")
    error(S3(US).send("PUT", "/%s?policy" % n, body=policy(n)), 405, "MethodNotAllowed")
    eq("unchanged", get(S3(EU), n).body, mine)


def test_no_lock_out():
    """A policy that denies everything to everyone: its owner can still change it."""
    n = bucket(EU)
    both = ["arn:aws:s3:::" + n, "arn:aws:s3:::%s/*" % n]
    status(put(S3(EU), n, policy(n, Effect="Deny", Action="s3:*", Resource=both), headers={"x-amz-confirm-remove-self-bucket-access": "true"}), 204)
    error(S3(EU).request("PUT", n, "k", body=b"x"), 403, "AccessDenied")
    error(S3(US).request("DELETE", n), 403, "AccessDenied")
    status(put(S3(US), n, policy(n)), 204)
    status(S3(EU).request("PUT", n, "k", body=b"x"), 200)


def test_missing():
    n = "t-" + secrets.token_hex(8)
    for region in (EU, US):
        error(put(S3(region), n, policy(n)), 404, "NoSuchBucket", BucketName=n)


def test_made_again():
    """A bucket that is deleted and made again has no policy; a policy names its own bucket only."""
    n = bucket(EU)
    status(put(S3(US), n, policy(n)), 204)
    status(S3(EU).request("DELETE", n), 204)
    status(S3(EU).request("PUT", n, body=b"<CreateBucketConfiguration><LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>" % US.name.encode()), 200)
    for region in (EU, US):
        error(get(S3(region), n), 404, "NoSuchBucketPolicy", BucketName=n)
    status(S3(EU).request("DELETE", n), 204)


def test_chunked_body():
    """A body of unknown length is taken where the web server counts it; else 501 is S3's answer, too."""
    n = bucket(EU)
    d = policy(n)
    r = S3(EU).request("PUT", n, query="policy", body=iter([d[:50], d[50:]]))
    ok("stored or 501", r.status in (204, 501), r)
    if r.status == 204:
        eq("as given", get(S3(US), n).body, d)


def test_wire():
    n = bucket(EU)
    r = put(S3(EU), n, policy(n))
    eq("status and body", (r.status, r.body, r.get("Content-Length", "0")), (204, b"", "0"))
    eq("no Content-Type", r.get("Content-Type"), None)
    eq("the bucket's region", r.get("x-amz-bucket-region"), EU.name)


def test_clients():
    """boto3 and the AWS CLI: put, get, status, delete, in the other region."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError
    n = bucket(EU)
    c = boto3.client("s3", endpoint_url=US.endpoint, region_name=US.name, aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                     config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}))
    d = policy(n).decode()
    c.put_bucket_policy(Bucket=n, Policy=d, ConfirmRemoveSelfBucketAccess=True)
    eq("boto3 reads", c.get_bucket_policy(Bucket=n)["Policy"], d)
    eq("boto3: public", c.get_bucket_policy_status(Bucket=n)["PolicyStatus"]["IsPublic"], True)
    c.delete_bucket_policy(Bucket=n)
    try:
        c.get_bucket_policy(Bucket=n)
        fail("it is there still")
    except ClientError as e:
        eq("boto3: none", e.response["Error"]["Code"], "NoSuchBucketPolicy")
    f = os.path.join(temp_dir(), "policy.json")
    open(f, "w").write(d)

    def aws(*args):
        return run("/usr/bin/aws", "--endpoint-url", US.endpoint, "--region", US.name, "--output", "json", "s3api", *args, "--bucket", n,
                   env={"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}).out

    aws("put-bucket-policy", "--policy", "file://" + f)
    eq("the CLI reads", json.loads(aws("get-bucket-policy"))["Policy"], d)
    eq("the CLI: public", json.loads(aws("get-bucket-policy-status"))["PolicyStatus"]["IsPublic"], True)
    aws("delete-bucket-policy")
    error(get(S3(EU), n), 404, "NoSuchBucketPolicy")


def test_operators_see_it():
    """What a client puts, `bucket show` shows; what an operator sets, a client gets."""
    n = bucket(EU)
    status(put(S3(US), n, policy(n)), 204)
    eq("shown", find_field(admin_json(EU, "bucket", "show", n), "policy"), json.loads(policy(n)))
    f = os.path.join(temp_dir(), "policy.json")
    d = policy(n, Effect="Deny")
    open(f, "wb").write(d)
    admin(US, "bucket", "policy", n, "--document", f)
    eq("got", json.loads(get(S3(EU), n).body), json.loads(d))
    open(f, "wb").write(policy(n, Action="s3:Nothing"))
    p = admin(US, "bucket", "policy", n, "--document", f, check=False)
    ok("an operator is told the same", p.returncode != 0 and "invalid action" in p.err, p.err)


if __name__ == "__main__":
    main()
