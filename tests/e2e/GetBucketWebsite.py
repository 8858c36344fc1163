#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetBucketWebsite: what was put, in each region."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind("website", "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument><ErrorDocument><Key>e</Key></ErrorDocument>"
            "<RoutingRules><RoutingRule><Condition><KeyPrefixEquals>a</KeyPrefixEquals></Condition><Redirect><HostName>h</HostName></Redirect></RoutingRule>"
            "</RoutingRules></WebsiteConfiguration>", "NoSuchWebsiteConfiguration")


def test_get():
    """None, then what was put."""
    KIND.check_get()


def test_refused():
    """Another tenant, nobody, a forged signature, a bucket that is not there."""
    KIND.check_refused("GET")


if __name__ == "__main__":
    main()
