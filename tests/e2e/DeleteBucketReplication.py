#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""DeleteBucketReplication: there is none to remove."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind('replication', '', 'ReplicationConfigurationNotFoundError')


def test_none():
    n = bucket(EU)
    for region in (EU, US):
        status(KIND.delete(n, S3(region)), 204)


def test_refused():
    """Nobody but the owner."""
    KIND.check_refused("DELETE")


if __name__ == "__main__":
    main()
