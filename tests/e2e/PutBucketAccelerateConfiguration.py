#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutBucketAccelerateConfiguration: what holds anyway is taken, the rest is not implemented."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind('accelerate', '<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>', None, 200, none='<AccelerateConfiguration')


def test_everywhere():
    """In any region."""
    KIND.check_put()


def test_refused():
    """Nobody but the owner."""
    KIND.check_refused("PUT")


def test_malformed():
    """What S3 refuses as MalformedXML."""
    KIND.check_malformed()


def test_not_implemented():
    """What would change something is refused, not passed over."""
    error(KIND.put(bucket(EU), b"<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>"), 501, "NotImplemented")


if __name__ == "__main__":
    main()
