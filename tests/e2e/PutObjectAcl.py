#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutObjectAcl: canned, by headers, by a document, of a version; and what it lets others do."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from acl import *  # noqa: E402,F403


def test_canned():
    """By either region; neither bytes nor time change."""
    n = open_bucket()
    S3().request("PUT", n, "k", body=b"x", headers={"Content-Type": "a/b", "x-amz-meta-m": "n"})
    before = S3().head(n, "k")
    for region in (EU, US):
        for word, want in CANNED.items():
            r = put_acl(n, "k", S3(region), acl=word)
            status(r, 200)
            eq(word, (r.body, grants(acl_of(n, "k"))), (b"", want))
    after = S3().head(n, "k")
    for name in ("Last-Modified", "ETag", "Content-Type", "x-amz-meta-m"):
        eq(name, after.get(name), before.get(name))


def test_what_it_allows():
    """Each permission; private where nothing is said, however open the bucket."""
    n = open_bucket(acl="public-read")
    S3().put(n, "k", b"x")
    error(other().get(n, "k"), 403, "AccessDenied")
    for permission, want in (("READ", (1, 0, 0)), ("WRITE", (0, 0, 0)), ("READ_ACP", (0, 1, 0)), ("WRITE_ACP", (0, 0, 1)), ("FULL_CONTROL", (1, 1, 1))):
        for region in (EU, US):
            status(put_acl(n, "k", body=document((OWNER2, permission))), 200)
            o = other(region)
            eq("%s in %s" % (permission, region), (o.get(n, "k").status == 200, acl_of(n, "k", o).status == 200, put_acl(n, "k", o, acl="private").status == 200),
               tuple(bool(x) for x in want))
    status(put_acl(n, "k", acl="public-read"), 200)
    eq("nobody in particular", (S3().send("GET", "/%s/k" % n).body, S3().send("HEAD", "/%s/k" % n).status, S3().send("PUT", "/%s/k" % n, body=b"").status), (b"x", 200, 403))
    status(put_acl(n, "k", acl="authenticated-read"), 200)
    eq("who is known", (other().get(n, "k").status, S3().send("GET", "/%s/k" % n).status), (200, 403))


def test_versions():
    """Each version has its own."""
    n = open_bucket()
    versioned(name=n)
    one, two = (S3().put(n, "k", b"x").get("x-amz-version-id") for _ in range(2))
    r = put_acl(n, "k", acl="public-read", version=one)
    eq("which", r.get("x-amz-version-id"), one)
    eq("one", grants(acl_of(n, "k", version=one)), CANNED["public-read"])
    eq("the other", grants(acl_of(n, "k", version=two)), CANNED["private"])
    eq("current", (S3().send("GET", "/%s/k" % n).status, S3().send("GET", "/%s/k?versionId=%s" % (n, one)).status), (403, 200))
    eq("the current one's", put_acl(n, "k", acl="public-read").get("x-amz-version-id"), two)
    marker = S3().delete(n, "k").get("x-amz-version-id")
    error(put_acl(n, "k", acl="private"), 405, "MethodNotAllowed", Method="PUT", ResourceType="DeleteMarker")
    error(acl_of(n, "k"), 404, "NoSuchKey")
    error(put_acl(n, "k", acl="private", version=marker), 405, "MethodNotAllowed")


def test_refused():
    """Malformed, not there, enforced, not allowed; and nothing is stored."""
    n = open_bucket()
    S3().put(n, "k", b"x")
    for kw, st, code in refused_rows():
        error(put_acl(n, "k", **kw), st, code)
    error(put_acl(n, "gone", acl="private"), 404, "NoSuchKey")
    for region in (EU, US):
        error(put_acl(n, "k", other(region), acl="public-read"), 403, "AccessDenied")
        error(S3(region).send("PUT", "/%s/k?acl" % n, {"x-amz-acl": "public-read"}, b""), 403, "AccessDenied")
    eq("nothing is stored", grants(acl_of(n, "k")), [FULL])
    n = bucket(EU)
    S3().put(n, "k", b"x")
    error(put_acl(n, "k", acl="private"), 400, "AccessControlListNotSupported")
    status(put_acl(n, "k", acl="bucket-owner-full-control"), 200)


if __name__ == "__main__":
    main()
