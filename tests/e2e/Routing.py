#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Requests for another region's bucket: relayed, redirected, refused."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403



def routed(mode):
    n = bucket(EU)
    admin(US, "bucket", "routing", n, mode)
    return n


def test_relayed_both_ways():
    """us serves eu's bucket and eu serves us's: every operation, bytes equal, counted."""
    before = sum(metric(r, "anvil_relayed_total") for r in (EU, US))
    for home, via in ((EU, US), (US, EU)):
        n = bucket(home)
        for size in (10, 5000000):
            data = random_bytes(size, size)
            S3(via).put(n, "k", data)
            for region in (EU, US):
                ok("bytes equal", S3(region).get(n, "k").body == data)
            r = S3(via).get(n, "k", Range="bytes=2-5")
            eq("range", (r.status, r.body), (206, data[2:6]))
            eq("keys", S3(via).keys(n), ["k"])
        status(S3(via).delete(n, "k"), 204)
        error(S3(via).get(n, "k"), 404, "NoSuchKey")
    after = sum(metric(r, "anvil_relayed_total") for r in (EU, US))
    ok("counted", after > before, (before, after))


def test_custom_domain():
    """A host that is none of ours and names a bucket is that bucket, in every region; any other host is path style."""
    name = "static.%s.example.org" % secrets.token_hex(8)
    status(S3(EU).request("PUT", name), 200)
    try:
        for region in (EU, US):
            s3 = S3(region)
            eq("key", s3.request("PUT", target="//a/b", host=name, body=b"by its own name").status, 200)
            eq("bytes", s3.get(name, "/a/b").body, b"by its own name")
            eq("anonymous", s3.send("GET", "//a/b", {"Host": name}).code, "AccessDenied")
            url = sigv4.presign("GET", "//a/b", name, KEY, SECRET, region.name, 300)
            eq("presigned", s3.send("GET", url, {"Host": name}).body, b"by its own name")
            error(s3.request("GET", target="//a/b", host="other." + name), 400, "InvalidBucketName")
            status(s3.delete(name, "/a/b"), 204)
    finally:
        status(S3(EU).request("DELETE", name), 204)


def test_redirect_mode():
    """GET and HEAD 301, others 301, with what an SDK needs to find the bucket."""
    n = routed("redirect")
    S3(EU).put(n, "k", b"x")
    for method, key, body in (("GET", "k", b""), ("PUT", "k2", b"y"), ("DELETE", "k", b"")):
        r = S3(US).request(method, n, key, body=body)
        error(r, 301, "PermanentRedirect", Bucket=n, Region=EU.name, Endpoint=None)
        eq("x-amz-bucket-region", r.get("x-amz-bucket-region"), EU.name)
        eq("Location", r.get("Location"), "%s/%s/%s" % (EU.endpoint, n, key))
    r = S3(US).head(n, "k")
    status(r, 301)
    eq("HEAD has no body", r.body, b"")
    eq("x-amz-bucket-region", r.get("x-amz-bucket-region"), EU.name)
    r = S3(US).request("GET", n, query={"list-type": "2"})
    error(r, 301, "PermanentRedirect", Region=EU.name)
    eq("nothing was stored or deleted", S3(EU).keys(n), ["k"])
    # Signed for the home region it is relayed all the same: that is what an SDK does after the 301.
    eq("signed for eu at us", S3(US, scope=EU.name).get(n, "k").body, b"x")


def test_redirect_anonymous_and_presigned():
    """Followed, a 307 gives the object: presigned ones are signed anew for the home."""
    n = routed("redirect")
    S3(EU).put(n, "k", b"x" * 100000)
    s3 = S3(US)
    r = s3.send("GET", s3.presigned("GET", n, "k"))
    error(r, 307, "TemporaryRedirect", Bucket=n, Region=EU.name)
    ok("Location is eu's", r.get("Location", "").startswith(EU.endpoint + "/" + n), r.headers)
    contains("never cached", r.get("Cache-Control", ""), "no-store")
    g = S3(EU).send("GET", r.get("Location")[len(EU.endpoint):])
    status(g, 200)
    eq("bytes", len(g.body), 100000)
    r = s3.send("GET", s3.presigned("GET", n, "k")[:-4] + "0000")
    error(r, 403, "SignatureDoesNotMatch")


def test_browser_is_redirected():
    """auto: a browser that navigates is sent on, everyone else is served."""
    n = bucket(EU)
    S3(EU).put(n, "k", b"x")
    s3 = S3(US)
    r = s3.send("GET", s3.presigned("GET", n, "k"), {"Sec-Fetch-Mode": "navigate"})
    status(r, 307)
    eq("then it is there", S3(EU).send("GET", r.get("Location")[len(EU.endpoint):]).body, b"x")
    eq("without the header: relayed", s3.send("GET", s3.presigned("GET", n, "k")).body, b"x")


def test_relay_mode():
    n = routed("relay")
    s3 = S3(US)
    s3.put(n, "k", b"x")
    eq("even a browser", s3.send("GET", s3.presigned("GET", n, "k"), {"Sec-Fetch-Mode": "navigate"}).body, b"x")


def test_back_to_default():
    """A change of the mode is seen at once."""
    n = routed("redirect")
    for mode, code in (("relay", 404), ("redirect", 301), ("default", 404), ("redirect", 301)):
        admin(EU, "bucket", "routing", n, mode)
        eq(mode, S3(US).get(n, "k").status, code)


def test_refused_before_relayed():
    """A wrong signature is refused where it was asked, with the bucket's region as S3 tells it."""
    n = bucket(EU)
    r = S3(US, KEY, "wrong").get(n, "k")
    error(r, 403, "SignatureDoesNotMatch")


def test_forged_hop():
    """A client cannot pretend to be another region."""
    n = bucket(EU)
    S3(EU).put(n, "k", b"x")
    for value in ("us", "us:1:00", "v1 us 0 " + "0" * 64, "\u00e9"):
        r = S3(US).get(n, "k", x_amz_meta_x="1", x_anvil_hop=value)
        ok("answered as without it, or refused", r.status in (200, 400, 403), r)
        r = S3(US).send("GET", "/%s/k" % n, {"x-anvil-hop": value})
        ok("no way in", r.status in (400, 403), r)


def test_header_of_a_copy():
    """What one region asks another for when it copies, a client cannot ask for through a relay."""
    n = bucket(EU)
    S3().put(n, "k", b"plain")
    for region in (EU, US):
        signed = {"host": region.netloc}
        sigv4.sign("GET", "/%s/k" % n, signed, sigv4.UNSIGNED, KEY, SECRET, region.name)
        eq("the bytes alone", S3(region).send("GET", "/%s/k" % n, dict(signed, **{"x-anvil-copy": "all"})).body, b"plain")


def test_host_style_relayed():
    """BUCKET.us-domain for a bucket whose home is eu."""
    n = bucket(EU)
    host = "%s.%s:%d" % (n, US.domain, US.port)
    data = random_bytes(300000, 1)
    status(S3(US).request("PUT", target="/k", host=host, body=data), 200)
    ok("bytes equal", S3(US).request("GET", target="/k", host=host).body == data)
    ok("bytes equal at home", S3(EU).get(n, "k").body == data)


def test_answers_about_a_bucket_tell_its_region():
    n = bucket(EU)
    for r in (S3(US).head(n, "none"), S3(EU).get(n, "none"), S3(US).request("GET", n, query={"list-type": "2"})):
        eq("x-amz-bucket-region", r.get("x-amz-bucket-region"), EU.name)


if __name__ == "__main__":
    main()
