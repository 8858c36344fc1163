#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutPublicAccessBlock: in any region; every region knows when it returns."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind('publicAccessBlock', "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls><BlockPublicPolicy>TRUE</BlockPublicPolicy></PublicAccessBlockConfiguration>", 'NoSuchPublicAccessBlockConfiguration', 200)


def test_everywhere_at_once():
    """Put through either region, a bucket of either."""
    KIND.check_put()


def test_refused():
    """Nobody but the owner, and nothing is stored."""
    KIND.check_refused("PUT")


def test_malformed():
    """What S3 refuses as MalformedXML."""
    KIND.check_malformed("<PublicAccessBlockConfiguration><BlockPublicAcls>yes</BlockPublicAcls></PublicAccessBlockConfiguration>")


if __name__ == "__main__":
    main()
