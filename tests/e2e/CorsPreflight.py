#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CorsPreflight, and what answers to pages of other origins carry."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403

VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
HEADERS = ("Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Expose-Headers",
           "Access-Control-Max-Age", "Access-Control-Allow-Credentials", "Vary")


def cors(n, *rules):
    body = "".join("<CORSRule>%s</CORSRule>" % "".join("<%s>%s</%s>" % (k, v, k) for k, v in rule) for rule in rules)
    status(S3(EU).request("PUT", n, query="cors", body=("<CORSConfiguration>%s</CORSConfiguration>" % body).encode()), 200)


RULES = ((("AllowedOrigin", "https://*.example.com"), ("AllowedMethod", "GET"), ("AllowedMethod", "PUT"), ("AllowedHeader", "x-amz-*"),
          ("AllowedHeader", "content-type"), ("ExposeHeader", "ETag"), ("ExposeHeader", "x-amz-version-id"), ("MaxAgeSeconds", "300")),
         (("AllowedOrigin", "*"), ("AllowedMethod", "HEAD")))


def preflight(region, target, origin=None, method=None, headers=None):
    h = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return S3(region).send("OPTIONS", target, {k: v for k, v in h.items() if v is not None})


def told(r):
    return tuple(r.get(h) and re.sub(" *, *", ", ", r.get(h)) for h in HEADERS)  # Apache sets Vary anew


def test_allowed():
    """In any region, of a bucket and of an object; presigned or not, what the query says does not matter."""
    n = bucket(EU)
    cors(n, *RULES)
    for region in (EU, US):
        for target in ("/" + n, "/" + n + "/", "/%s/a/b%%20c?x=y" % n, S3(region).presigned("PUT", n, "k"), "/%s?acl&tagging" % n,
                       "/%s/k?uploadId=1&partNumber=1" % n):
            r = preflight(region, target, "https://a.example.com", "PUT", "X-Amz-Date, content-type")
            status(r, 200)
            eq(target, told(r), ("https://a.example.com", "GET, PUT", "x-amz-date, content-type", "ETag, x-amz-version-id", "300", "true", VARY))
            eq("no body", r.body, b"")
        r = preflight(region, "/" + n, "null", "HEAD")
        status(r, 200)
        eq("anybody, without credentials", told(r), ("*", "HEAD", None, None, None, None, VARY))


def test_refused():
    """What is not allowed, in S3's words; nothing of the rules is told."""
    n, bare, gone = bucket(EU), bucket(EU), "t-" + secrets.token_hex(8)
    cors(n, *RULES)
    good = "https://a.example.com"
    rows = ((n, "https://example.org", "GET", None, "CORS request is not allowed"), (n, good, "DELETE", None, "CORS request is not allowed"),
            (n, good, "GET", "x-other", "CORS request is not allowed"), (n, good, "GET", "x-amz-a, x-other", "CORS request is not allowed"),
            (bare, good, "GET", None, "CORS is not enabled for this bucket"), (bare, good, None, None, "CORS is not enabled for this bucket"), (bare, good, "PATCH", None, "CORS is not enabled for this bucket"),
            (gone, good, "GET", None, "Bucket not found"), (gone, good, None, None, "Bucket not found"))
    for region in (EU, US):
        for name, origin, method, headers, words in rows:
            for key, kind in (("", "BUCKET"), ("/k", "OBJECT")):
                r = preflight(region, "/" + name + key, origin, method, headers)
                error(r, 403, "AccessForbidden", Method=method or "OPTIONS", ResourceType=kind if name == n else "BUCKET")
                contains("the message", r.text("Message"), "CORSResponse: ")
                contains("the message", r.text("Message"), words)
                eq("nothing told", told(r), (None,) * len(HEADERS))
        for origin, method, words in ((None, "GET", "Origin request header needed"), (good, None, "Method: null"), (good, "PATCH", "Method: PATCH"),
                                      (good, "OPTIONS", "Method: OPTIONS"), (None, None, "Origin request header needed")):
            r = preflight(region, "/%s/k" % n, origin, method)
            error(r, 400, "BadRequest")
            contains("the message", r.text("Message"), words)
    status(preflight(EU, "/", good, "GET"), 405)


def test_answers_carry_it():
    """Every answer to a page, errors too: of objects, of the bucket, refused and of another region's bucket."""
    n = bucket(EU)
    cors(n, *RULES)
    data = random_bytes(300000, 3)
    for region in (EU, US):
        c = S3(region)
        h = {"Origin": "https://b.example.com"}
        want = ("https://b.example.com", "GET, PUT", None, "ETag, x-amz-version-id", "300", "true", VARY)
        for what, r, st in (("put", c.request("PUT", n, "k", body=data, headers=h), 200), ("get", c.request("GET", n, "k", headers=h), 200),
                            ("a range", c.request("GET", n, "k", headers=dict(h, Range="bytes=0-9")), 206),
                            ("not there", c.request("GET", n, "gone", headers=h), 404), ("list", c.request("GET", n, headers=h), 200),
                            ("nobody", c.send("GET", "/%s/k" % n, h), 403),
                            ("forged", S3(region, KEY, "wrong").request("GET", n, "k", headers=h), 403)):
            eq(what, (r.status, told(r)), (st, want))
            eq("%s: once" % what, len(r.all("Access-Control-Allow-Origin")), 1)
        r = c.request("GET", n, "k", headers=h)
        ok("its bytes", r.body == data)
        etag = r.get("ETag")
        eq("not modified", told(c.request("GET", n, "k", headers=dict(h, **{"If-None-Match": etag})))[0], "https://b.example.com")
        eq("HEAD", told(c.request("HEAD", n, "k", headers=h)), ("*", "HEAD", None, None, None, None, VARY))
        for other in ({"Origin": "https://example.org"}, {}):
            eq("others are told nothing", told(c.request("GET", n, "k", headers=other)), (None,) * len(HEADERS))
        eq("of another method", told(c.request("DELETE", n, "gone", headers=h)), (None,) * len(HEADERS))
    status(S3(US).request("DELETE", n, query="cors"), 204)
    eq("no rules any more", told(S3(EU).request("GET", n, "k", headers=h))[0], None)


if __name__ == "__main__":
    main()
