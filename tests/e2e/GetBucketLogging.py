#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetBucketLogging: what was put, in each region; an empty status where nothing is logged."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from anvil import EU, S3, US, bucket, contains, eq, status  # noqa: E402
from bucket_config import Kind  # noqa: E402

KIND = Kind("logging", "<BucketLoggingStatus/>", none="<BucketLoggingStatus")


def test_get():
    """None, then what was put, then none."""
    n = bucket(EU)
    KIND.is_missing(n, S3(US))
    status(KIND.put(n, ("<BucketLoggingStatus><LoggingEnabled><TargetBucket>%s</TargetBucket><TargetPrefix>a/&amp;</TargetPrefix><TargetObjectKeyFormat>"
                        "<SimplePrefix/></TargetObjectKeyFormat></LoggingEnabled></BucketLoggingStatus>" % n).encode()), 200)
    bodies = [KIND.get(n, S3(region)).body for region in (EU, US)]
    eq("the same in each region", bodies[0], bodies[1])
    contains("prefix", bodies[0].decode(), "<TargetPrefix>a/&amp;</TargetPrefix>")
    contains("namespace", bodies[0].decode(), 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"')
    status(KIND.put(n, bodies[0]), 200)
    eq("what was got can be put", KIND.get(n).body, bodies[0])
    status(KIND.put(n), 200)
    KIND.is_missing(n)


def test_refused():
    """Another tenant, nobody, a forged signature, a bucket that is not there."""
    KIND.check_refused("GET")


if __name__ == "__main__":
    main()
