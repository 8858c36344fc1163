#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""DeleteObjectTagging: of one version, as often as one likes."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def test_delete():
    n = versioned(EU)
    a, b = (S3().put(n, "k", x, x_amz_tagging="t=" + x.decode()).get("x-amz-version-id") for x in (b"a", b"b"))
    r = tagging("DELETE", n, version=a, s3=S3(US))
    status(r, 204)
    eq("version", r.get("x-amz-version-id"), a)
    eq("of each", (tags_of(n, a), tags_of(n, b)), ([], [("t", "b")]))
    for _ in range(2):
        status(tagging("DELETE", n), 204)
    eq("none", (tags_of(n), S3().head(n, "k").get("x-amz-tagging-count")), ([], None))
    eq("the object", S3().get(n, "k").body, b"b")


def test_errors():
    n = versioned(EU)
    error(tagging("DELETE", n), 404, "NoSuchKey", Key="k")
    S3().put(n, "k", b"x")
    error(tagging("DELETE", n, version="ffffffffffffffff"), 404, "NoSuchVersion")
    S3().delete(n, "k")
    error(tagging("DELETE", n), 405, "MethodNotAllowed")


def test_odd_key():
    n = bucket(EU)
    key = "a b+c/\u65e5%?"
    S3().put(n, key, b"x", x_amz_tagging="k=v")
    status(tagging("DELETE", n, key=key), 204)
    eq("tags", tags_of(n, key=key), [])


def test_refused():
    n = bucket(EU)
    S3().put(n, "k", b"x", x_amz_tagging="a=b")
    error(tagging("DELETE", n, s3=S3(EU, KEY2, SECRET2)), 403, "AccessDenied")
    error(S3().send("DELETE", "/%s/k?tagging" % n), 403, "AccessDenied")
    eq("tags", tags_of(n), [("a", "b")])
    allow(n, "s3:DeleteObjectTagging")
    status(tagging("DELETE", n, s3=S3(EU, KEY2, SECRET2)), 204)


if __name__ == "__main__":
    main()
