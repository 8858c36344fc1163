#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetBucketAccelerateConfiguration: what every bucket here says."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind('accelerate', '<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>', None, 200, none='<AccelerateConfiguration')


def test_fixed():
    """The same answer for every bucket."""
    KIND.check_get()


def test_refused():
    """Nobody but the owner."""
    KIND.check_refused("GET")


if __name__ == "__main__":
    main()
