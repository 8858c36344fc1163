#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who signs, and is it true: SigV4 in the header and in the query."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403

import base64  # noqa: E402
import hmac  # noqa: E402



def operations():
    """Rows of the table: (name, method, level, query, header, handler)."""
    rows = []
    for line in open(os.path.join(SOURCE, "s3", "operations.def"), encoding="utf-8"):
        m = re.match(r'OP\((\w+),\s*(\w+),\s*(\w+),\s*(NULL|"[^"]*"),\s*(NULL|"[^"]*"),\s*(\w+),', line)
        if m:
            name, method, level, query, header, handler = m.groups()
            rows.append((name, method, level, None if query == "NULL" else query.strip('"'), None if header == "NULL" else header.strip('"'), handler))
    ok("the table was read", len(rows) > 50, len(rows))
    return rows


def target_of(row, n):
    name, method, level, query, header, handler = row
    path = {"SERVICE": "/", "BUCKET": "/" + n, "OBJECT": "/%s/k" % n, "TARGET": "/%s/k" % n}[level]
    q = "&".join(p if "=" in p else p + "=1" if p in ("uploadId", "partNumber", "id") else p for p in (query or "").split("&") if p)
    return path + ("?" + q if q else ""), {header: "/%s/k" % n} if header else {}


def test_unknown_key():
    error(S3(EU, "AKIANOTHERE000000000", SECRET).request("GET"), 403, "InvalidAccessKeyId", AWSAccessKeyId="AKIANOTHERE000000000")


def test_wrong_secret():
    r = S3(EU, KEY, "wrong").request("GET")
    error(r, 403, "SignatureDoesNotMatch", AWSAccessKeyId=KEY, StringToSign=None, SignatureProvided=None, CanonicalRequest=None)
    ok("the secret is not told", SECRET.encode() not in r.body)


def forged_form(n, region, key=KEY, secret="wrong", token=None):
    """A form whose policy would allow all, signed with another secret."""
    when = sigv4.now_text()
    fields = {"key": "forged", "x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-credential": "%s/%s/%s/s3/aws4_request" % (key, when[:8], region.name), "x-amz-date": when}
    if token:
        fields["x-amz-security-token"] = token
    document = {"expiration": "2099-01-01T00:00:00Z", "conditions": [{"bucket": n}] + [{k: v} for k, v in fields.items()]}
    fields["policy"] = base64.b64encode(json.dumps(document).encode()).decode()
    fields["x-amz-signature"] = hmac.new(sigv4.signing_key(secret, when[:8], region.name), fields["policy"].encode(), hashlib.sha256).hexdigest()
    parts = "".join('--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % kv for kv in fields.items())
    return (parts + '--B\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--B--\r\n').encode()


def forgeries(row, n, session, region):
    """Requests for a row of the table, each well-formed and signed with a secret that is not the key's: (form of signature, answer)."""
    name, method, service = row[0], row[1], "sts" if row[0].startswith("SecurityToken") else "s3"
    target, headers = target_of(row, n)
    body = b"" if method in ("PUT", "POST") else None
    temporary, token = session
    for what, key, t in (("header", KEY, None), ("header of a session", temporary, token)):
        yield what, S3(region, key, "wrong").request(method, target=target, headers=dict(headers), service=service, token=t)
        yield what + ", unsigned payload", S3(region, key, "wrong").request(method, target=target, headers=dict(headers), payload=sigv4.UNSIGNED, service=service, token=t)
        if method in ("PUT", "POST") and service == "s3":
            for kind in (sigv4.STREAM, sigv4.STREAM_TRAILER, sigv4.STREAM_UNSIGNED):
                h = dict(headers, host=region.netloc, **{"x-amz-decoded-content-length": "1"})
                if kind != sigv4.STREAM:
                    h["x-amz-trailer"] = "x-amz-checksum-crc32"
                seed = sigv4.sign(method, target, h, kind, key, "wrong", region.name, token=t)
                trailer = None if kind == sigv4.STREAM else {"x-amz-checksum-crc32": sigv4.checksum("crc32", b"x")}
                yield "%s, %s" % (what, kind), S3(region).send(method, target, h, sigv4.chunked(b"x", seed, "wrong", h["x-amz-date"], region.name, trailer, kind != sigv4.STREAM_UNSIGNED))
        signed = target + (("&" if "?" in target else "?") + sigv4.query_of({"X-Amz-Security-Token": t}) if t else "")
        yield what.replace("header", "query"), S3(region).send(method, sigv4.presign(method, signed, region.netloc, key, "wrong", region.name, headers=headers, service=service), dict(headers), body)
        if method == "POST":
            yield what.replace("header", "form"), S3(region).send(method, target, dict(headers, **{"Content-Type": "multipart/form-data; boundary=B"}), forged_form(n, region, key, "wrong", t))
    # version 2 is refused whatever it says
    yield "v2 header", S3(region).send(method, target, dict(headers, Authorization="AWS %s:AAAAAAAAAAAAAAAAAAAAAAAAAAA=" % KEY, Date=time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())), body)
    yield "v2 query", S3(region).send(method, target + ("&" if "?" in target else "?") + "AWSAccessKeyId=%s&Signature=AAAA&Expires=%d" % (KEY, time.time() + 60), dict(headers), body)


def test_forged_for_every_operation():
    """A wrong signature of each form, of a lasting and of a temporary key, against each row of the operation table, at the bucket's home and at another region: none is let in."""
    n = bucket(EU)
    S3().put(n, "k", b"x")
    r = S3().request("POST", target="/", body=b"Action=GetSessionToken&Version=2011-06-15", service="sts", headers={"content-type": "application/x-www-form-urlencoded"})
    status(r, 200)
    session = r.xml.findtext(".//AccessKeyId"), r.xml.findtext(".//SessionToken")
    let_in, count = [], 0
    for row, region in ((row, region) for row in operations() for region in REGIONS[:2]):
        if row[0] == "CorsPreflight":
            continue
        for what, r in forgeries(row, n, session, region):
            count += 1
            # 400: version 2, and what is malformed before it is false (a form where none goes); never a success, never 404
            if r.status != 403 and not (r.status == 400 and what.startswith("v2")) and not (r.status in (400, 403) and "form" in what):
                let_in.append((what, row[0], region.name, r.status, r.body[:200]))
    eq("let in or not answered 403", let_in, [])
    ok("each form against each row", count > 900, count)
    eq("nothing changed", (S3().get(n, "k").body, S3().keys(n)), (b"x", ["k"]))


def test_anonymous_for_every_operation():
    """Without credentials each row is refused, too."""
    n = bucket(EU)
    S3().put(n, "k", b"x")
    let_in = []
    for row in operations():
        if row[0] in ("CorsPreflight", "PostObject", "DeleteObjects"):
            continue
        target, headers = target_of(row, n)
        r = S3(EU).send(row[1], target, headers, b"" if row[1] in ("PUT", "POST") else None)
        if r.status != 403:
            let_in.append((row[0], r.status, r.body[:200]))
    eq("let in or not answered 403", let_in, [])
    # DeleteObjects answers for each key on its own
    body = b"<Delete><Object><Key>k</Key></Object></Delete>"
    r = S3(EU).send("POST", "/%s?delete" % n, {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}, body)
    if r.status != 403:
        status(r, 200)
        eq("each key", [x.findtext("Code") for x in r.xml.findall("Error")], ["AccessDenied"])
    eq("nothing changed", S3().get(n, "k").body, b"x")


def test_not_built_is_named():
    """Each operation that is known but not built: 501 NotImplemented, counted, and nothing else happens."""
    n = bucket(EU)
    S3().put(n, "k", b"x")
    before = metric(EU, "anvil_not_implemented_total")
    wrong, count = [], 0
    for row in operations():
        if row[5] != "op_not_implemented" or row[0] in ("CorsPreflight", "PostObject", "WriteGetObjectResponse"):
            continue
        target, headers = target_of(row, n)
        r = S3(EU).request(row[1], target=target, headers=headers)
        count += 1
        if r.status != 501 or r.code != "NotImplemented":
            wrong.append((row[0], row[1], target, r.status, r.body[:200]))
    eq("not answered 501 NotImplemented", wrong, [])
    eq("nothing changed", (S3().get(n, "k").body, S3().keys(n)), (b"x", ["k"]))
    after = metric(EU, "anvil_not_implemented_total")
    ok("counted", after - before >= count, (before, after, count))


def test_unknown_subresource():
    """An unknown subresource or parameter never falls through to a destructive operation."""
    n = bucket(EU)
    S3().put(n, "k", b"x")
    for method, target in (("DELETE", "/%s/k?tagging" % n), ("DELETE", "/%s/k?uploadId=x" % n), ("PUT", "/%s/k?acl" % n), ("DELETE", "/%s?lifecycle" % n), ("PUT", "/%s?versioning" % n)):
        S3().request(method, target=target)
        eq("the object is there after %s %s" % (method, target), S3().get(n, "k").body, b"x")
    for method in ("GET", "PUT", "DELETE"):
        for path in ("/%s" % n, "/%s/k" % n):
            for word in ("nothing", "no-such-thing="):
                error(S3().request(method, target="%s?%s" % (path, word)), 501, "NotImplemented")
    for method, target in (("DELETE", "/%s?location" % n), ("DELETE", "/%s/k?acl" % n), ("PUT", "/%s/k?uploads" % n), ("PUT", "/%s?versions" % n), ("POST", "/%s/k" % n)):
        r = S3().request(method, target=target)
        error(r, 405, "MethodNotAllowed", Method=method, ResourceType=None)
        ok("Allow is there", r.get("Allow"), r.headers)
    eq("nothing changed", S3().get(n, "k").body, b"x")
    eq("what means nothing is passed over", S3().request("GET", target="/%s/k?cache=17" % n).body, b"x")


def test_token_with_lasting_key():
    error(S3().request("GET", token="abc"), 400, "InvalidToken")


def test_date_window():
    """Fifteen minutes either way."""
    now = time.time()
    for shift, good in ((-600, True), (600, True), (-1000, False), (1000, False)):
        r = S3().request("GET", now=now + shift)
        if good:
            status(r, 200)
        else:
            error(r, 403, "RequestTimeTooSkewed", RequestTime=None, ServerTime=None, MaxAllowedSkewMilliseconds="900000")


def test_scope():
    """The region of the scope: this one, the bucket's home, us-east-1; another is told the right one."""
    n = bucket(EU)
    for scope in (EU.name, "us-east-1"):
        status(S3(EU, scope=scope).request("HEAD", n), 200)
        status(S3(EU, scope=scope).request("GET"), 200)
    status(S3(US, scope=EU.name).request("GET", n, query={"list-type": "2"}), 200)
    error(S3(EU, scope="mars").request("GET", n, query={"list-type": "2"}), 400, "AuthorizationHeaderMalformed", Region=EU.name)
    error(S3(US, scope="mars").request("GET", n, query={"list-type": "2"}), 400, "AuthorizationHeaderMalformed", Region=EU.name)
    # A client that knows AWS's names only takes the endpoint's for the region; and only the one that it asks.
    host = "%s.%s:%d" % (n, US.domain, US.port)
    status(S3(US, scope=US.host).request("PUT", n, "k", body=b"x"), 200)
    eq("the host as region", S3(EU, scope=EU.host).request("GET", n, "k").body, b"x")
    eq("the domain as region", S3(US, scope=US.domain).request("GET", target="/k", host=host).body, b"x")
    eq("presigned", S3(US).send("GET", S3(US, scope=US.host).presigned("GET", n, "k")).body, b"x")
    error(S3(US, scope=EU.domain).request("GET", n, "k"), 400, "AuthorizationHeaderMalformed", Region=EU.name)
    error(S3(US, scope="%s.%s" % (n, US.domain)).request("GET", target="/k", host=host), 400, "AuthorizationHeaderMalformed", Region=EU.name)
    r = S3().request("GET", service="ec2")
    ok("another service", r.status in (400, 403) and r.code in ("AuthorizationHeaderMalformed", "SignatureDoesNotMatch"), r)


def test_host_without_port():
    """AWS's endpoints have no port, so clients sign the name alone and send the port too; no other name is let through."""
    n = bucket(EU)
    S3().put(n, "k", b"x" * 1000)

    def ask(via, target, signs, sends, scope=None):
        h = {"host": signs}
        sigv4.sign("GET", target, h, sigv4.EMPTY, KEY, SECRET, scope or via.name)
        h["host"] = sends
        return S3(via).send("GET", target, h)

    for via in (EU, US):
        vhost = "%s.%s" % (n, via.domain)
        eq("path style", len(ask(via, "/%s/k" % n, via.host, via.netloc).body), 1000)
        eq("virtual host", len(ask(via, "/k", vhost, "%s:%d" % (vhost, via.port)).body), 1000)
        eq("and its scope the name", len(ask(via, "/%s/k" % n, via.host, via.netloc, via.host).body), 1000)
        at = sigv4.presign("GET", "/%s/k" % n, via.host, KEY, SECRET, via.name)
        eq("presigned", len(S3(via).send("GET", at).body), 1000)
        for signs, sends in (("localhost", via.netloc), (via.host + ":1", via.netloc), (via.netloc, via.host), (via.netloc, via.host + ":1")):
            error(ask(via, "/%s/k" % n, signs, sends), 403, "SignatureDoesNotMatch")


def test_date_header():
    """Date in the place of x-amz-date, as S3 takes it: in the form of HTTP, and with botocore's zone in numbers."""
    for form in ("%a, %d %b %Y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S -0000", "%Y%m%dT%H%M%SZ"):
        now = time.gmtime()
        when = time.strftime("%Y%m%dT%H%M%SZ", now)
        headers = {"host": EU.netloc, "date": time.strftime(form, now), "x-amz-content-sha256": sigv4.EMPTY}
        signed = sorted(headers)
        sig = sigv4._sign(SECRET, when, EU.name, sigv4.canonical("GET", "/", headers, signed, sigv4.EMPTY), "s3")
        headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s/%s/s3/aws4_request, SignedHeaders=%s, Signature=%s" % (
            KEY, when[:8], EU.name, ";".join(signed), sig)
        status(S3().send("GET", "/", headers), 200)


def test_malformed():
    for value in ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 x", "AWS4-HMAC-SHA256 Credential=%s, SignedHeaders=host, Signature=00" % KEY,
                  "AWS4-HMAC-SHA256 Credential=%s/20260101/eu/s3/aws4_request, SignedHeaders=, Signature=%s" % (KEY, "0" * 64)):
        r = S3().send("GET", "/", {"Authorization": value, "x-amz-date": sigv4.now_text(), "x-amz-content-sha256": sigv4.EMPTY})
        ok("refused: %s" % value, r.status in (400, 403) and r.code, r)
    for value in ("AWS %s:c2lnbmF0dXJl" % KEY, "Basic dTpw", "Bearer x"):
        r = S3().send("GET", "/", {"Authorization": value, "Date": "Wed, 25 Nov 2026 00:00:00 GMT"})
        ok("refused: %s" % value, r.status in (400, 403) and r.code, r)


def test_host_and_amz_headers_must_be_signed():
    """Host unsigned, or an x-amz-* header unsigned: refused."""
    r = S3().request("GET", unsigned=("host",))
    ok("host", r.status in (400, 403), r)
    n = bucket(EU)
    r = S3().request("PUT", n, "k", body=b"x", headers={"x-amz-meta-a": "b"}, unsigned=("x-amz-meta-a",))
    error(r, 403, "AccessDenied") if r.status == 403 and r.code == "AccessDenied" else ok("x-amz-meta-a", r.status in (400, 403), r)
    eq("nothing is left", S3().keys(n), [])


def test_changed_after_signing():
    """Method, path, query, a signed header: each is covered."""
    n = bucket(EU)
    S3().put(n, "k", b"x")
    headers = {"host": EU.netloc, "x-amz-meta-a": "1"}
    sigv4.sign("GET", "/%s/k" % n, headers, sigv4.EMPTY, KEY, SECRET, EU.name)
    for method, target, change in (("HEAD", "/%s/k" % n, {}), ("GET", "/%s/K" % n, {}), ("GET", "/%s/k?versionId=1" % n, {}), ("GET", "/%s/k" % n, {"x-amz-meta-a": "2"}),
                                   ("GET", "/%s/k" % n, {"x-amz-date": sigv4.now_text(time.time() - 60)}), ("DELETE", "/%s/k" % n, {})):
        r = S3().send(method, target, dict(headers, **change))
        eq("%s %s %s" % (method, target, change), r.status, 403)
    status(S3().send("GET", "/%s/k" % n, headers), 200)


def test_equivalent_encodings():
    """A client may encode more or less than S3 does: %7E for ~, lower-case hexadecimal."""
    n = bucket(EU)
    S3().put(n, "a~b+c", b"x")
    for target in ("/%s/a~b+c", "/%s/a%%7Eb%%2Bc", "/%s/a%%7eb%%2bc", "/%s/%%61~b%%2Bc"):
        r = S3().request("GET", target=target % n)
        status(r, 200)
        eq("bytes", r.body, b"x")


def test_presigned():
    """GET, PUT, HEAD and DELETE by query, through both regions."""
    n = bucket(EU)
    for region in (EU, US):
        s3 = S3(region)
        status(s3.send("PUT", s3.presigned("PUT", n, "k"), body=b"presigned"), 200)
        r = s3.send("GET", s3.presigned("GET", n, "k"))
        status(r, 200)
        eq("bytes", r.body, b"presigned")
        r = s3.send("GET", s3.presigned("GET", n, "k", query={"response-content-type": "a/b"}))
        eq("override", r.get("Content-Type"), "a/b")
        status(s3.send("GET", s3.presigned("GET", n, "k"), {"Range": "bytes=0-2"}), 206)
        status(s3.send("HEAD", s3.presigned("HEAD", n, "k")), 200)
        status(s3.send("DELETE", s3.presigned("DELETE", n, "k")), 204)


def test_presigned_refused():
    n = bucket(EU)
    S3().put(n, "k", b"x")
    s3 = S3()
    good = s3.presigned("GET", n, "k")
    for what, target in (("another signature", good[:-4] + "0000"), ("another key", good.replace("/k?", "/l?")), ("longer", good.replace("X-Amz-Expires=300", "X-Amz-Expires=301")),
                         ("more query", good + "&versionId=1"), ("another method's", s3.presigned("PUT", n, "k"))):
        r = s3.send("GET", target)
        ok(what, r.status in (403, 404) and r.status == 403, r)
    error(s3.send("GET", s3.presigned("GET", n, "k", expires=60, now=time.time() - 120)), 403, "AccessDenied")
    error(s3.send("GET", s3.presigned("GET", n, "k", expires=604801)), 400, "AuthorizationQueryParametersError")
    error(s3.send("GET", s3.presigned("GET", n, "k", expires=-1)), 400, "AuthorizationQueryParametersError")
    r = s3.send("GET", s3.presigned("GET", n, "k", now=time.time() + 3600))
    eq("signed for later", r.status, 403)
    r = s3.send("GET", re.sub(r"&X-Amz-Signature=.*", "", good))
    ok("without signature", r.status in (400, 403), r)
    r = s3.request("GET", target=good)
    ok("both header and query", r.status in (400, 403), r)


def test_presigned_odd_key():
    n = bucket(EU)
    key = "a b+c/%2F//\u00e9&='\""
    status(S3(US).send("PUT", S3(US).presigned("PUT", n, key), body=b"odd"), 200)
    eq("bytes", S3(EU).send("GET", S3(EU).presigned("GET", n, key)).body, b"odd")


def test_presigned_with_signed_headers():
    n = bucket(EU)
    t = S3().presigned("PUT", n, "k", headers={"x-amz-meta-a": "b", "content-type": "x/y"})
    status(S3().send("PUT", t, {"x-amz-meta-a": "b", "content-type": "x/y"}, b"x"), 200)
    eq("metadata", S3().head(n, "k").get("x-amz-meta-a"), "b")
    r = S3().send("PUT", t, {"x-amz-meta-a": "c", "content-type": "x/y"}, b"x")
    eq("changed", r.status, 403)


def test_host_style():
    """BUCKET.DOMAIN: the whole path is the key, the Host is signed."""
    n = bucket(EU)
    for region in (EU, US):
        host = "%s.%s:%d" % (n, region.domain, region.port)
        s3 = S3(region)
        status(s3.request("PUT", target="/a/b%20c", host=host, body=b"vhost"), 200)
        eq("bytes", s3.request("GET", target="/a/b%20c", host=host).body, b"vhost")
        eq("the same as by path", S3(EU).get(n, "a/b c").body, b"vhost")
        status(s3.request("GET", target="/?list-type=2", host=host), 200)
        status(s3.request("DELETE", target="/a/b%20c", host=host), 204)
    r = S3().send("GET", S3().presigned("GET", None, None, host="%s.%s" % (n, EU.domain)), {"Host": "%s.%s" % (n, EU.domain)})
    status(r, 200)


def test_disabled_and_deleted_key():
    """A key that is disabled, enabled, deleted: each seen by both regions at once."""
    made = admin_json(EU, "app", "create", "demo", "e2e-auth")
    key, secret = find_field(made, "access_key"), find_field(made, "secret")
    for region in (EU, US):
        status(S3(region, key, secret).request("GET"), 200)
    admin(EU, "app", "disable", key)
    for region in (US, EU):
        error(S3(region, key, secret).request("GET"), 403, "InvalidAccessKeyId")
    admin(US, "app", "enable", key)
    for region in (EU, US):
        status(S3(region, key, secret).request("GET"), 200)
    admin(EU, "app", "delete", key, "--yes")
    for region in (US, EU):
        error(S3(region, key, secret).request("GET"), 403, "InvalidAccessKeyId")


if __name__ == "__main__":
    main()
