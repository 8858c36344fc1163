#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutBucketOwnershipControls: in any region; every region knows when it returns."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from acl import *  # noqa: E402,F403


from bucket_config import Kind  # noqa: E402

RULE = "<OwnershipControls><Rule><ObjectOwnership>%s</ObjectOwnership></Rule></OwnershipControls>"
KIND = Kind("ownershipControls", RULE % "ObjectWriter", none="BucketOwnerEnforced")


def test_everywhere_at_once():
    """Put through either region, a bucket of either."""
    KIND.check_put()
    n = bucket(EU)
    for how in ("BucketOwnerPreferred", "BucketOwnerEnforced", "ObjectWriter"):
        status(KIND.put(n, (RULE % how).encode(), S3(US)), 200)
        eq(how, KIND.get(n).text("Rule/ObjectOwnership"), how)


def test_enforced_ends_lists():
    """Not while the bucket's own list lets others in; then objects' lists count no more, and count again afterwards."""
    n = open_bucket(acl="public-read")
    S3().request("PUT", n, "k", body=b"x", headers={"x-amz-acl": "public-read"})
    error(KIND.put(n, (RULE % "BucketOwnerEnforced").encode()), 400, "InvalidBucketAclWithObjectOwnership")
    status(put_acl(n, acl="private"), 200)
    for how, st in (("BucketOwnerEnforced", 403), ("ObjectWriter", 200)):
        status(KIND.put(n, (RULE % how).encode()), 200)
        eq(how, [S3(region).send("GET", "/%s/k" % n).status for region in (EU, US)], [st, st])


def test_refused():
    """Nobody but the owner, and nothing is stored."""
    KIND.check_refused("PUT")


def test_malformed():
    """What S3 refuses as MalformedXML."""
    KIND.check_malformed("<OwnershipControls/>", RULE % "Nobody", RULE % "")


if __name__ == "__main__":
    main()
