#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetObjectLockConfiguration: what was set, in every region at once."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def test_states():
    n = bucket(EU)
    error(S3().request("GET", n, query="object-lock"), 404, "ObjectLockConfigurationNotFoundError", BucketName=n)
    n = locked(US)
    for x in (EU, US):
        r = S3(x).request("GET", n, query="object-lock")
        eq("enabled", (r.status, r.text("ObjectLockEnabled"), r.text("Rule")), (200, "Enabled", None))
        eq("with versions", S3(x).request("GET", n, query="versioning").text("Status"), "Enabled")
    rule = b"<Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Years>3</Years></DefaultRetention></Rule>"
    doc = b'<ObjectLockConfiguration%s><ObjectLockEnabled>Enabled</ObjectLockEnabled>' + rule + b"</ObjectLockConfiguration>"
    status(S3(EU).request("PUT", n, query="object-lock", body=doc % b""), 200)
    for x in (EU, US):
        contains("as it was set", S3(x).request("GET", n, query="object-lock").body, doc % b' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"')


def test_refused():
    n = locked(EU)
    error(S3(EU, KEY2, SECRET2).request("GET", n, query="object-lock"), 403, "AccessDenied")
    error(S3().send("GET", "/%s?object-lock" % n), 403, "AccessDenied")


if __name__ == "__main__":
    main()
