#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""HeadBucket: answered anywhere from metadata."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403



def test_anywhere():
    n = bucket(EU)
    for region in (EU, US):
        r = S3(region).request("HEAD", n)
        status(r, 200)
        eq("x-amz-bucket-region", r.get("x-amz-bucket-region"), EU.name)
        eq("no body", r.body, b"")


def test_missing():
    """404 without a body; and again, from the cache; and 200 as soon as it is made."""
    n = "t-" + secrets.token_hex(8)
    for region in (EU, US, EU, US):
        r = S3(region).request("HEAD", n)
        status(r, 404)
        eq("no body", r.body, b"")
    anvil_bucket = b"<CreateBucketConfiguration><LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>" % US.name.encode()
    status(S3(EU).request("PUT", n, body=anvil_bucket), 200)
    for region in (US, EU):
        status(S3(region).request("HEAD", n), 200)
    status(S3(US).request("DELETE", n), 204)
    for region in (EU, US):
        status(S3(region).request("HEAD", n), 404)


def test_refused():
    """403 tells the region, as S3 does, and nothing else."""
    n = bucket(EU)
    for r in (S3(EU, KEY2, SECRET2).request("HEAD", n), S3(EU).send("HEAD", "/" + n)):
        status(r, 403)
        eq("x-amz-bucket-region", r.get("x-amz-bucket-region"), EU.name)
        eq("no body", r.body, b"")


def test_host_style():
    n = bucket(EU)
    host = "%s.%s:%d" % (n, EU.domain, EU.port)
    status(S3(EU).request("HEAD", target="/", host=host), 200)


def test_wire():
    n = bucket(EU)
    r = S3(EU).request("HEAD", n)
    eq("no content type is needed, but no XML either", "xml" in (r.get("Content-Type") or ""), "xml" in (r.get("Content-Type") or ""))
    ok("request id's form", re.fullmatch("[0-9A-F]{16}", r.get("x-amz-request-id")), r.headers)


if __name__ == "__main__":
    main()
