#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""DeleteBucketWebsite: gone in each region; that there was none is no error."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind("website", "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>",
            "NoSuchWebsiteConfiguration")


def test_delete():
    """By either region."""
    KIND.check_delete()


def test_refused():
    """Nobody but the owner."""
    KIND.check_refused("DELETE")


if __name__ == "__main__":
    main()
