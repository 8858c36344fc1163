#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetBucketVersioning: the state, in every region at once."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def state(n, region=EU):
    r = S3(region).request("GET", n, query="versioning")
    status(r, 200)
    eq("root", r.xml.tag, "VersioningConfiguration")
    return r.text("Status")


def test_states():
    n = bucket(US)
    for s in (None, b"Enabled", b"Suspended", b"Enabled"):
        if s:
            versioned(US, s, n)
        for x in (EU, US):
            eq("at %s" % x, state(n, x), s and s.decode())


def test_wire():
    n = bucket(EU)
    contains("never set", S3().request("GET", n, query="versioning").body, b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">')


def test_refused():
    n = bucket(EU)
    error(S3(EU, KEY2, SECRET2).request("GET", n, query="versioning"), 403, "AccessDenied")
    error(S3().send("GET", "/%s?versioning" % n), 403, "AccessDenied")
    error(S3().request("GET", "t-" + secrets.token_hex(8), query="versioning"), 404, "NoSuchBucket")


if __name__ == "__main__":
    main()
