#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetObjectRetention: of each version its own."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def get(n, v=None, s3=None):
    q = {"retention": ""}
    if v:
        q["versionId"] = v
    return (s3 or S3()).request("GET", n, "k", query=q)


def test_of_each_version():
    n = locked(EU)
    until = days_ahead(2)
    a = S3().put(n, "k", b"a", x_amz_object_lock_mode="GOVERNANCE", x_amz_object_lock_retain_until_date=until).get("x-amz-version-id")
    b = S3().put(n, "k", b"b").get("x-amz-version-id")
    r = get(n, a, S3(US))
    eq("of the old", (r.status, r.xml.tag, r.text("Mode"), r.text("RetainUntilDate")), (200, "Retention", "GOVERNANCE", until[:-1] + ".000Z"))
    error(get(n), 404, "NoSuchObjectLockConfiguration")
    error(get(n, b), 404, "NoSuchObjectLockConfiguration")
    error(get(n, "ffffffffffffffff"), 404, "NoSuchVersion")
    error(get(versioned(EU)), 400, "InvalidRequest")


def test_refused():
    n = locked(EU)
    S3().put(n, "k", b"x")
    error(get(n, s3=S3(EU, KEY2, SECRET2)), 403, "AccessDenied")
    error(S3().send("GET", "/%s/k?retention" % n), 403, "AccessDenied")


if __name__ == "__main__":
    main()
