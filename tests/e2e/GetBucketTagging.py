#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetBucketTagging: in any region, and what it says when there is none."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind('tagging', "<Tagging><TagSet><Tag><Key>Hello</Key><Value>World @ more</Value></Tag></TagSet></Tagging>", 'NoSuchTagSet', 204)


def test_none_then_everywhere():
    """None; then the same document in each region."""
    KIND.check_get()


def test_refused():
    """Another tenant, nobody, a forged signature, a bucket that is not there."""
    KIND.check_refused("GET")


if __name__ == "__main__":
    main()
