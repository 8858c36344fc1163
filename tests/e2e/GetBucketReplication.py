#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetBucketReplication: no bucket here is replicated."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind('replication', '', 'ReplicationConfigurationNotFoundError')


def test_none():
    n = bucket(EU)
    for region in (EU, US):
        KIND.is_missing(n, S3(region))


def test_refused():
    """Nobody but the owner."""
    KIND.check_refused("GET")


def test_put_is_not_implemented():
    error(S3(EU).request("PUT", bucket(EU), query="replication", body=b"<ReplicationConfiguration/>"), 501, "NotImplemented")


if __name__ == "__main__":
    main()
