# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: the regions of a quick start, a client that
says exactly what it is told to, and checks that tell what was expected and what came.

A test file imports this, has functions test_*, and ends with main(). Each test makes
what it needs (a bucket of its own) and is done with it; it can run beside any other."""
import copy
import hashlib
import http.client
import inspect
import json
import os
import re
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback
import xml.etree.ElementTree as ET
from urllib.parse import urlsplit

import sigv4

# What a machine sets for the world outside: our regions are on loopback.
for _name in ("AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
    os.environ.pop(_name, None)

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))


class Failed(Exception):
    pass


class Skipped(Exception):
    pass


def fail(text):
    raise Failed(text)


def skip(why):
    raise Skipped(why)


def needs(program, package):
    if not os.path.exists(program):
        skip("%s is not there (%s)" % (program, package))


def _short(v):
    t = repr(v)
    return t if len(t) < 600 else t[:400] + " ... " + t[-150:]


def eq(what, came, expected):
    if came != expected:
        fail("%s\n    expected: %s\n    came:     %s" % (what, _short(expected), _short(came)))


def ok(what, truth, came=None):
    if not truth:
        fail("%s%s" % (what, "" if came is None else "\n    came:     " + _short(came)))


def contains(what, text, part):
    if part not in text:
        fail("%s\n    expected in it: %s\n    came:           %s" % (what, _short(part), _short(text)))


def until(what, fn, seconds=20):
    """Waits for fn to give something true; never a fixed sleep."""
    end = time.monotonic() + seconds
    while True:
        v = fn()
        if v:
            return v
        if time.monotonic() > end:
            fail("waited %d s for: %s\n    came:     %s" % (seconds, what, _short(v)))
        time.sleep(0.05)


# ---- the regions ----

class Region:
    def __init__(self, name):
        up = name.upper().replace("-", "_")
        self.name = name
        self.endpoint = os.environ["ANVIL_ENDPOINT_" + up]
        self.conf = os.environ["ANVIL_CONF_" + up]
        self.domain = os.environ.get("ANVIL_DOMAIN_" + up, name + ".localhost")
        self.dsn = os.environ.get("ANVIL_REGIONAL_DSN_" + up, "")
        u = urlsplit(self.endpoint)
        self.host, self.port = u.hostname, u.port
        self.netloc = u.netloc
        self.dir = os.path.dirname(self.conf)
        self.tls = None  # an ssl.SSLContext when requests go over HTTPS

    def over_tls(self):
        """The same region by its HTTPS endpoint, verified with the quick start's authority."""
        there = copy.copy(self)
        there.endpoint = os.environ.get("ANVIL_TLS_ENDPOINT_" + self.name.upper().replace("-", "_")) or fail("this quick start has no HTTPS: contrib/quickstart --tls")
        u = urlsplit(there.endpoint)
        there.port, there.netloc = u.port, u.netloc
        there.tls = ssl.create_default_context(cafile=os.environ["ANVIL_CA_FILE"])
        return there

    def __repr__(self):
        return self.name


try:
    REGIONS = [Region(r) for r in os.environ.get("ANVIL_REGIONS", "eu us").split()]
except KeyError as e:
    sys.exit("%s is not set: source a quick start's env first, or run contrib/test" % e)
EU = REGIONS[0]
US = REGIONS[1] if len(REGIONS) > 1 else REGIONS[0]
KEY, SECRET = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
KEY2, SECRET2 = os.environ["ANVIL_KEY2"], os.environ["ANVIL_SECRET2"]
OWNER, OWNER2 = os.environ["ANVIL_OWNER_ID"], os.environ["ANVIL_OWNER_ID2"]
SERVER = os.environ.get("ANVIL_SERVER", "lighttpd")
DIR = os.environ.get("ANVIL_DIR", "")


def conf_value(region, name):
    m = re.search(r'^%s\s*=\s*"?([^"\n]*)"?' % name, open(region.conf).read(), re.M)
    return m.group(1) if m else None


# ---- HTTP ----

class Answer:
    def __init__(self, status, headers, body, said):
        self.status, self.headers, self.body, self.said = status, headers, body, said

    def get(self, name, default=None):
        name = name.lower()
        for k, v in self.headers:
            if k.lower() == name:
                return v
        return default

    def all(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    @property
    def xml(self):
        try:
            return strip_ns(ET.fromstring(self.body))
        except ET.ParseError as e:
            fail("%s: the body is not XML (%s)\n    came:     %s" % (self.said, e, _short(self.body)))

    def text(self, path):
        e = self.xml.find(path)
        return None if e is None else (e.text or "")

    @property
    def code(self):
        return self.text("Code") if self.body[:1] == b"<" else None

    def __repr__(self):
        return "%s -> %d %s %s" % (self.said, self.status, dict(self.headers), _short(self.body[:600]))


def strip_ns(e):
    for x in e.iter():
        x.tag = x.tag.split("}", 1)[-1]
    return e


class _Connection(http.client.HTTPConnection):
    """Sends the target and headers as they are."""

    def _validate_path(self, url):
        pass

    def _encode_request(self, request):
        return request.encode("latin-1")


class _TlsConnection(_Connection, http.client.HTTPSConnection):
    pass


def _connect(region, timeout):
    if region.tls:
        return _TlsConnection(region.host, region.port, timeout=timeout, context=region.tls)
    return _Connection(region.host, region.port, timeout=timeout)


def raw(region, data, timeout=60, half_close=False):
    """Bytes out, all bytes back until the server closes."""
    s = socket.create_connection((region.host, region.port), timeout)
    try:
        s.sendall(data)
        if half_close:
            s.shutdown(socket.SHUT_WR)
        out = b""
        while True:
            try:
                got = s.recv(65536)
            except socket.timeout:
                fail("no answer within %d s\n    came:     %s" % (timeout, _short(out)))
            except ConnectionResetError:
                return out
            if not got:
                return out
            out += got
    finally:
        s.close()


class S3:
    """One signer at one region's endpoint. Requests go out exactly as given."""

    def __init__(self, region=EU, key=KEY, secret=SECRET, scope=None, timeout=120):
        self.region, self.key, self.secret = region, key, secret
        self.scope = scope or region.name
        self.timeout = timeout

    def at(self, region, scope=None):
        return S3(region, self.key, self.secret, scope or region.name, self.timeout)

    def send(self, method, target, headers=None, body=None, length=True):
        """No signature. body: bytes, or an iterable of bytes (sent chunked)."""
        headers = dict(headers or {})
        host = next((v for k, v in headers.items() if k.lower() == "host"), None)
        c = _connect(self.region, self.timeout)
        try:
            c.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            if host is None:
                c.putheader("Host", self.region.netloc)
            for k, v in headers.items():
                for one in v if isinstance(v, list) else [v]:
                    c.putheader(k, one if isinstance(one, bytes) else str(one).encode("utf-8"))
            names = {k.lower() for k in headers}
            whole = body is None or isinstance(body, (bytes, bytearray))
            if not whole:
                if not names & {"content-length", "transfer-encoding"}:
                    c.putheader("Transfer-Encoding", "chunked")
                c.endheaders()
                for piece in body:
                    c.send(b"%x\r\n%s\r\n" % (len(piece), piece) if "content-length" not in names else piece)
                if "content-length" not in names:
                    c.send(b"0\r\n\r\n")
            else:
                if length and "content-length" not in names and (body is not None or method in ("PUT", "POST")):
                    c.putheader("Content-Length", str(len(body or b"")))
                c.endheaders()
                if body:
                    try:
                        c.send(body)
                    except (BrokenPipeError, ConnectionResetError):
                        pass  # an early answer
            r = c.getresponse()
            data = b"" if method == "HEAD" else r.read()
            return Answer(r.status, r.getheaders(), data, "%s %s at %s" % (method, target if len(target) < 200 else target[:200] + "...", self.region))
        finally:
            c.close()

    def request(self, method, bucket=None, key=None, query=None, headers=None, body=b"", payload=None, target=None, now=None, unsigned=(), host=None, service="s3", token=None):
        """Signed in the header. payload: the value of x-amz-content-sha256 (default: the body's hash)."""
        if target is None:
            target = sigv4.path_of(bucket, key)
            if query:
                target += "?" + (query if isinstance(query, str) else sigv4.query_of(query))
        headers = dict(headers or {})
        headers["host"] = host or self.region.netloc
        if payload is None:
            payload = hashlib.sha256(body).hexdigest() if isinstance(body, (bytes, bytearray)) else sigv4.UNSIGNED
        sigv4.sign(method, target, headers, payload, self.key, self.secret, self.scope, now, service, unsigned, token)
        send_body = body if body or method in ("PUT", "POST") else None
        return self.send(method, target, headers, send_body)

    def presigned(self, method, bucket=None, key=None, query=None, expires=300, now=None, headers=None, host=None):
        target = sigv4.path_of(bucket, key)
        if query:
            target += "?" + (query if isinstance(query, str) else sigv4.query_of(query))
        return sigv4.presign(method, target, host or self.region.netloc, self.key, self.secret, self.scope, expires, now, headers)

    # the operations as a test mostly needs them: they fail when it fails
    def put(self, bucket, key, body=b"", **headers):
        r = self.request("PUT", bucket, key, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
        status(r, 200)
        return r

    def get(self, bucket, key, **headers):
        return self.request("GET", bucket, key, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def head(self, bucket, key, **headers):
        return self.request("HEAD", bucket, key, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def delete(self, bucket, key):
        return self.request("DELETE", bucket, key)

    def list(self, bucket, **query):
        q = {"list-type": "2"}
        q.update({k.replace("_", "-"): v for k, v in query.items()})
        r = self.request("GET", bucket, query=q)
        status(r, 200)
        return r

    def keys(self, bucket, **query):
        return [e.text or "" for e in self.list(bucket, **query).xml.findall("Contents/Key")]


def status(answer, expected):
    if answer.status != expected:
        fail("%s: the status\n    expected: %d\n    came:     %d %s" % (answer.said, expected, answer.status, _short(answer.body[:900])))
    ok("%s: every answer has x-amz-request-id" % answer.said, answer.get("x-amz-request-id"), answer.headers)


def error(answer, http_status, code, **elements):
    """An error document as S3 writes it; elements by name, None = only that it is there."""
    status(answer, http_status)
    contains("%s: Content-Type" % answer.said, answer.get("Content-Type", ""), "xml")
    eq("%s: root element" % answer.said, answer.xml.tag, "Error")
    eq("%s: Code" % answer.said, answer.code, code)
    ok("%s: Message" % answer.said, answer.text("Message"), answer.body)
    eq("%s: RequestId is the header's" % answer.said, answer.text("RequestId"), answer.get("x-amz-request-id"))
    ok("%s: HostId" % answer.said, answer.text("HostId") is not None, answer.body)
    for k, v in elements.items():
        came = answer.text(k)
        ok("%s: element %s is there" % (answer.said, k), came is not None, answer.body)
        if v is not None:
            eq("%s: %s" % (answer.said, k), came, v)


# ---- listings ----

def fill(bucket_name, keys):
    for k in keys:
        S3().put(bucket_name, k, b"x")


def listed(bucket_name, region=None, query=None, **q):
    """One page. q: parameters, _ for -; or the whole query."""
    r = S3(region or EU).request("GET", bucket_name, query=query or {k.replace("_", "-"): v for k, v in q.items()})
    status(r, 200)
    eq("root", r.xml.tag, "ListBucketResult")
    return r


def keys_of(r):
    return [e.text or "" for e in r.xml.findall("Contents/Key")]


def prefixes_of(r):
    return [e.text or "" for e in r.xml.findall("CommonPrefixes/Prefix")]


_made = []


def bucket(home=EU, via=None, s3=None):
    """A new bucket, gone when the test ends."""
    name = "t-" + secrets.token_hex(8)
    s3 = s3 or S3(via or home)
    body = b"<CreateBucketConfiguration xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>" % home.name.encode()
    status(s3.request("PUT", name, body=body), 200)
    _made.append((name, home, s3))
    return name


def versioned(home=EU, state=b"Enabled", name=None):
    """A bucket with versions, new unless it is named."""
    name = name or bucket(home)
    status(S3(home).request("PUT", name, query="versioning", body=b"<VersioningConfiguration><Status>%s</Status></VersioningConfiguration>" % state), 200)
    return name


def locked(home=EU):
    """A bucket with object lock, by CreateBucket."""
    name = "t-" + secrets.token_hex(8)
    body = b"<CreateBucketConfiguration><LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>" % home.name.encode()
    status(S3(home).request("PUT", name, body=body, headers={"x-amz-bucket-object-lock-enabled": "true"}), 200)
    _made.append((name, home, S3(home)))
    return name


def days_ahead(days):
    """An ISO 8601 time."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400 * days))


def put_retention(name, mode, until, version=None, bypass=False, s3=None, key="k"):
    body = b"<Retention>%s</Retention>" % (b"<Mode>%s</Mode><RetainUntilDate>%s</RetainUntilDate>" % (mode.encode(), until.encode()) if mode else b"")
    q = {"retention": ""}
    if version:
        q["versionId"] = version
    return (s3 or S3()).request("PUT", name, key, query=q, body=body, headers={"x-amz-bypass-governance-retention": "true"} if bypass else {})


def put_hold(name, hold, version=None, s3=None, key="k"):
    q = {"legal-hold": ""}
    if version:
        q["versionId"] = version
    return (s3 or S3()).request("PUT", name, key, query=q, body=b"<LegalHold><Status>%s</Status></LegalHold>" % hold.encode())


def allow(name, action, condition=None, who="*"):
    """The bucket's whole policy: this, for all of its objects."""
    st = {"Effect": "Allow", "Principal": who, "Action": action, "Resource": "arn:aws:s3:::%s/*" % name}
    if condition:
        st["Condition"] = condition
    status(S3().request("PUT", name, query="policy", body=json.dumps({"Version": "2012-10-17", "Statement": [st]}).encode()), 204)


def tagging(method, name, pairs=None, version=None, s3=None, key="k", headers=None):
    """An object's tags. pairs: of a Put, (key, value) each; or its whole document."""
    q = {"tagging": ""}
    if version:
        q["versionId"] = version
    body = pairs if isinstance(pairs, bytes) else b""
    if isinstance(pairs, list):
        body = ("<Tagging><TagSet>%s</TagSet></Tagging>" % "".join("<Tag><Key>%s</Key><Value>%s</Value></Tag>" % p for p in pairs)).encode()
    return (s3 or S3()).request(method, name, key, query=q, body=body, headers=headers)


def tags_of(name, version=None, s3=None, key="k"):
    r = tagging("GET", name, None, version, s3, key)
    status(r, 200)
    eq("root", r.xml.tag, "Tagging")
    return [(t.findtext("Key"), t.findtext("Value")) for t in r.xml.findall("TagSet/Tag")]


def versions(name, region=None, **q):
    """One page of versions: (key, version id, is it latest, is it a marker)."""
    query = {"versions": ""}
    query.update({k.replace("_", "-"): v for k, v in q.items()})
    r = S3(region or EU).request("GET", name, query=query)
    status(r, 200)
    eq("root", r.xml.tag, "ListVersionsResult")
    return [(e.findtext("Key"), e.findtext("VersionId"), e.findtext("IsLatest") == "true", e.tag == "DeleteMarker")
            for e in r.xml if e.tag in ("Version", "DeleteMarker")]


def remove_versions(s3, name):
    """All of them, passing governance."""
    while True:
        r = s3.request("GET", name, query={"versions": "", "encoding-type": "url"})
        found = [(e.findtext("Key"), e.findtext("VersionId")) for e in r.xml if e.tag in ("Version", "DeleteMarker")] if r.status == 200 else []
        gone = 0
        for k, v in found:
            q = s3.request("DELETE", target=sigv4.path_of(name) + "/" + k.replace("+", "%20") + "?versionId=" + v, headers={"x-amz-bypass-governance-retention": "true"})
            gone += q.status == 204
        if not gone:
            return


def clean():
    while _made:
        name, home, s3 = _made.pop()
        try:
            there = s3.at(home)
            while True:
                keys = there.keys(name, encoding_type="url")
                for k in keys:
                    there.request("DELETE", target=sigv4.path_of(name) + "/" + k.replace("+", "%20"))
                if not keys:
                    break
            remove_versions(there, name)
            there.request("DELETE", name)
        except (Failed, OSError, http.client.HTTPException):
            pass


# ---- other programs ----

def run(*args, env=None, check=True, stdin=None, timeout=120, cwd=None):
    e = dict(os.environ, **(env or {}))
    p = subprocess.run([str(a) for a in args], env=e, stdin=subprocess.DEVNULL if stdin is None else None, input=stdin,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, cwd=cwd)
    p.out, p.err = p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace")
    if check and p.returncode != 0:
        fail("%s: exit status\n    expected: 0\n    came:     %d\n%s%s" % (" ".join(map(str, args))[:300], p.returncode, p.out[-800:], p.err[-1200:]))
    return p


def admin(region, *args, **kw):
    return run("anvil-admin", "-c", region.conf, *args, **kw)


def admin_json(region, *args):
    return json.loads(admin(region, "--json", *args).out)


def find_field(v, name):
    if isinstance(v, dict):
        if name in v:
            return v[name]
        v = list(v.values())
    for w in v if isinstance(v, list) else []:
        x = find_field(w, name)
        if x is not None:
            return x
    return None


def psql(sql, dsn=None):
    return run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", dsn or os.environ["ANVIL_GLOBAL_DSN"], "-c", sql).out.strip()


def metrics(region):
    """{name with labels: value} of /-/metrics."""
    r = S3(region).send("GET", "/-/metrics")
    eq("%s: /-/metrics" % region, r.status, 200)
    out = {}
    for line in r.body.decode().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            out[name] = float(value)
    return out


def metric(region, name, **labels):
    """The sum of one metric's values, over all labels but those given."""
    total = 0
    for k, v in metrics(region).items():
        if re.split("[{ ]", k)[0] == name and all('%s="%s"' % kv in k for kv in labels.items()):
            total += v
    return total


def log_line(region, rid):
    """The access line of one request."""
    path = os.path.join(DIR, "log", region.name + "-s3.log")
    return until("the access line of %s in %s" % (rid, path), lambda: next((x for x in open(path, errors="replace") if rid in x and " ev=request " in x), None), 5)


def quickstart(*args):
    return run(os.path.join(SOURCE, "contrib", "quickstart"), "--dir", os.environ.get("ANVIL_QUICKSTART_DIR", DIR), *args)


_temps = []


def temp_dir():
    d = tempfile.mkdtemp(prefix="anvil-e2e-")
    _temps.append(d)
    return d


def random_bytes(n, seed=0):
    """Incompressible and the same each time; cheap for large n."""
    import random
    return random.Random(seed).randbytes(n)


def logs():
    return "logs: %s/log/*, %s/*/web.*.log" % (DIR, DIR)


# ---- running ----

def main():
    me = sys.modules["__main__"]
    name = os.path.splitext(os.path.basename(me.__file__))[0]
    tests = [(k[5:], f) for k, f in vars(me).items() if k.startswith("test_") and inspect.isfunction(f)]
    only = [a.split(".")[-1] for a in sys.argv[1:]]
    if only:
        tests = [t for t in tests if t[0] in only]
    bad = 0
    for t, f in tests:
        began = time.monotonic()
        try:
            f()
            print("ok %s.%s (%.1f s)" % (name, t, time.monotonic() - began))
        except Skipped as e:
            print("skip %s.%s: %s" % (name, t, e))
        except Failed as e:
            bad += 1
            where = [x for x in traceback.extract_tb(e.__traceback__) if x.filename == me.__file__]
            print("FAILED %s.%s (%s:%d)\n  %s\n    %s" % (name, t, os.path.relpath(me.__file__, SOURCE), where[-1].lineno if where else 0, e, logs()))
        except Exception as e:
            bad += 1
            where = [x for x in traceback.extract_tb(e.__traceback__) if x.filename == me.__file__]
            print("FAILED %s.%s\n  it broke: %s: %s\n%s    %s" % (name, t, type(e).__name__, e, "".join("    at %s:%d: %s\n" % (os.path.relpath(x.filename, SOURCE), x.lineno, x.line) for x in where[-3:]), logs()))
        finally:
            try:
                clean()
            except Exception as e:
                print("  (cleaning up: %s)" % e)
            while _temps:
                shutil.rmtree(_temps.pop(), ignore_errors=True)
        sys.stdout.flush()
    sys.exit(1 if bad else 0)
