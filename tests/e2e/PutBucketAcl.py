#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutBucketAcl: canned, by headers, by a document; and what it lets others do."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from acl import *  # noqa: E402,F403


def test_canned():
    """By either region; every region knows when it returns."""
    n = open_bucket()
    for region in (EU, US):
        for word, want in CANNED.items():
            r = put_acl(n, s3=S3(region), acl=word)
            status(r, 200)
            eq("no body", r.body, b"")
            for there in (EU, US):
                eq(word, grants(acl_of(n, s3=S3(there))), want)


def test_enforced():
    """Where ownership is enforced there are none."""
    n = bucket(EU)
    for region in (EU, US):
        for kw in ({"acl": "private"}, {"acl": "public-read"}, {"grant_read": "id=" + OWNER2}, {"body": document(FULL)}):
            error(put_acl(n, s3=S3(region), **kw), 400, "AccessControlListNotSupported")
        status(put_acl(n, s3=S3(region), acl="bucket-owner-full-control"), 200)


def test_grants():
    """Headers and documents: groups come first, then users as they were granted; what was got can be put."""
    n = open_bucket()
    status(put_acl(n, grant_read='id="%s", uri="%s"' % (OWNER2, EVERYBODY), grant_full_control="id=" + OWNER), 200)
    want = [(EVERYBODY, "READ"), (OWNER2, "READ"), FULL]
    eq("headers", grants(acl_of(n)), want)
    whole = acl_of(n).body
    status(put_acl(n, acl="private"), 200)
    status(put_acl(n, body=whole), 200)
    eq("the same", acl_of(n, s3=S3(US)).body, whole)
    status(put_acl(n, body=document(FULL, (OWNER2, "WRITE_ACP"), (AUTHENTICATED, "READ"))), 200)
    eq("a document", grants(acl_of(n)), [(AUTHENTICATED, "READ"), FULL, (OWNER2, "WRITE_ACP")])
    status(put_acl(n, body=document()), 200)
    eq("nobody", grants(acl_of(n)), [])


def test_malformed():
    """What S3 refuses, and nothing is stored."""
    n = open_bucket()
    for kw, st, code in refused_rows():
        error(put_acl(n, **kw), st, code)
    for kw, named in (({"grant_read": 'id="wrong-id"'}, "id"), ({"grant_read": 'uri="http://a.example/"'}, "uri"), ({"body": document(("wrong-id", "READ"))}, "CanonicalUser/ID"),
                      ({"body": document(("http://a.example/", "READ"))}, "Group/URI"), ({"body": document(owner="wrong-id")}, "CanonicalUser/ID")):
        error(put_acl(n, **kw), 400, "InvalidArgument", ArgumentName=named)
    eq("nothing is stored", grants(acl_of(n)), [FULL])


def test_what_it_allows():
    """Each permission and what it is for: of a list, of nobody in particular, in each region."""
    n = open_bucket()
    S3().put(n, "k", b"x")

    def may(s3):
        return (s3.request("HEAD", n).status == 200, s3.request("GET", n, query="list-type=2").status == 200,
                s3.request("PUT", n, "new", body=b"y").status == 200, s3.request("DELETE", n, "new").status == 204,
                acl_of(n, s3=s3).status == 200, s3.request("GET", n, "k").status == 200, s3.request("GET", n, query="policy").status == 404)
    for permission, want in (("READ", (1, 1, 0, 0, 0, 0, 0)), ("WRITE", (0, 0, 1, 1, 0, 0, 0)), ("READ_ACP", (0, 0, 0, 0, 1, 0, 0)),
                             ("WRITE_ACP", (0,) * 7), ("FULL_CONTROL", (1, 1, 1, 1, 1, 0, 0))):
        status(put_acl(n, body=document((OWNER2, permission))), 200)
        for region in (EU, US):
            eq("%s in %s" % (permission, region), may(other(region)), tuple(bool(x) for x in want))
        eq("nobody", (S3().send("GET", "/" + n).status, S3().send("PUT", "/%s/z" % n, body=b"").status), (403, 403))
        eq("WRITE_ACP", put_acl(n, s3=other(US), acl="private").status == 200, permission in ("WRITE_ACP", "FULL_CONTROL"))
    status(put_acl(n, acl="public-read-write"), 200)
    eq("nobody in particular", (S3().send("GET", "/" + n).status, S3().send("PUT", "/%s/z" % n, body=b"").status, S3().send("DELETE", "/%s/z" % n).status), (200, 200, 204))
    error(S3().send("GET", "/%s/gone" % n), 404, "NoSuchKey")
    status(put_acl(n, acl="authenticated-read"), 200)
    eq("who is known", (other().request("GET", n).status, S3().send("GET", "/" + n).status), (200, 403))
    policy = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::" + n}]}
    status(S3().request("PUT", n, query="policy", body=json.dumps(policy).encode()), 204)
    eq("a policy's Deny comes first", other().request("GET", n).status, 403)


def test_access_block():
    """BlockPublicAcls refuses public lists; IgnorePublicAcls passes them over."""
    n = open_bucket(acl="public-read")
    block = "<PublicAccessBlockConfiguration><%s>true</%s></PublicAccessBlockConfiguration>"
    S3().request("PUT", n, "k", body=b"x", headers={"x-amz-acl": "public-read"})
    eq("open", (other().request("GET", n).status, other().request("GET", n, "k").status), (200, 200))
    status(S3().request("PUT", n, query="publicAccessBlock", body=(block % ("BlockPublicAcls", "BlockPublicAcls")).encode()), 200)
    for word in ("public-read", "public-read-write", "authenticated-read"):
        error(put_acl(n, acl=word), 403, "AccessDenied")
        error(put_acl(n, "k", acl=word), 403, "AccessDenied")
        error(S3().request("PUT", n, "l", headers={"x-amz-acl": word}), 403, "AccessDenied")
    status(put_acl(n, acl="log-delivery-write"), 200)
    status(S3().request("PUT", n, query="publicAccessBlock", body=(block % ("IgnorePublicAcls", "IgnorePublicAcls")).encode()), 200)
    status(put_acl(n, acl="public-read"), 200)
    eq("passed over", (other().request("GET", n).status, other().request("GET", n, "k").status, S3().send("GET", "/" + n).status), (403, 403, 403))


def test_refused():
    """Nobody but the owner."""
    n = open_bucket()
    for region in (EU, US):
        error(put_acl(n, s3=other(region), acl="public-read"), 403, "AccessDenied")
        error(S3(region).send("PUT", "/%s?acl" % n, {"x-amz-acl": "public-read"}, b""), 403, "AccessDenied")
        error(put_acl("t-" + secrets.token_hex(8), s3=S3(region), acl="private"), 404, "NoSuchBucket")
    eq("nothing is stored", grants(acl_of(n)), [FULL])


if __name__ == "__main__":
    main()
