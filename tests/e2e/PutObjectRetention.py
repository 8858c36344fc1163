#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutObjectRetention: what is kept cannot be deleted, nor kept less long."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def test_governance():
    n = locked(EU)
    v = S3().put(n, "k", b"x").get("x-amz-version-id")
    status(put_retention(n, "GOVERNANCE", days_ahead(2), v), 200)
    error(S3().request("DELETE", n, "k", query={"versionId": v}), 403, "AccessDenied")
    error(put_retention(n, "GOVERNANCE", days_ahead(1), v), 403, "AccessDenied")
    error(put_retention(n, None, "", v), 403, "AccessDenied")
    status(put_retention(n, "GOVERNANCE", days_ahead(3), v), 200)
    status(put_retention(n, "GOVERNANCE", days_ahead(1), v, bypass=True), 200)
    status(put_retention(n, None, "", v, bypass=True), 200)
    status(S3().request("DELETE", n, "k", query={"versionId": v}), 204)
    v = S3().put(n, "k", b"x", x_amz_object_lock_mode="GOVERNANCE", x_amz_object_lock_retain_until_date=days_ahead(1)).get("x-amz-version-id")
    status(S3(US).request("DELETE", n, "k", query={"versionId": v}, headers={"x-amz-bypass-governance-retention": "true"}), 204)
    eq("gone", versions(n), [])


def test_compliance():
    """Not even by its owner; until it is over."""
    n = locked(EU)
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4))
    v = S3().put(n, "k", b"x", x_amz_object_lock_mode="COMPLIANCE", x_amz_object_lock_retain_until_date=until).get("x-amz-version-id")
    bypass = {"x-amz-bypass-governance-retention": "true"}
    error(S3().request("DELETE", n, "k", query={"versionId": v}, headers=bypass), 403, "AccessDenied")
    error(put_retention(n, "GOVERNANCE", days_ahead(1), v, bypass=True), 403, "AccessDenied")
    error(put_retention(n, None, "", v, bypass=True), 403, "AccessDenied")
    until_gone = lambda: S3().request("DELETE", n, "k", query={"versionId": v}).status == 204
    until_ = time.time()
    ok("it ends", any(until_gone() or time.sleep(0.5) for _ in range(30)))
    ok("not before its time", time.time() - until_ > 1)


def test_errors():
    n = locked(EU)
    v = S3().put(n, "k", b"x").get("x-amz-version-id")
    error(put_retention(n, "GOVERNANCE", days_ahead(-1), v), 400, "InvalidArgument")
    error(put_retention(n, "X", days_ahead(1), v), 400, "MalformedXML")
    error(put_retention(n, "GOVERNANCE", "soon", v), 400, "MalformedXML")
    error(put_retention(n, "GOVERNANCE", days_ahead(1), "zz"), 400, "InvalidArgument")
    error(put_retention(n, "GOVERNANCE", days_ahead(1), "ffffffffffffffff"), 404, "NoSuchVersion")
    error(put_retention(n, "GOVERNANCE", days_ahead(1), key="never"), 404, "NoSuchKey")
    S3().delete(n, "k")
    error(put_retention(n, "GOVERNANCE", days_ahead(1)), 405, "MethodNotAllowed")
    n = versioned(EU)
    S3().put(n, "k", b"x")
    error(put_retention(n, "GOVERNANCE", days_ahead(1)), 400, "InvalidRequest")


def test_refused():
    n = locked(EU)
    S3().put(n, "k", b"x")
    error(put_retention(n, "GOVERNANCE", days_ahead(1), s3=S3(EU, KEY2, SECRET2)), 403, "AccessDenied")
    error(S3().send("PUT", "/%s/k?retention" % n, body=b""), 403, "AccessDenied")


if __name__ == "__main__":
    main()
