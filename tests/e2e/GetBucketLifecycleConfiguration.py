#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetBucketLifecycleConfiguration: in any region, and what it says when there is none."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

RULE = "<Rule><ID>one</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>"
KIND = Kind("lifecycle", "<LifecycleConfiguration>%s</LifecycleConfiguration>" % RULE, "NoSuchLifecycleConfiguration", 200)


def test_none_then_everywhere():
    """None; then the same document in each region."""
    KIND.check_get()


def test_refused():
    """Another tenant, nobody, a forged signature, a bucket that is not there."""
    KIND.check_refused("GET")


def test_ids():
    """A rule without an ID gets one that no other has, and keeps it."""
    n = bucket(EU)
    bare = RULE.replace("<ID>one</ID>", "")
    status(KIND.put(n, ("<LifecycleConfiguration>%s</LifecycleConfiguration>" % (bare + RULE.replace("one", "rule-3") + bare)).encode()), 200)
    r = KIND.get(n)
    ids = [e.findtext("ID") for e in r.xml.findall("Rule")]
    eq("three", (len(set(ids)), ids[1], "" in ids), (3, "rule-3", False))
    status(KIND.put(n, r.body), 200)
    eq("the same", KIND.get(n, S3(US)).body, r.body)


if __name__ == "__main__":
    main()
