#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""DeleteBucketLifecycle: in any region; that there was none is no error."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

RULE = "<Rule><ID>one</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>"
KIND = Kind("lifecycle", "<LifecycleConfiguration>%s</LifecycleConfiguration>" % RULE, "NoSuchLifecycleConfiguration", 200)


def test_everywhere():
    """None, then there, then none again; through either region."""
    KIND.check_delete()


def test_refused():
    """Nobody but the owner."""
    KIND.check_refused("DELETE")


if __name__ == "__main__":
    main()
