#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetObjectAcl: of a version, and whose it is."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from acl import *  # noqa: E402,F403


def test_canned():
    """As PutObject was asked; of an odd key."""
    n, key = open_bucket(), "a b/c+\u00e9?&"
    for word, want in list(CANNED.items()) + [("bucket-owner-read", [FULL]), ("bucket-owner-full-control", [FULL])]:
        status(S3().request("PUT", n, key, body=b"x", headers={"x-amz-acl": word}), 200)
        for region in (EU, US):
            r = acl_of(n, key, S3(region))
            eq(word, grants(r), want)
            eq("owner", r.text("Owner/ID"), OWNER)


def test_another_writer():
    """Who writes an object owns it, unless ownership is enforced or handed over; its list is his to read, and not the bucket owner's."""
    theirs = (OWNER2, "FULL_CONTROL")
    n = open_bucket(acl="public-read-write")
    for word, want in (("private", [theirs]), ("bucket-owner-read", [theirs, (OWNER, "READ")]), ("bucket-owner-full-control", [theirs, FULL])):
        status(other().request("PUT", n, "k", body=b"x", headers={"x-amz-acl": word}), 200)
        r = acl_of(n, "k", other())
        eq(word, (grants(r), r.text("Owner/ID")), (want, OWNER2))
        eq("the bucket's owner reads its list", acl_of(n, "k").status, 200 if word == "bucket-owner-full-control" else 403)
        eq("and its bytes", S3(US).get(n, "k").status, 403 if word == "private" else 200)
        eq("and copies it", S3().request("PUT", n, "copy", headers={"x-amz-copy-source": "/%s/k" % n}).status, 403 if word == "private" else 200)
    status(S3().delete(n, "k"), 204)
    n = open_bucket(ownership="BucketOwnerPreferred", acl="public-read-write")
    for word, owner in (("private", OWNER2), ("bucket-owner-full-control", OWNER)):
        status(other().request("PUT", n, "k", body=b"x", headers={"x-amz-acl": word}), 200)
        eq(word, acl_of(n, "k", S3() if owner == OWNER else other()).text("Owner/ID"), owner)


def test_enforced():
    """Where ownership is enforced all objects are the bucket owner's, whoever wrote them."""
    n = bucket(EU)
    policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::" + n, "arn:aws:s3:::%s/*" % n]}]}
    status(S3().request("PUT", n, query="policy", body=json.dumps(policy).encode()), 204)
    status(other().request("PUT", n, "k", body=b"x", headers={"x-amz-acl": "bucket-owner-full-control"}), 200)
    for word in ("private", "public-read"):
        error(other().request("PUT", n, "l", headers={"x-amz-acl": word}), 400, "AccessControlListNotSupported")
    error(other().request("PUT", n, "l", headers={"x-amz-grant-read": "id=" + OWNER}), 400, "AccessControlListNotSupported")
    r = acl_of(n, "k", other())
    eq("owner", (r.text("Owner/ID"), grants(r)), (OWNER, [FULL]))


def test_refused():
    """What is not there; another tenant; nobody."""
    n = open_bucket()
    S3().put(n, "k", b"x")
    error(acl_of(n, "gone"), 404, "NoSuchKey", Key="gone")
    error(acl_of(n, "k", version="0" * 16), 400, "InvalidArgument")
    for region in (EU, US):
        error(acl_of(n, "k", other(region)), 403, "AccessDenied")
        error(S3(region).send("GET", "/%s/k?acl" % n), 403, "AccessDenied")


if __name__ == "__main__":
    main()
