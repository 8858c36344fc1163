#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""HTTPS from the client to the home: endpoints with TLS; relays, copies between regions and webhooks verified. Runs alone: it changes the regions' endpoints."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403

import contextlib  # noqa: E402

from webhook import Receiver, configuration, queue  # noqa: E402

EU_TLS, US_TLS = EU.over_tls(), US.over_tls()


@contextlib.contextmanager
def endpoints(eu, us):
    """What the regions' rows say, and so where relays and redirects go."""
    try:
        admin(EU, "region", "update", EU.name, "--endpoint", eu)
        admin(EU, "region", "update", US.name, "--endpoint", us)
        yield
    finally:
        admin(EU, "region", "update", EU.name, "--endpoint", EU.endpoint)
        admin(EU, "region", "update", US.name, "--endpoint", US.endpoint)


def over_https():
    return endpoints(EU_TLS.endpoint, US_TLS.endpoint)


@contextlib.contextmanager
def settings(region, *lines):
    """The region's workers with more lines of anvil.conf."""
    before = open(region.conf).read()
    try:
        with open(region.conf, "a") as f:
            f.write("\n".join(lines) + "\n")
        restart(region)
        yield
    finally:
        with open(region.conf, "r+") as f:
            f.write(before)
            f.truncate()
        restart(region)


def restart(region):
    quickstart("--restart", region.name + "/s3")
    until("%s is well" % region, lambda: S3(region).send("GET", "/-/health").status == 200)


def certificate(where, name, *more):
    """A certificate and its key: an authority's, unless more says otherwise."""
    path = os.path.join(where, name + ".pem")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=Anvil quick start",
        "-keyout", path[:-4] + ".key", "-out", path, *more)
    os.chmod(where, 0o755)
    os.chmod(path, 0o644)
    return path, path[:-4] + ".key"


def authority(where):
    """A CA that signed nothing of ours."""
    return certificate(where, "other-ca")[0]


def test_served():
    """The web server's TLS changes nothing of what S3 says: targets as they are, large bodies both ways, presigned URLs."""
    n = bucket(EU)
    s3 = S3(EU_TLS)
    for key, size in (("a", 5), ("//b/%2F/c d+e", 300), ("large", 3 << 20)):
        data = random_bytes(size, size)
        s3.put(n, key, data)
        ok("%s: bytes equal" % key, s3.get(n, key).body == data)
        ok("%s: and by HTTP" % key, S3(EU).get(n, key).body == data)
        eq("%s: length" % key, s3.head(n, key).get("Content-Length"), str(size))
    r = s3.get(n, "large", Range="bytes=1000-1999")
    eq("range", (r.status, r.body), (206, random_bytes(3 << 20, 3 << 20)[1000:2000]))
    eq("presigned", s3.send("GET", s3.presigned("GET", n, "a")).body, random_bytes(5, 5))
    error(S3(EU_TLS, KEY, "wrong").get(n, "a"), 403, "SignatureDoesNotMatch")
    error(s3.get(n, "none"), 404, "NoSuchKey")
    eq("HEAD of nothing", s3.head(n, "none").status, 404)
    host = "%s.%s:%d" % (n, EU.domain, EU_TLS.port)
    eq("virtual host", s3.request("GET", target="/a", host=host).body, random_bytes(5, 5))


def test_certificate_is_the_regions():
    """A client that does not know the authority refuses."""
    eu = EU.over_tls()
    eu.tls = ssl.create_default_context()
    try:
        S3(eu).send("GET", "/-/health")
    except ssl.SSLCertVerificationError:
        return
    fail("a certificate of an unknown authority was taken")


def test_relayed():
    """Every way in, every way on: HTTP or HTTPS to a region, HTTPS from there to the home."""
    with over_https():
        for home, vias in ((EU, (US, US_TLS)), (US, (EU, EU_TLS))):
            n = bucket(home)
            for via in vias:
                data = random_bytes(3 << 20, via.port)
                S3(via).put(n, "large", data)
                ok("bytes equal", S3(via).get(n, "large").body == data)
                ok("bytes equal at home", S3(home).get(n, "large").body == data)
                S3(via).put(n, "small", b"x")
                eq("small", S3(via).get(n, "small").body, b"x")
                eq("keys", S3(via).keys(n), ["large", "small"])
                error(S3(via).get(n, "none"), 404, "NoSuchKey")
                status(S3(via).delete(n, "large"), 204)
                host = "%s.%s:%d" % (n, via.domain, via.port)
                eq("virtual host", S3(via).request("GET", target="/small", host=host).body, b"x")


def test_copied():
    """A copy between regions asks the source's home over HTTPS."""
    n, m = bucket(US), bucket(EU)
    data = random_bytes(2 << 20, 4)
    S3(US).put(n, "k", data)
    with over_https():
        status(S3(EU_TLS).request("PUT", m, "copy", headers={"x-amz-copy-source": "%s/k" % n}), 200)
    ok("bytes equal", S3(EU).get(m, "copy").body == data)


def test_redirected():
    """Location is the home's HTTPS endpoint, in the client's style, and works."""
    n = bucket(EU)
    S3(EU).put(n, "k", b"x" * 1000)
    admin(US, "bucket", "routing", n, "redirect")
    with over_https():
        s3 = S3(US_TLS)
        r = s3.send("GET", s3.presigned("GET", n, "k"))
        error(r, 307, "TemporaryRedirect", Region=EU.name)
        ok("Location is eu's, by HTTPS", r.get("Location", "").startswith("%s/%s/k?" % (EU_TLS.endpoint, n)), r.headers)
        g = S3(EU_TLS).send("GET", r.get("Location")[len(EU_TLS.endpoint):])
        eq("followed", (g.status, len(g.body)), (200, 1000))
        r = s3.get(n, "k")
        error(r, 301, "PermanentRedirect", Region=EU.name)
        eq("Location", r.get("Location"), "%s/%s/k" % (EU_TLS.endpoint, n))


def unreachable(r):
    error(r, 503, "ServiceUnavailable", Region=EU.name)
    ok("Retry-After", int(r.get("Retry-After")) >= 1, r.headers)


def test_other_authority_is_refused():
    """A home whose certificate another authority signed: 503, and not a byte of the request goes there."""
    n = bucket(EU)
    S3(EU).put(n, "k", b"x")
    with over_https():
        with settings(US, 'relay_ca_file = "%s"' % authority(temp_dir())):
            for _ in range(3):
                unreachable(S3(US_TLS).get(n, "k"))
            unreachable(S3(US).request("PUT", n, "new", body=b"y" * 100000))
            eq("nothing was stored", S3(EU).keys(n), ["k"])
            log = open(os.path.join(DIR, "log", US.name + "-s3.log"), errors="replace").read()
            contains("the log says why", log.rsplit(" ev=relay.failed ", 1)[-1].split("\n")[0], "certificate")
        eq("with the right one", S3(US).get(n, "k").body, b"x")


def test_other_name_is_refused():
    """A certificate that does not name the endpoint's host."""
    n = bucket(EU)
    S3(EU).put(n, "k", b"x")
    with endpoints("https://localhost:%d" % EU_TLS.port, US_TLS.endpoint):
        unreachable(S3(US).get(n, "k"))
    # Each worker process has a breaker of its own, and tries a home that was down once a second.
    until("the breakers close", lambda: all(S3(US).get(n, "k").status == 200 for _ in range(16)))


def test_webhooks():
    """A webhook is called only where its certificate is of webhook_ca_file and of its name; until it is, the event waits."""
    where = temp_dir()
    ours = certificate(where, "ours")

    def signed(name, alt, by=ours):
        return certificate(where, name, "-CA", by[0], "-CAkey", by[1], "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=" + alt)

    def failed(w, *words):
        def says():
            why = find_field(admin_json(EU, "webhook", "show", w.name), "last_error") or ""
            return all(x in why for x in words)
        until("refused: %s" % " ".join(words), says)
        eq("not a byte goes there", w.calls, [])

    n, s3, good = bucket(EU), S3(), signed("good", "IP:127.0.0.1")
    w = Receiver(certificate=good)
    status(s3.request("PUT", n, query="notification", body=configuration(queue(w.queue, "s3:ObjectCreated:*"))), 200)
    s3.put(n, "k", b"x")
    failed(w, "certificate")  # the system's authorities do not know ours
    w.show(signed("theirs", "IP:127.0.0.1", certificate(where, "theirs-ca")))
    with settings(EU, 'webhook_ca_file = "%s"' % ours[0]):
        failed(w, "certificate")
        w.show(signed("other-name", "DNS:localhost"))
        failed(w, "name", "127.0.0.1")
        w.show(good)
        w.wait_for(("ObjectCreated:Put", "k"), seconds=60)
    w.close(n, s3=s3)


if __name__ == "__main__":
    main()
