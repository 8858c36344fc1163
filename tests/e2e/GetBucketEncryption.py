#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetBucketEncryption: what was put, from every region; the error when there is none."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def config(by):
    return ("<ServerSideEncryptionConfiguration xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><Rule>%s</Rule>"
            "</ServerSideEncryptionConfiguration>" % by).encode()


def by(algorithm):
    return "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>%s</SSEAlgorithm></ApplyServerSideEncryptionByDefault>" % algorithm


def ask(method, n, region=EU, body=b"", **who):
    return S3(region, **who).request(method, n, query="encryption", body=body)


def test_there_and_not():
    n = bucket(US)
    for region in (EU, US):
        error(ask("GET", n, region), 404, "ServerSideEncryptionConfigurationNotFoundError", BucketName=n)
    status(ask("PUT", n, EU, config(by("AES256"))), 200)
    for region in (EU, US):
        r = ask("GET", n, region)
        status(r, 200)
        eq("root", r.xml.tag, "ServerSideEncryptionConfiguration")
        eq("algorithm", r.text("Rule/ApplyServerSideEncryptionByDefault/SSEAlgorithm"), "AES256")
        eq("bucket key", r.text("Rule/BucketKeyEnabled"), "false")


def test_refused():
    n = bucket(EU)
    error(ask("GET", n, key=KEY2, secret=SECRET2), 403, "AccessDenied")
    error(S3().send("GET", "/%s?encryption" % n), 403, "AccessDenied")
    error(ask("GET", "t-" + secrets.token_hex(8)), 404, "NoSuchBucket")


if __name__ == "__main__":
    main()
