#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetObjectLegalHold: of each version its own."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def get(n, v=None, s3=None):
    q = {"legal-hold": ""}
    if v:
        q["versionId"] = v
    return (s3 or S3()).request("GET", n, "k", query=q)


def test_of_each_version():
    n = locked(EU)
    a, b = (S3().put(n, "k", x).get("x-amz-version-id") for x in (b"a", b"b"))
    status(put_hold(n, "ON", a), 200)
    eq("of each", (get(n, a, S3(US)).text("Status"), get(n, b).text("Status"), get(n).text("Status")), ("ON", "OFF", "OFF"))
    status(put_hold(n, "OFF", a), 200)
    contains("the document", get(n, a).body, b'<LegalHold xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>OFF</Status></LegalHold>')
    error(get(n, "ffffffffffffffff"), 404, "NoSuchVersion")
    error(get(versioned(EU)), 400, "InvalidRequest")


def test_refused():
    n = locked(EU)
    S3().put(n, "k", b"x")
    error(get(n, s3=S3(EU, KEY2, SECRET2)), 403, "AccessDenied")
    error(S3().send("GET", "/%s/k?legal-hold" % n), 403, "AccessDenied")


if __name__ == "__main__":
    main()
