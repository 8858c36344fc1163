#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetObject: whole, ranges, conditions."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from uploads import MIN, etag, upload  # noqa: E402


DATA = random_bytes(300000, 7)


def two(n):
    """A small object (in its row) and a large one (a file)."""
    S3().put(n, "small", DATA[:5000])
    S3().put(n, "large", DATA)
    return (("small", DATA[:5000]), ("large", DATA))


def test_whole():
    n = bucket(EU)
    for key, data in two(n):
        for region in (EU, US):
            r = S3(region).get(n, key)
            status(r, 200)
            ok("bytes equal", r.body == data)
            eq("Content-Length", r.get("Content-Length"), str(len(data)))
            eq("Accept-Ranges", r.get("Accept-Ranges"), "bytes")
            eq("ETag", r.get("ETag"), '"%s"' % hashlib.md5(data).hexdigest())
            ok("Last-Modified", re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", r.get("Last-Modified") or ""), r.headers)
            eq("each header once", len(r.all("ETag")) + len(r.all("Last-Modified")) + len(r.all("Content-Type")), 3)


def test_ranges():
    n = bucket(EU)
    for key, data in two(n):
        size = len(data)
        for spec, a, b in (("0-0", 0, 1), ("0-9", 0, 10), ("10-19", 10, 20), ("%d-" % (size - 1), size - 1, size), ("-1", size - 1, size), ("-7", size - 7, size),
                           ("5-", 5, size), ("0-%d" % (size + 100), 0, size), ("-%d" % (size + 5), 0, size)):
            for region in (EU, US):
                r = S3(region).get(n, key, Range="bytes=" + spec)
                status(r, 206)
                eq("Content-Range of %s" % spec, r.get("Content-Range"), "bytes %d-%d/%d" % (a, b - 1, size))
                eq("Content-Length of %s" % spec, r.get("Content-Length"), str(b - a))
                ok("bytes of %s equal" % spec, r.body == data[a:b], len(r.body))


def test_range_not_satisfiable():
    n = bucket(EU)
    for key, data in two(n):
        for spec in ("%d-" % len(data), "%d-%d" % (len(data), len(data) + 5), "-0"):
            r = S3().get(n, key, Range="bytes=" + spec)
            error(r, 416, "InvalidRange", ActualObjectSize=str(len(data)), RangeRequested="bytes=" + spec)
            eq("the error is whole", int(r.get("Content-Length")), len(r.body))


def test_range_ignored():
    """Several ranges, other units and nonsense: the whole object, as S3 does."""
    n = bucket(EU)
    for key, data in two(n):
        for spec in ("bytes=0-1,3-4", "lines=1-2", "bytes=x-y", "bytes=5-1", "nonsense"):
            r = S3().get(n, key, Range=spec)
            status(r, 200)
            ok("whole for %s" % spec, r.body == data, len(r.body))


def test_checksum_of_a_range():
    """Told where the range is the whole object, and of no less."""
    n = bucket(EU)
    for key, data in two(n):
        for spec, told in (("0-", True), ("0-%d" % (len(data) + 9), True), ("-%d" % len(data), True), ("1-", False), ("0-%d" % (len(data) - 2), False)):
            r = S3().get(n, key, Range="bytes=" + spec, x_amz_checksum_mode="ENABLED")
            status(r, 206)
            eq("of %s of %s" % (spec, key), r.get("x-amz-checksum-crc64nvme"), sigv4.checksum("crc64nvme", data) if told else None)


def test_range_of_nothing():
    n = bucket(EU)
    S3().put(n, "empty", b"")
    error(S3().get(n, "empty", Range="bytes=0-0"), 416, "InvalidRange")
    status(S3().get(n, "empty"), 200)


def test_conditions():
    """The four conditional headers and the order in which they count."""
    n = bucket(EU)
    for key, data in two(n):
        r = S3().get(n, key)
        tag, date = r.get("ETag"), r.get("Last-Modified")
        old, new = "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
        for headers, expected in (
                ({"If-Match": tag}, 200), ({"If-Match": '"x"'}, 412), ({"If-Match": "*"}, 200), ({"If-Match": '"x", %s' % tag}, 200), ({"If-Match": tag.strip('"')}, 200),
                ({"If-None-Match": tag}, 304), ({"If-None-Match": '"x"'}, 200), ({"If-None-Match": "*"}, 304),
                ({"If-Modified-Since": old}, 200), ({"If-Modified-Since": new}, 200), ({"If-Modified-Since": date}, 304), ({"If-Modified-Since": "rubbish"}, 200),
                ({"If-Unmodified-Since": old}, 412), ({"If-Unmodified-Since": new}, 200), ({"If-Unmodified-Since": date}, 200),
                ({"If-Match": tag, "If-Unmodified-Since": old}, 200), ({"If-None-Match": '"x"', "If-Modified-Since": date}, 200), ({"If-None-Match": tag, "If-Modified-Since": old}, 304),
                ({"If-Match": tag, "Range": "bytes=0-9"}, 206), ({"If-None-Match": tag, "Range": "bytes=0-9"}, 304), ({"If-Match": '"x"', "Range": "bytes=0-9"}, 412)):
            for method in ("GET", "HEAD"):
                c = S3().request(method, n, key, headers=headers)
                eq("%s %s with %s: status" % (method, key, headers), c.status, expected)
                if expected == 304:
                    eq("304 has no body", c.body, b"")
                    eq("304 has the ETag", c.get("ETag"), tag)
                if expected == 412 and method == "GET":
                    error(c, 412, "PreconditionFailed", Condition=None)


def test_if_range():
    n = bucket(EU)
    for key, data in two(n):
        tag = S3().head(n, key).get("ETag")
        for value, expected in ((tag, 206), ('"other"', 200)):
            r = S3().get(n, key, Range="bytes=0-9", If_Range=value)
            if expected == 206:
                status(r, 206)
            else:
                ok("If-Range of another version gives the whole, or a range as S3 does", r.status in (200, 206), r)


def test_response_overrides():
    """response-* of signed requests; 400 for anonymous ones."""
    n = bucket(EU)
    for key, data in two(n):
        r = S3().request("GET", n, key, query={"response-content-type": "text/plain; x=1", "response-content-disposition": "attachment", "response-cache-control": "no-store"})
        status(r, 200)
        eq("Content-Type", r.get("Content-Type"), "text/plain; x=1")
        eq("Content-Disposition", r.get("Content-Disposition"), "attachment")
        eq("Cache-Control", r.get("Cache-Control"), "no-store")
        ok("bytes equal", r.body == data)


def test_missing():
    n = bucket(EU)
    error(S3().get(n, "none"), 404, "NoSuchKey", Key="none")
    error(S3(US).get(n, "none <&> \u00e9"), 404, "NoSuchKey", Key="none <&> \u00e9")
    error(S3().get("t-" + secrets.token_hex(8), "k"), 404, "NoSuchBucket")


def test_version():
    """A bucket that never had versions has one of each object: null."""
    n = bucket(EU)
    S3().put(n, "k", b"x")
    eq("the null version", S3().request("GET", n, "k", query={"versionId": "null"}).body, b"x")
    error(S3().request("GET", n, "k", query={"versionId": "ffffffffffffffff"}), 404, "NoSuchVersion", Key="k", VersionId="ffffffffffffffff")
    error(S3().request("GET", n, "k", query={"versionId": ""}), 400, "InvalidArgument", ArgumentName="versionId")


def test_refused():
    n = bucket(EU)
    S3().put(n, "k", b"secret")
    for r in (S3(EU, KEY2, SECRET2).get(n, "k"), S3(US, KEY2, SECRET2).get(n, "k"), S3(EU, KEY2, SECRET2).get(n, "none"), S3().send("GET", "/%s/k" % n)):
        error(r, 403, "AccessDenied")


def test_odd_key():
    n = bucket(EU)
    for key in ("a//b", "a/./b", "a/../b", "a b", "a+b", "a%20b", "\u00fc\U0001f37a", "a\\b", "x;y", "q?r", "h#s", "~t", "tab\tx"):
        S3().put(n, key, key.encode())
    for key in S3().keys(n):
        eq("of %r" % key, S3(US).get(n, key).body, key.encode())


def test_wire():
    """The error's bytes as S3 writes them."""
    n = bucket(EU)
    r = S3().get(n, "none")
    ok("error document", re.match(rb'<\?xml version="1.0" encoding="UTF-8"\?>\s*<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>', r.body), r.body)
    eq("Resource or Key names it", b"none" in r.body, True)


def test_head_then_get_on_one_connection():
    """HEAD of a large object sends no body, so that the next answer on the connection is whole."""
    n = bucket(EU)
    two(n)
    c = anvil_connection(EU)
    for method, key in (("HEAD", "large"), ("GET", "small"), ("HEAD", "small"), ("GET", "large"), ("HEAD", "none"), ("GET", "small")):
        target, headers = "/%s/%s" % (n, key), {"host": EU.netloc}
        sigv4.sign(method, target, headers, sigv4.EMPTY, KEY, SECRET, EU.name)
        c.request(method, target, headers={k: v for k, v in headers.items()})
        r = c.getresponse()
        body = r.read()
        if method == "GET":
            ok("%s whole" % key, body == (DATA if key == "large" else DATA[:5000]), len(body))
        elif key != "none":
            eq("HEAD tells the length", r.getheader("Content-Length"), str(len(DATA if key == "large" else DATA[:5000])))
    c.close()


def anvil_connection(region):
    return http.client.HTTPConnection(region.host, region.port, timeout=60)


def test_part_number():
    """206 with the part's bytes and how many there are; HEAD the same; what was not uploaded in parts is its own first."""
    n = bucket(EU)
    bodies = [random_bytes(MIN, 1), random_bytes(1000, 2)]
    _, _ = upload(n, "k", bodies)
    S3().put(n, "plain", b"body")
    S3().put(n, "large", random_bytes(200000, 3))
    S3().put(n, "empty", b"")
    at = 0
    for number, body in enumerate(bodies, 1):
        for region in (EU, US):
            g, h = (S3(region).request(m, n, "k", query={"partNumber": str(number)}) for m in ("GET", "HEAD"))
            ok("bytes equal", g.body == body)
            for r in (g, h):
                status(r, 206)
                eq("range", r.get("Content-Range"), "bytes %d-%d/%d" % (at, at + len(body) - 1, sum(map(len, bodies))))
                eq("count, ETag, length", (r.get("x-amz-mp-parts-count"), r.get("ETag"), r.get("Content-Length")), ("2", etag(bodies), str(len(body))))
        at += len(body)
    for key, size in (("plain", 4), ("large", 200000)):
        g = S3().request("GET", n, key, query={"partNumber": "1"})
        status(g, 206)
        eq("whole", (len(g.body), g.get("x-amz-mp-parts-count"), g.get("Content-Range")), (size, None, "bytes 0-%d/%d" % (size - 1, size)))
    eq("nothing", S3().request("GET", n, "empty", query={"partNumber": "1"}).body, b"")
    for key, number, count in (("k", "3", "2"), ("plain", "2", "1")):
        for region in (EU, US):
            error(S3(region).request("GET", n, key, query={"partNumber": number}), 416, "InvalidPartNumber", PartNumberRequested=number, ActualPartCount=count)
            status(S3(region).request("HEAD", n, key, query={"partNumber": number}), 416)
    for number in ("0", "10001", "x"):
        error(S3().request("GET", n, "k", query={"partNumber": number}), 400, "InvalidArgument")
    error(S3().request("GET", n, "k", query={"partNumber": "1"}, headers={"Range": "bytes=0-1"}), 400, "InvalidRequest")
    eq("no count without", S3().head(n, "k").get("x-amz-mp-parts-count"), None)


if __name__ == "__main__":
    main()
