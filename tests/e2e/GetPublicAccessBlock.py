#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetPublicAccessBlock: in any region, and what it says when there is none."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind('publicAccessBlock', "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls><BlockPublicPolicy>TRUE</BlockPublicPolicy></PublicAccessBlockConfiguration>", 'NoSuchPublicAccessBlockConfiguration', 200)


def test_none_then_everywhere():
    """None; then the same document in each region."""
    KIND.check_get()


def test_refused():
    """Another tenant, nobody, a forged signature, a bucket that is not there."""
    KIND.check_refused("GET")


def test_all_four():
    """What was not said is false."""
    n = bucket(EU)
    status(KIND.put(n), 200)
    eq("the four", [(x.tag, x.text) for x in KIND.get(n, S3(US)).xml], [("BlockPublicAcls", "true"), ("IgnorePublicAcls", "false"), ("BlockPublicPolicy", "true"), ("RestrictPublicBuckets", "false")])


if __name__ == "__main__":
    main()
