#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Requests for temporary credentials with their parameters in the query, signed in the header or presigned."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def presigned(params, secret=SECRET, service="sts", now=None):
    when = sigv4.now_text(now)
    scope = "%s/%s/%s/aws4_request" % (when[:8], EU.name, service)
    q = dict(params, **{"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": "%s/%s" % (KEY, scope), "X-Amz-Date": when, "X-Amz-Expires": "60", "X-Amz-SignedHeaders": "host"})
    target = "/?" + sigv4.query_of(q)
    text = sigv4.canonical("GET", target, {"host": EU.netloc}, ["host"], sigv4.EMPTY)
    return target + "&X-Amz-Signature=" + sigv4._sign(secret, when, EU.name, text, service)


WHO = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}


def test_header():
    r = S3().request("GET", query=WHO, service="sts")
    status(r, 200)
    eq("Account", r.xml.findtext("GetCallerIdentityResult/Account"), OWNER)


def test_presigned():
    """As proofs of identity are handed to others."""
    r = S3().send("GET", presigned(WHO))
    status(r, 200)
    eq("UserId", r.xml.findtext("GetCallerIdentityResult/UserId"), KEY)


def test_refused():
    for r, http, code in ((S3().send("GET", presigned(WHO, "wrong")), 403, "SignatureDoesNotMatch"), (S3().send("GET", presigned(WHO, service="s3")), 400, "IncompleteSignature"),
                          (S3().send("GET", presigned(WHO, now=time.time() - 120)), 403, "AccessDenied"), (S3().request("GET", query=WHO, service="s3"), 400, "IncompleteSignature"),
                          (S3(EU, KEY, "wrong").request("GET", query=WHO, service="sts"), 403, "SignatureDoesNotMatch"), (S3().send("GET", "/?Action=GetCallerIdentity"), 403, "MissingAuthenticationToken"),
                          (S3().send("GET", presigned({"Action": "Nonsense"})), 400, "InvalidAction")):
        status(r, http)
        eq("Code", r.xml.findtext("Error/Code"), code)


def test_parameter_elsewhere():
    """At a bucket or key, Action is a parameter that means nothing."""
    n = bucket(EU)
    S3().put(n, "k", b"x")
    eq("read", S3().request("GET", n, "k", query={"Action": "GetCallerIdentity"}).body, b"x")


if __name__ == "__main__":
    main()
