#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutObjectLockConfiguration: the default retention, and what object lock keeps."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def put_lock(n, rule=b"", **kw):
    return S3(**kw).request("PUT", n, query="object-lock", body=b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>%s</ObjectLockConfiguration>" % rule)


def rule(mode, span, n):
    return b"<Rule><DefaultRetention><Mode>%s</Mode><%s>%s</%s></DefaultRetention></Rule>" % (mode, span, n, span)


def test_default_is_applied():
    n = locked(EU)
    status(put_lock(n, rule(b"GOVERNANCE", b"Days", b"2")), 200)
    v = S3(US).put(n, "k", b"x").get("x-amz-version-id")
    h = S3().head(n, "k")
    eq("mode", h.get("x-amz-object-lock-mode"), "GOVERNANCE")
    eq("two days", h.get("x-amz-object-lock-retain-until-date", "")[:10], days_ahead(2)[:10])
    error(S3().request("DELETE", n, "k", query={"versionId": v}), 403, "AccessDenied")
    status(S3().delete(n, "k"), 204)
    eq("a marker hides it", len(versions(n)), 2)
    until = days_ahead(5)
    S3().put(n, "own", b"x", x_amz_object_lock_mode="GOVERNANCE", x_amz_object_lock_retain_until_date=until)
    eq("its own comes first", S3().head(n, "own").get("x-amz-object-lock-retain-until-date", "")[:19], until[:19])


def test_needs_versions():
    n = bucket(EU)
    error(put_lock(n), 409, "InvalidBucketState")
    versioned(name=n)
    status(put_lock(n), 200)
    error(S3().request("PUT", n, query="versioning", body=b"<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"), 409, "InvalidBucketState")


def test_documents():
    n = locked(EU)
    for r in (rule(b"X", b"Days", b"1"), rule(b"GOVERNANCE", b"Hours", b"1"), rule(b"GOVERNANCE", b"Days", b"x"), b"<Rule/>",
              b"<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days><Years>1</Years></DefaultRetention></Rule>"):
        error(put_lock(n, r), 400, "MalformedXML")
    for r in (rule(b"GOVERNANCE", b"Days", b"0"), rule(b"GOVERNANCE", b"Years", b"-1"), rule(b"GOVERNANCE", b"Days", b"99999")):
        error(put_lock(n, r), 400, "InvalidArgument")
    error(S3().request("PUT", n, query="object-lock", body=b"<ObjectLockConfiguration><ObjectLockEnabled>No</ObjectLockEnabled></ObjectLockConfiguration>"), 400, "MalformedXML")


def test_put_headers():
    n = locked(EU)
    def bad(code, **h):
        error(S3().request("PUT", n, "k", body=b"x", headers={k.replace("_", "-"): v for k, v in h.items()}), 400, code)
    bad("InvalidArgument", x_amz_object_lock_mode="GOVERNANCE")
    bad("InvalidArgument", x_amz_object_lock_retain_until_date=days_ahead(1))
    bad("InvalidArgument", x_amz_object_lock_mode="X", x_amz_object_lock_retain_until_date=days_ahead(1))
    bad("InvalidArgument", x_amz_object_lock_mode="GOVERNANCE", x_amz_object_lock_retain_until_date=days_ahead(-1))
    bad("InvalidArgument", x_amz_object_lock_mode="GOVERNANCE", x_amz_object_lock_retain_until_date="soon")
    bad("InvalidArgument", x_amz_object_lock_legal_hold="MAYBE")
    eq("nothing was put", S3().keys(n), [])
    n = bucket(EU)
    bad("InvalidRequest", x_amz_object_lock_legal_hold="ON")


def test_refused():
    n = locked(EU)
    error(put_lock(n, key=KEY2, secret=SECRET2), 403, "AccessDenied")
    error(S3().send("PUT", "/%s?object-lock" % n, body=b""), 403, "AccessDenied")


if __name__ == "__main__":
    main()
