#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutBucketEncryption: what new objects get that say nothing themselves, in every region at once."""
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


def test_default():
    """Ten times: set in one region, heeded by the next object through the other; what was there stays as it is."""
    n = bucket(EU)
    S3().put(n, "before", b"x")
    for i in range(5):
        for via, other in ((EU, US), (US, EU)):
            r = ask("PUT", n, via, config(by("AES256")))
            status(r, 200)
            r = S3(other).put(n, "k", b"y" * 70000)
            eq("told", r.get("x-amz-server-side-encryption"), "AES256")
            eq("read", (S3().get(n, "k").body, S3().head(n, "k").get("x-amz-server-side-encryption")), (b"y" * 70000, "AES256"))
            status(ask("DELETE", n, other), 204)
            eq("no more", S3(via).put(n, "k", b"z").get("x-amz-server-side-encryption"), None)
    eq("as it was", S3().head(n, "before").get("x-amz-server-side-encryption"), None)


def test_refused():
    n = bucket(EU)
    error(ask("PUT", n, body=config(by("aws:kms"))), 501, "NotImplemented")
    for bad in (b"", b"<a/>", config(""), config(by("AES128")), config(by("AES256") * 2), config("<Other/>"), config(by("AES256")) + b"x"):
        r = ask("PUT", n, body=bad)
        ok("%r" % bad[:200], bad == config("") and r.status == 200 or r.status == 400 and r.code == "MalformedXML", r)
    error(ask("PUT", n, body=config(by("AES256")), key=KEY2, secret=SECRET2), 403, "AccessDenied")
    error(ask("PUT", "t-" + secrets.token_hex(8), body=config(by("AES256"))), 404, "NoSuchBucket")


if __name__ == "__main__":
    main()
