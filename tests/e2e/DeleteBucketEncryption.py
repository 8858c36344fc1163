#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""DeleteBucketEncryption: back to none, in every region; again is no error."""
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


def test_delete():
    n = bucket(EU)
    status(ask("PUT", n, EU, config(by("AES256"))), 200)
    for region in (US, EU):
        r = ask("DELETE", n, region)
        status(r, 204)
        eq("no body", r.body, b"")
        error(ask("GET", n, EU), 404, "ServerSideEncryptionConfigurationNotFoundError")
        error(ask("GET", n, US), 404, "ServerSideEncryptionConfigurationNotFoundError")


def test_refused():
    n = bucket(EU)
    status(ask("PUT", n, EU, config(by("AES256"))), 200)
    error(ask("DELETE", n, key=KEY2, secret=SECRET2), 403, "AccessDenied")
    error(ask("DELETE", "t-" + secrets.token_hex(8)), 404, "NoSuchBucket")
    status(ask("GET", n), 200)


if __name__ == "__main__":
    main()
