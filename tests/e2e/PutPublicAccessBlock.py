#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutPublicAccessBlock: in any region; every region knows when it returns."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind('publicAccessBlock', "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls><BlockPublicPolicy>TRUE</BlockPublicPolicy></PublicAccessBlockConfiguration>", 'NoSuchPublicAccessBlockConfiguration', 200)


def test_everywhere_at_once():
    """Put through either region, a bucket of either."""
    KIND.check_put()


def test_refused():
    """Nobody but the owner, and nothing is stored."""
    KIND.check_refused("PUT")


def test_malformed():
    """What S3 refuses as MalformedXML."""
    KIND.check_malformed("<PublicAccessBlockConfiguration><BlockPublicAcls>yes</BlockPublicAcls></PublicAccessBlockConfiguration>")

def public(n):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                                                               "Resource": "arn:aws:s3:::%s/*" % n}]}).encode()


def block(what):
    return ("<PublicAccessBlockConfiguration><%s>true</%s></PublicAccessBlockConfiguration>" % (what, what)).encode()


def test_public_policies():
    """BlockPublicPolicy refuses a public policy; RestrictPublicBuckets lets nobody in by one that is there."""
    n = bucket(EU)
    S3(EU).put(n, "k", b"x")
    status(KIND.put(n, block("BlockPublicPolicy")), 200)
    for region in (EU, US):
        error(S3(region).request("PUT", n, query="policy", body=public(n)), 403, "AccessDenied")
    status(KIND.put(n, block("RestrictPublicBuckets")), 200)
    status(S3(EU).request("PUT", n, query="policy", body=public(n)), 204)
    for region in (EU, US):
        eq("nobody", S3(region).send("GET", "/%s/k" % n).status, 403)
        eq("nor another tenant", S3(region, KEY2, SECRET2).get(n, "k").status, 403)
        eq("but the owner", S3(region).get(n, "k").status, 200)
    status(KIND.delete(n), 204)
    eq("the policy holds again", S3(US).send("GET", "/%s/k" % n).status, 200)


if __name__ == "__main__":
    main()
