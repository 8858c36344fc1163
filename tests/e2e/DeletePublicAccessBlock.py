#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""DeletePublicAccessBlock: in any region, as often as one likes."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind('publicAccessBlock', "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls><BlockPublicPolicy>TRUE</BlockPublicPolicy></PublicAccessBlockConfiguration>", 'NoSuchPublicAccessBlockConfiguration', 200)


def test_delete_and_again():
    """It is gone in each region; deleting none is no error."""
    KIND.check_delete()


def test_refused():
    """Nobody but the owner."""
    KIND.check_refused("DELETE")


if __name__ == "__main__":
    main()
