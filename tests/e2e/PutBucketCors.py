#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutBucketCors: in any region; every region knows when it returns."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind('cors', "<CORSConfiguration><CORSRule><ID>one</ID><AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>300</MaxAgeSeconds></CORSRule></CORSConfiguration>", 'NoSuchCORSConfiguration', 200)


def test_everywhere_at_once():
    """Put through either region, a bucket of either."""
    KIND.check_put()


def test_refused():
    """Nobody but the owner, and nothing is stored."""
    KIND.check_refused("PUT")


def test_malformed():
    """What S3 refuses as MalformedXML."""
    KIND.check_malformed("<CORSConfiguration/>", "<CORSConfiguration><CORSRule/></CORSConfiguration>")


def rule(**more):
    parts = {"AllowedOrigin": "*", "AllowedMethod": "GET"}
    parts.update(more)
    return "<CORSRule>%s</CORSRule>" % "".join("<%s>%s</%s>" % (k, v, k) for k, v in parts.items())


def test_rules():
    """What a rule may not say, in S3's words; 100 rules are taken, 101 are not."""
    n = bucket(EU)
    for one, code, part in ((rule(AllowedMethod="PATCH"), "InvalidRequest", "Unsupported method is PATCH"),
                            (rule(AllowedMethod="get"), "InvalidRequest", "Unsupported method is get"),
                            (rule(AllowedOrigin="http://*.*"), "InvalidRequest", "can not have more than one wildcard"),
                            (rule(AllowedHeader="a*b*"), "InvalidRequest", "can not have more than one wildcard"),
                            (rule(ExposeHeader="x-*"), "InvalidRequest", "contains wildcard"),
                            (rule(ID="x" * 256), "InvalidArgument", "255"),
                            (rule(AllowedOrigin=""), "MalformedXML", ""),
                            (rule(MaxAgeSeconds="-1"), "MalformedXML", ""),
                            (rule(MaxAgeSeconds="soon"), "MalformedXML", "")):
        r = KIND.put(n, ("<CORSConfiguration>%s</CORSConfiguration>" % one).encode())
        error(r, 400, code)
        contains("the message", r.text("Message"), part)
    status(KIND.put(n, ("<CORSConfiguration>%s</CORSConfiguration>" % (rule() * 100)).encode()), 200)
    error(KIND.put(n, ("<CORSConfiguration>%s</CORSConfiguration>" % (rule() * 101)).encode()), 400, "MalformedXML")


def test_boto3():
    """As a client's library puts, gets and deletes them."""
    import boto3
    from botocore.config import Config
    n = bucket(EU)
    c = boto3.client("s3", endpoint_url=US.endpoint, region_name=US.name, aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                     config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}))
    rules = [{"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*.get", "*.put"], "MaxAgeSeconds": 5}]
    c.put_bucket_cors(Bucket=n, CORSConfiguration={"CORSRules": rules})
    eq("as put", c.get_bucket_cors(Bucket=n)["CORSRules"], rules)
    c.delete_bucket_cors(Bucket=n)


if __name__ == "__main__":
    main()
