#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A bucket as a website: pages, indexes of folders, redirects, error documents, errors as HTML;
under the region's website domain and under a domain of the bucket's name, from any region."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from anvil import EU, US, KEY, S3, SECRET, allow, bucket, contains, eq, ok, secrets, sigv4, status  # noqa: E402

INDEX = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>"
ERROR = "<ErrorDocument><Key>e/error.html</Key></ErrorDocument>"


def site(inner=INDEX, home=EU, pages=(), public=True, name=None):
    n = name or bucket(home)
    status(S3(home).request("PUT", n, query="website", body=("<WebsiteConfiguration>%s</WebsiteConfiguration>" % inner).encode()), 200)
    if public:
        allow(n, "s3:GetObject")
    for key, body in pages:
        S3(home).put(n, key, body, content_type="text/html")
    return n


def visit(n, target, region=EU, method="GET", host=None, **headers):
    headers = {k.replace("_", "-"): v for k, v in headers.items()}
    headers["Host"] = host or "%s.s3-website.%s" % (n, region.domain)
    return S3(region).send(method, target, headers)


def html(r, http_status, code, **items):
    """An error as S3's website endpoints write it."""
    status(r, http_status)
    eq("type", r.get("Content-Type"), "text/html; charset=utf-8")
    eq("x-amz-error-code", r.get("x-amz-error-code"), code)
    ok("x-amz-error-message", r.get("x-amz-error-message"), r)
    text = r.body.decode()
    ok("title", text.startswith("<html>\n<head><title>%d " % http_status) and text.endswith("<hr/>\n</body>\n</html>\n"), text)
    contains("code", text, "<li>Code: %s</li>" % code)
    contains("request", text, "<li>RequestId: %s</li>" % r.get("x-amz-request-id"))
    for k, v in items.items():
        contains(k, text, "<li>%s: %s</li>" % (k, v))
    return text


def test_pages():
    """The index at folders' ends, 302 to a folder without its slash; from the other region, too."""
    n = site(pages=(("index.html", b"root"), ("a/index.html", b"a"), ("a/b c", b"page")))
    for region in (EU, US):
        for target, body in (("/", b"root"), ("/?list-type=2&versionId=x&acl", b"root"), ("/a/", b"a"), ("/a/b%20c", b"page")):
            r = visit(n, target, region)
            status(r, 200)
            eq(target, r.body, body)
            eq("type", r.get("Content-Type"), "text/html")
        r = visit(n, "/a", region)
        html(r, 302, "Found", Message="Resource Found")
        eq("where", r.get("Location"), "/a/")
        r = visit(n, "/a/", region, "HEAD")
        eq("HEAD", (r.status, r.get("Content-Length"), r.body), (200, "1", b""))
        r = visit(n, "/a/b%20c", region, range="bytes=1-2")
        eq("range", (r.status, r.body), (206, b"ag"))
        r = visit(n, "/", region, if_none_match=r.get("ETag"))
        status(r, 200)
        status(visit(n, "/", region, if_none_match=r.get("ETag")), 304)


def test_preflight():
    """A page of another origin asks before it reads: by the bucket's CORS rules, in any region."""
    n = site(pages=(("index.html", b"root"),))

    def ask(region, method="GET", origin="https://a.example"):
        return visit(n, "/a/b", region, "OPTIONS", origin=origin, access_control_request_method=method, access_control_request_headers="x-asked")
    for region in (EU, US):
        html(ask(region), 403, "AccessForbidden", Method="GET", ResourceType="BUCKET")
    rule = "<CORSRule><AllowedOrigin>https://a.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedHeader>x-asked</AllowedHeader></CORSRule>"
    status(S3().request("PUT", n, query="cors", body=("<CORSConfiguration>%s</CORSConfiguration>" % rule).encode()), 200)
    for region in (EU, US):
        r = ask(region)
        status(r, 200)
        eq("allowed", [r.get("Access-Control-Allow-" + x) for x in ("Origin", "Methods", "Headers")], ["https://a.example", "GET", "x-asked"])
        html(ask(region, "PUT"), 403, "AccessForbidden", Method="PUT")
        html(ask(region, origin="https://b.example"), 403, "AccessForbidden")
        html(visit(n, "/", region, "OPTIONS"), 400, "BadRequest")
        eq("and then", visit(n, "/", region, origin="https://a.example").get("Access-Control-Allow-Origin"), "https://a.example")


def test_methods():
    """Nothing but GET and HEAD; and no S3 request, signed or not."""
    n = site(pages=(("index.html", b"root"),))
    for region in (EU, US):
        for method in ("PUT", "DELETE"):
            r = visit(n, "/k", region, method)
            html(r, 405, "MethodNotAllowed", Method=method, ResourceType="OBJECT")
            eq("Allow", r.get("Allow"), "GET, HEAD")
        host = "%s.s3-website.%s" % (n, region.domain)
        html(S3(region).request("PUT", target="/k", host=host, body=b"x"), 405, "MethodNotAllowed")
        eq("a signature is nothing to a website", S3(region, KEY, "wrong").request("GET", target="/", host=host).body, b"root")


def test_errors():
    """As HTML, in S3's words; a page that may not be read, and one that is not there to who may not list."""
    n = site(public=False)
    for region in (EU, US):
        html(visit(n, "/", region), 403, "AccessDenied", Message="Access Denied")
        gone = "t-" + secrets.token_hex(8)
        html(visit(gone, "/", region), 404, "NoSuchBucket", BucketName=gone)
    none = bucket(EU)
    html(visit(none, "/", US), 404, "NoSuchWebsiteConfiguration", BucketName=none)
    r = visit(n, "/", method="HEAD")
    eq("HEAD", (r.status, r.get("x-amz-error-code"), r.body), (403, "AccessDenied", b""))
    allow(n, "s3:GetObject")
    html(visit(n, "/none"), 403, "AccessDenied")
    everything(n)
    r = visit(n, "/%3Cb%3E%26")
    html(r, 404, "NoSuchKey", Key="&lt;b&gt;&amp;")
    eq("the key", r.get("x-amz-error-detail-Key"), "<b>&")
    html(visit(n, "/" + 1025 * "a"), 400, "KeyTooLongError", Size="1025")


def everything(n):
    """May be listed, so that a key that is not there is 404."""
    doc = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::%s","arn:aws:s3:::%s/*"]}]}' % (n, n)
    status(S3().request("PUT", n, query="policy", body=doc.encode()), 204)


def test_error_document():
    """The owner's own page, with the error's status; and what is said when it cannot be read."""
    n = site(INDEX + ERROR)
    text = html(visit(n, "/none"), 403, "AccessDenied")
    contains("no document", text, "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n<ul>\n<li>Code: AccessDenied</li>")
    everything(n)
    text = html(visit(n, "/none"), 404, "NoSuchKey", Key="none")
    contains("no document", text, "<li>Key: e/error.html</li>")
    S3().put(n, "e/error.html", b"sorry" * 20000, content_type="text/html", x_amz_meta_a="b")
    for region in (EU, US):
        r = visit(n, "/none", region, range="bytes=0-1", if_none_match="*")
        eq("the document", (r.status, r.body), (404, b"sorry" * 20000))
        eq("headers", [r.get(k) for k in ("Content-Type", "x-amz-meta-a", "x-amz-error-code", "x-amz-error-detail-Key")], ["text/html", "b", "NoSuchKey", "none"])
        r = visit(n, "/none", region, "HEAD")
        eq("HEAD", (r.status, r.get("Content-Length"), r.body), (404, "100000", b""))
    html(visit(n, "/none", method="PUT"), 405, "MethodNotAllowed")


def test_redirect_all():
    """To another host, with the path and the query."""
    n = site("<RedirectAllRequestsTo><HostName>www.example.com</HostName><Protocol>https</Protocol></RedirectAllRequestsTo>")
    for region in (EU, US):
        r = visit(n, "/a%20b/?q=1", region)
        eq("301", (r.status, r.get("Location"), r.body), (301, "https://www.example.com/a%20b/?q=1", b""))


def test_rules():
    """By prefix before anything is looked up, by error after it; the rest as it was asked."""
    n = site(INDEX + "<RoutingRules>"
             "<RoutingRule><Condition><KeyPrefixEquals>old/</KeyPrefixEquals></Condition><Redirect><ReplaceKeyPrefixWith>new/</ReplaceKeyPrefixWith></Redirect></RoutingRule>"
             "<RoutingRule><Condition><KeyPrefixEquals>app/</KeyPrefixEquals><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition>"
             "<Redirect><HostName>app.example.com</HostName><Protocol>https</Protocol><ReplaceKeyPrefixWith>#!/</ReplaceKeyPrefixWith><HttpRedirectCode>302</HttpRedirectCode></Redirect></RoutingRule>"
             "<RoutingRule><Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition><Redirect><ReplaceKeyWith>lost.html</ReplaceKeyWith></Redirect></RoutingRule>"
             "</RoutingRules>", pages=(("app/there", b"there"), ("old/x", b"never seen")))
    everything(n)
    for region in (EU, US):
        here = "http://%s.s3-website.%s" % (n, region.domain)
        for target, st, where in (("/old/x%2By", 301, here + "/new/x%2By"), ("/app/a/b", 302, "https://app.example.com/#!/a/b"), ("/none", 301, here + "/lost.html")):
            r = visit(n, target, region)
            eq(target, (r.status, r.get("Location"), r.body), (st, where, b""))
        eq("no error", visit(n, "/app/there", region).body, b"there")


def test_moved_object():
    """x-amz-website-redirect-location is a redirect here, and a header to S3 clients."""
    n = site()
    for key, where in (("k", "/other?a=b"), ("index.html", "https://www.example.com/")):
        S3().put(n, key, b"x", x_amz_website_redirect_location=where)
        r = visit(n, "/" if key == "index.html" else "/k", US)
        eq(key, (r.status, r.get("Location"), r.body), (301, where, b""))
        r = S3(US).get(n, key)
        eq("to S3", (r.status, r.body, r.get("x-amz-website-redirect-location")), (200, b"x", where))


def test_custom_domain():
    """A host of the bucket's own name: who signs nothing and reads is a visitor, all else is S3."""
    name = "www.%s.example.org" % secrets.token_hex(8)
    status(S3(EU).request("PUT", name), 200)
    try:
        site(INDEX, name=name, pages=(("index.html", b"root"),))
        for region in (EU, US):
            eq("page", visit(name, "/", region, host=name).body, b"root")
            html(visit(name, "/none", region, host=name), 403, "AccessDenied")
            eq("signed", S3(region).request("GET", target="/?list-type=2", host=name).xml.tag, "ListBucketResult")
            url = sigv4.presign("GET", "/index.html", name, KEY, SECRET, region.name, 300)
            eq("presigned", S3(region).send("GET", url, {"Host": name}).body, b"root")
            eq("no visitor", S3(region).send("DELETE", "/index.html", {"Host": name}).code, "AccessDenied")
        status(S3().request("DELETE", name, query="website"), 204)
        eq("no website", S3(US).send("GET", "/none", {"Host": name}).code, "AccessDenied")
        status(S3().delete(name, "index.html"), 204)
    finally:
        status(S3(EU).request("DELETE", name), 204)


if __name__ == "__main__":
    main()
