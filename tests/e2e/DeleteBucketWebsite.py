#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""DeleteBucketWebsite: that there was none is no error."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind("website", "", "NoSuchWebsiteConfiguration")


def test_none():
    """In each region."""
    n = bucket(EU)
    for region in (EU, US):
        r = KIND.delete(n, S3(region))
        status(r, 204)
        eq("no body", r.body, b"")
        KIND.is_missing(n, S3(region))


def test_refused():
    """Nobody but the owner."""
    KIND.check_refused("DELETE")


if __name__ == "__main__":
    main()
