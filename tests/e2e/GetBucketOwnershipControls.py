#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetBucketOwnershipControls: in any region."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from acl import *  # noqa: E402,F403


from bucket_config import Kind  # noqa: E402

KIND = Kind("ownershipControls", "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>", none="BucketOwnerEnforced")


def rule(n, region=EU):
    return KIND.get(n, S3(region)).text("Rule/ObjectOwnership")


def test_each():
    """Enforced unless CreateBucket or PutBucketOwnershipControls said otherwise; in S3's namespace."""
    for how, n in ((None, bucket(EU)), ("BucketOwnerEnforced", open_bucket(ownership="BucketOwnerEnforced")),
                   ("BucketOwnerPreferred", open_bucket(ownership="BucketOwnerPreferred")), ("ObjectWriter", open_bucket(US, "ObjectWriter"))):
        for region in (EU, US):
            eq(str(how), rule(n, region), how or "BucketOwnerEnforced")
    contains("the wire text", KIND.get(n).body.decode(), '<OwnershipControls xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ObjectOwnership>ObjectWriter<')
    error(S3(EU).request("PUT", "t-" + secrets.token_hex(8), headers={"x-amz-object-ownership": "Nobody"}), 400, "InvalidArgument")
    error(S3(EU).request("PUT", "t-" + secrets.token_hex(8), headers={"x-amz-acl": "public-read"}), 400, "InvalidBucketAclWithObjectOwnership")


def test_refused():
    """Another tenant, nobody, a forged signature, a bucket that is not there."""
    KIND.check_refused("GET")


if __name__ == "__main__":
    main()
