#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the web server's configuration must do, whichever it is."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


DATA = random_bytes(2000000, 6)


def test_large_files_leave_nothing_out():
    """Headers of an answer whose bytes the web server sends from the file: all of S3's are there."""
    n = bucket(EU)
    S3().request("PUT", n, "plain", body=DATA, headers={"Content-Type": "x/y", "Cache-Control": "max-age=1"})
    S3().request("PUT", n, "meta", body=DATA, headers={"Content-Type": "x/y", "x-amz-meta-a": "b", "Content-Language": "de", "Content-Disposition": "inline"})
    for key in ("plain", "meta"):
        r = S3().get(n, key, x_amz_checksum_mode="ENABLED")
        status(r, 200)
        ok("bytes equal", r.body == DATA)
        eq("Content-Type", r.get("Content-Type"), "x/y")
        eq("ETag", r.all("ETag"), ['"%s"' % hashlib.md5(DATA).hexdigest()])
        eq("Content-Length", r.get("Content-Length"), str(len(DATA)))
        eq("one Last-Modified, that of the object", (len(r.all("Last-Modified")), r.get("Last-Modified")), (1, S3().head(n, key).get("Last-Modified")))
        eq("Accept-Ranges", r.all("Accept-Ranges"), ["bytes"])
        eq("x-amz-bucket-region or none", len(r.all("x-amz-bucket-region")) <= 1, True)
        eq("checksum", r.get("x-amz-checksum-crc64nvme"), S3().head(n, key, x_amz_checksum_mode="ENABLED").get("x-amz-checksum-crc64nvme"))
        for name in ("X-Sendfile", "X-Sendfile2", "X-Accel-Redirect"):
            eq("the file's path is not told", r.get(name), None)
    eq("metadata", S3().get(n, "meta").get("x-amz-meta-a"), "b")


def test_files_cannot_be_asked_for():
    """The folder of the bytes is not reachable by name."""
    n = bucket(EU)
    S3().put(n, "k", DATA)
    for base, _, names in os.walk(os.path.join(EU.dir, "blobs")):
        for x in names[:1]:
            path = os.path.join(base, x)
            rel = os.path.relpath(path, os.path.join(EU.dir, "blobs"))
            for target in ("/-/blobs/" + rel, "/%2d/blobs/" + rel, path, "/" + rel, "/x/../-/blobs/" + rel, "//-/blobs/" + rel):
                r = S3().send("GET", target)
                ok("%s: refused" % target, r.status in (400, 403, 404), r)
            return


def test_client_header_cannot_ask_for_a_file():
    n = bucket(EU)
    S3().put(n, "k", b"x")
    r = S3().request("GET", n, "k", headers={"X-Sendfile": "/etc/passwd", "X-Accel-Redirect": "/-/blobs/x"})
    eq("the object", (r.status, r.body), (200, b"x"))


def test_keep_alive():
    """Many requests on one connection, answers of all kinds between them."""
    n = bucket(EU)
    S3().put(n, "small", b"x" * 100)
    S3().put(n, "large", DATA)
    c = http.client.HTTPConnection(EU.host, EU.port, timeout=60)
    first = None
    for i in range(60):
        method, key, want = (("GET", "small", 200), ("GET", "large", 200), ("HEAD", "large", 200), ("GET", "none", 404), ("PUT", "p", 200), ("DELETE", "p", 204))[i % 6]
        target, headers = "/%s/%s" % (n, key), {"host": EU.netloc}
        body = b"body" if method == "PUT" else None
        sigv4.sign(method, target, headers, hashlib.sha256(body or b"").hexdigest(), KEY, SECRET, EU.name)
        c.request(method, target, body=body, headers=headers)
        r = c.getresponse()
        got = r.read()
        eq("%s %s" % (method, key), r.status, want)
        if method == "GET" and want == 200:
            eq("length", len(got), 100 if key == "small" else len(DATA))
        first = first or c.sock
        ok("the connection is kept", c.sock is first)
    c.close()


def test_get_with_a_body():
    """S3 answers a GET or HEAD that has a body as one without; what was sent with it is no part of the next request."""
    n = bucket(EU)
    S3().put(n, "small", b"x" * 100)
    S3().put(n, "large", DATA)
    smuggled = b"DELETE /%s/small HTTP/1.1\r\nHost: %s\r\n\r\n" % (n.encode(), EU.netloc.encode())
    for via in (EU, US):
        for body in (b"y", smuggled, b"z" * 300000):
            c = http.client.HTTPConnection(via.host, via.port, timeout=60)
            for method, key, want in (("GET", "small", 200), ("HEAD", "small", 200), ("GET", "large", 200), ("GET", "none", 404), ("HEAD", "none", 404), ("GET", "small", 200)):
                target, headers = "/%s/%s" % (n, key), {"host": via.netloc}
                sigv4.sign(method, target, headers, hashlib.sha256(body).hexdigest(), KEY, SECRET, via.name)
                try:
                    c.request(method, target, body=body, headers=headers)
                    r = c.getresponse()
                except (ConnectionError, http.client.RemoteDisconnected):
                    c.close()  # a kept connection may end at any time (RFC 9112 9.3.1): clients ask again on another
                    c.request(method, target, body=body, headers=headers)
                    r = c.getresponse()
                got = r.read()
                eq("%s %s with %d bytes, by %s" % (method, key, len(body), via), r.status, want)
                if method == "GET" and want == 200:
                    ok("its bytes", got == (DATA if key == "large" else b"x" * 100))
                if len(body) > 100000:
                    c.close()  # nginx does, for a body that nobody reads: the next request opens it anew
            c.close()
    eq("both are there", S3().keys(n), ["large", "small"])


def test_pipelined_bytes():
    """Two requests in one packet: two answers."""
    n = bucket(EU)
    S3().put(n, "k", b"12345")
    out = b""
    for close in ("keep-alive", "close"):
        headers = {"host": EU.netloc}
        sigv4.sign("GET", "/%s/k" % n, headers, sigv4.EMPTY, KEY, SECRET, EU.name)
        out += ("GET /%s/k HTTP/1.1\r\nConnection: %s\r\n" % (n, close) + "".join("%s: %s\r\n" % kv for kv in headers.items()) + "\r\n").encode()
    text = raw(EU, out)
    eq("two answers", text.count(b"HTTP/1.1 200"), 2)
    eq("two bodies", text.count(b"12345"), 2)


def test_expect_without_a_body():
    """Expect: 100-continue and nothing to send: 100 first, or an answer after which the connection ends. botocore waits
    for ever on a connection that goes on after an answer without 100."""
    n = bucket(EU)
    for region in (EU, US):
        target = sigv4.path_of(n, "empty")
        headers = {"Host": region.netloc}
        sigv4.sign("PUT", target, headers, hashlib.sha256(b"").hexdigest(), KEY, SECRET, region.name)
        headers.update({"Expect": "100-continue", "Content-Length": "0"})
        s = socket.create_connection((region.host, region.port), 30)
        s.sendall(("PUT %s HTTP/1.1\r\n" % target + "".join("%s: %s\r\n" % kv for kv in headers.items()) + "\r\n").encode())
        head = b""
        while b"HTTP/1.1 200" not in head or not head.endswith(b"\r\n\r\n"):
            got = s.recv(65536)
            ok("an answer", got != b"", head)
            head += got
        if not head.startswith(b"HTTP/1.1 100 "):
            contains("it is the last answer", head.lower(), b"\r\nconnection: close")
            eq("nothing follows", s.recv(1), b"")
        s.close()


def test_long_target():
    """A presigned URL of a key of 1,024 bytes that are all encoded."""
    n = bucket(EU)
    key = "\u00e9" * 512
    s3 = S3()
    t = s3.presigned("PUT", n, key)
    ok("it is long", len(t) > 3300, len(t))
    status(s3.send("PUT", t, body=b"x"), 200)
    eq("bytes", s3.send("GET", s3.presigned("GET", n, key)).body, b"x")


def test_many_headers():
    """2 KB of metadata in many headers."""
    n = bucket(EU)
    meta = {"x-amz-meta-h%02d" % i: "v" * 40 for i in range(40)}
    status(S3().request("PUT", n, "k", body=b"x", headers=meta), 200)
    r = S3().head(n, "k")
    eq("all back", {k: r.get(k) for k in meta}, meta)


def test_parallel():
    """64 at once, put and get, small and large, both regions."""
    import concurrent.futures
    n = bucket(EU)

    def one(i):
        data = random_bytes(100 if i % 2 else 150000, i)
        s3 = S3((EU, US)[i % 2])
        s3.put(n, "k%d" % i, data)
        return S3((US, EU)[i % 2]).get(n, "k%d" % i).body == data

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        ok("all equal", all(pool.map(one, range(128))))


def test_slow_reader():
    """A client that reads slowly gets all of it."""
    n = bucket(EU)
    S3().put(n, "k", DATA)
    headers = {"host": EU.netloc}
    sigv4.sign("GET", "/%s/k" % n, headers, sigv4.EMPTY, KEY, SECRET, EU.name)
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    s.connect((EU.host, EU.port))
    s.sendall(("GET /%s/k HTTP/1.1\r\nConnection: close\r\n" % n + "".join("%s: %s\r\n" % kv for kv in headers.items()) + "\r\n").encode())
    got = b""
    while True:
        b = s.recv(65536)
        if not b:
            break
        got += b
        if len(got) % 10 == 0:
            time.sleep(0.001)
    s.close()
    ok("all of it", got.split(b"\r\n\r\n", 1)[1] == DATA)


def test_methods():
    """Methods that S3 does not know: an S3 error, or the web server's own refusal."""
    n = bucket(EU)
    for method in ("PATCH", "TRACE", "FOO", "OPTIONS"):
        r = S3().request(method, n, "k")
        ok("%s is refused" % method, r.status in (400, 403, 405, 501), r)


if __name__ == "__main__":
    main()
