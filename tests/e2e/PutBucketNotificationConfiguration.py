#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutBucketNotificationConfiguration: that there is to be none is taken."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind("notification", "<NotificationConfiguration/>", none="<NotificationConfiguration")


def test_none():
    """Switching off what is not on is done; anything else is not built."""
    n = bucket(EU)
    for region in (EU, US):
        r = KIND.put(n, s3=S3(region))
        status(r, 200)
        eq("no body", r.body, b"")
        error(KIND.put(n, b"<NotificationConfiguration><TopicConfiguration/></NotificationConfiguration>", S3(region)), 501, "NotImplemented")
    KIND.is_missing(n)


def test_refused():
    """Nobody but the owner."""
    KIND.check_refused("PUT")


def test_malformed():
    """What S3 refuses as MalformedXML."""
    n = bucket(EU)
    for body in (b"", b"x", b"<Other/>", KIND.good.replace(b"/>", b">x</%s>" % KIND.good[1:-2])):
        error(KIND.put(n, body), 400, "MalformedXML")


if __name__ == "__main__":
    main()
