#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutBucketLogging: that there is to be none is taken."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind("logging", "<BucketLoggingStatus/>", none="<BucketLoggingStatus")


def test_none():
    """Switching off what is not on is done; anything else is not built."""
    KIND.check_put_none(b"<BucketLoggingStatus><LoggingEnabled><TargetBucket>b</TargetBucket><TargetPrefix/></LoggingEnabled></BucketLoggingStatus>")


def test_refused():
    """Nobody but the owner."""
    KIND.check_refused("PUT")


def test_malformed():
    """What S3 refuses as MalformedXML."""
    KIND.check_malformed_none()


if __name__ == "__main__":
    main()
