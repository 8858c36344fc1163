#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetBucketPolicyStatus: does the policy make the bucket public."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403



def put(n, **more):
    one = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::%s/*" % n}
    one.update(more)
    status(S3(EU).request("PUT", n, query="policy", body=json.dumps({"Version": "2012-10-17", "Statement": [one]}).encode()), 204)


def is_public(n, region):
    r = S3(region).request("GET", n, query="policyStatus")
    status(r, 200)
    eq("root", r.xml.tag, "PolicyStatus")
    return r.text("IsPublic")


def test_public_or_not():
    n = bucket(EU)
    for more, want in (
            ({}, "true"),
            ({"Effect": "Deny"}, "false"),
            ({"Principal": {"AWS": "arn:aws:iam::%s:root" % OWNER2}}, "false"),
            ({"Principal": {"AWS": "*"}}, "true"),
            ({"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}, "false"),
            ({"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}}, "true")):
        put(n, **more)
        for region in (EU, US):
            eq("%s at %s" % (more, region), is_public(n, region), want)


def test_none():
    """Without a policy: NoSuchBucketPolicy."""
    n = bucket(US)
    for region in (EU, US):
        error(S3(region).request("GET", n, query="policyStatus"), 404, "NoSuchBucketPolicy", BucketName=n)


def test_missing():
    n = "t-" + secrets.token_hex(8)
    error(S3(US).request("GET", n, query="policyStatus"), 404, "NoSuchBucket", BucketName=n)


def test_refused():
    n = bucket(EU)
    put(n)
    error(S3(EU, KEY2, SECRET2).request("GET", n, query="policyStatus"), 403, "AccessDenied")
    error(S3(US).send("GET", "/%s?policyStatus" % n), 403, "AccessDenied")


def test_wire():
    n = bucket(EU)
    put(n)
    r = S3(US).request("GET", n, query="policyStatus")
    ok("as S3 writes it", re.fullmatch(rb'<\?xml version="1.0" encoding="UTF-8"\?>\s*<PolicyStatus xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsPublic>true</IsPublic></PolicyStatus>\s*', r.body), r.body)
    eq("Content-Type", r.get("Content-Type"), "application/xml")


if __name__ == "__main__":
    main()
