#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetBucketLogging: access is not logged to a bucket."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind("logging", "<BucketLoggingStatus/>", none="<BucketLoggingStatus")


def test_none():
    """In each region: there is none."""
    KIND.check_get()


def test_refused():
    """Another tenant, nobody, a forged signature, a bucket that is not there."""
    KIND.check_refused("GET")


if __name__ == "__main__":
    main()
