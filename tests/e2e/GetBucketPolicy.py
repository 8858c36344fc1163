#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetBucketPolicy: answered anywhere from metadata."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403



def policy(n):
    return b'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::%s"}]}' % (OWNER2.encode(), n.encode())


def get(s3, n, **kw):
    return s3.request("GET", n, query="policy", **kw)


def test_anywhere():
    """None, then one, then none; the same in each region."""
    n = bucket(US)
    for region in (EU, US):
        error(get(S3(region), n), 404, "NoSuchBucketPolicy", BucketName=n)
    status(S3(EU).request("PUT", n, query="policy", body=policy(n)), 204)
    for region in (EU, US):
        r = get(S3(region), n)
        status(r, 200)
        eq("the document", r.body, policy(n))
    status(S3(EU).request("DELETE", n, query="policy"), 204)
    for region in (EU, US):
        error(get(S3(region), n), 404, "NoSuchBucketPolicy", BucketName=n)


def test_missing():
    n = "t-" + secrets.token_hex(8)
    for region in (EU, US):
        error(get(S3(region), n), 404, "NoSuchBucket", BucketName=n)


def test_refused():
    """Another tenant whom the policy lets list may not read the policy; nor the public."""
    n = bucket(EU)
    status(S3(EU).request("PUT", n, query="policy", body=policy(n)), 204)
    theirs = S3(US, KEY2, SECRET2)
    eq("they list", theirs.list(n).status, 200)
    error(get(theirs, n), 403, "AccessDenied")
    error(S3(EU).send("GET", "/%s?policy" % n), 403, "AccessDenied")
    error(get(S3(EU), n, headers={"x-amz-expected-bucket-owner": OWNER2}), 403, "AccessDenied")
    status(get(S3(EU), n, headers={"x-amz-expected-bucket-owner": OWNER}), 200)


def test_key_with_policies():
    """A key that carries policies needs their leave."""
    made = admin_json(EU, "app", "create", "demo", "e2e-get-policy")
    key, secret = find_field(made, "access_key"), find_field(made, "secret")
    name = "e2e-" + secrets.token_hex(4)
    n = bucket(EU)
    status(S3(EU).request("PUT", n, query="policy", body=policy(n)), 204)
    f = os.path.join(temp_dir(), "policy.json")
    json.dump({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetBucketPolicyStatus", "Resource": "arn:aws:s3:::" + n}]}, open(f, "w"))
    admin(EU, "policy", "create", name, "--document", f)
    admin(EU, "app", "attach", key, name)
    error(get(S3(US, key, secret), n), 403, "AccessDenied")
    status(S3(US, key, secret).request("GET", n, query="policyStatus"), 200)
    json.dump({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetBucketPolicy", "Resource": "arn:aws:s3:::" + n}]}, open(f, "w"))
    admin(US, "policy", "update", name, "--document", f)
    status(get(S3(EU, key, secret), n), 200)
    admin(EU, "app", "delete", key, "--yes")
    admin(EU, "policy", "delete", name, "--yes")


def test_wire():
    n = bucket(EU)
    status(S3(EU).request("PUT", n, query="policy", body=policy(n)), 204)
    r = get(S3(EU), n, headers={"Range": "bytes=0-9"})
    eq("whole, whatever Range says", (r.status, r.body), (200, policy(n)))
    eq("Content-Type", r.get("Content-Type"), "application/json")
    eq("Content-Length", r.get("Content-Length"), str(len(policy(n))))
    host = "%s.%s:%d" % (n, EU.domain, EU.port)
    eq("virtual-host style", S3(EU).request("GET", target="/?policy", host=host).body, policy(n))
    error(S3(EU).request("POST", n, query="policy"), 405, "MethodNotAllowed")


if __name__ == "__main__":
    main()
