#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""DeleteBucketTagging: in any region, as often as one likes."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind('tagging', "<Tagging><TagSet><Tag><Key>Hello</Key><Value>World @ more</Value></Tag></TagSet></Tagging>", 'NoSuchTagSet', 204)


def test_delete_and_again():
    """It is gone in each region; deleting none is no error."""
    KIND.check_delete()


def test_refused():
    """Nobody but the owner."""
    KIND.check_refused("DELETE")


if __name__ == "__main__":
    main()
