#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutObjectLegalHold: nobody deletes a version that is held."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def test_hold():
    n = locked(EU)
    v = S3().put(n, "k", b"x").get("x-amz-version-id")
    status(put_hold(n, "ON", v), 200)
    bypass = {"x-amz-bypass-governance-retention": "true"}
    error(S3().request("DELETE", n, "k", query={"versionId": v}, headers=bypass), 403, "AccessDenied")
    eq("told", S3(US).head(n, "k").get("x-amz-object-lock-legal-hold"), "ON")
    status(S3().delete(n, "k"), 204)
    status(put_hold(n, "OFF", v, S3(US)), 200)
    status(S3().request("DELETE", n, "k", query={"versionId": v}), 204)
    w = S3().put(n, "k", b"x", x_amz_object_lock_legal_hold="ON").get("x-amz-version-id")
    error(S3().request("DELETE", n, "k", query={"versionId": w}), 403, "AccessDenied")
    status(put_hold(n, "OFF", w), 200)


def test_errors():
    n = locked(EU)
    S3().put(n, "k", b"x")
    error(put_hold(n, "MAYBE"), 400, "MalformedXML")
    error(put_hold(n, "ON", "zz"), 400, "InvalidArgument")
    error(put_hold(n, "ON", "ffffffffffffffff"), 404, "NoSuchVersion")
    error(put_hold(n, "ON", key="never"), 404, "NoSuchKey")
    S3().delete(n, "k")
    error(put_hold(n, "ON"), 405, "MethodNotAllowed")
    n = versioned(EU)
    S3().put(n, "k", b"x")
    error(put_hold(n, "ON"), 400, "InvalidRequest")


def test_refused():
    n = locked(EU)
    S3().put(n, "k", b"x")
    error(put_hold(n, "ON", s3=S3(EU, KEY2, SECRET2)), 403, "AccessDenied")
    error(S3().send("PUT", "/%s/k?legal-hold" % n, body=b""), 403, "AccessDenied")


if __name__ == "__main__":
    main()
