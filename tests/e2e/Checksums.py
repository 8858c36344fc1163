#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""x-amz-checksum-*: verified, kept, told."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


ALGORITHMS = ("crc32", "crc32c", "crc64nvme", "sha1", "sha256", "sha512", "md5")


def test_own_vectors():
    """The test's own sums are right: "123456789"."""
    d = b"123456789"
    eq("crc32", sigv4.checksum("crc32", d), "y/Q5Jg==")
    eq("crc32c", sigv4.checksum("crc32c", d), "4waSgw==")
    eq("crc64nvme", sigv4.checksum("crc64nvme", d), "rosUhgp5mIg=")


def test_good():
    n = bucket(EU)
    for size in (0, 9, 70000):
        data = random_bytes(size, 1)
        for a in ALGORITHMS:
            name = "x-amz-checksum-" + a
            want = sigv4.checksum(a, data)
            for region in (EU, US):
                r = S3(region).request("PUT", n, "k", body=data, headers={name: want})
                status(r, 200)
                eq("told on PUT", r.get(name), want)
            g = S3(US).get(n, "k", x_amz_checksum_mode="ENABLED")
            eq("told on GET", g.get(name), want)
            eq("type", g.get("x-amz-checksum-type"), "FULL_OBJECT")
            eq("told on HEAD", S3().head(n, "k", x_amz_checksum_mode="ENABLED").get(name), want)
            eq("only when asked", S3().get(n, "k").get(name), None)


def test_xxhash():
    """The published values of "a" and of nothing; another's is refused; as a trailer, too."""
    n = bucket(EU)
    known = {"xxhash64": ("70bbN1HY6Zk=", "0k7E8amMbls="), "xxhash3": ("LQaABTjTlMI=", "5sYyth6WTh8="),
             "xxhash128": ("maoG0wFHmNhgAcMkRo1Jfw==", "qW+vcFrxaDTmxjK2HpZOHw==")}
    for a, values in known.items():
        name = "x-amz-checksum-" + a
        for data, want in zip((b"", b"a"), values):
            r = S3().request("PUT", n, "k", body=data, headers={name: want})
            status(r, 200)
            eq("told on PUT", r.get(name), want)
            eq("told on GET", S3().get(n, "k", x_amz_checksum_mode="ENABLED").get(name), want)
        error(S3().request("PUT", n, "k", body=b"b", headers={name: values[1]}), 400, "BadDigest")


def test_bad():
    """Wrong sums: 400 BadDigest; no sums at all: 400 InvalidRequest; nothing is left."""
    n = bucket(EU)
    for size in (9, 70000):
        data = random_bytes(size, 2)
        for a in ALGORITHMS:
            r = S3().request("PUT", n, "k", body=data, headers={"x-amz-checksum-" + a: sigv4.checksum(a, data + b"!")})
            error(r, 400, "BadDigest")
            for value in ("rubbish", "AAAA" * 30):  # lighttpd passes no empty header on
                r = S3().request("PUT", n, "k", body=data, headers={"x-amz-checksum-" + a: value})
                ok("%s: %r is refused" % (a, value), r.status == 400 and r.code in ("InvalidRequest", "BadDigest"), r)
    eq("nothing is left", S3().keys(n), [])


def test_two():
    n = bucket(EU)
    r = S3().request("PUT", n, "k", body=b"x", headers={"x-amz-checksum-crc32": sigv4.checksum("crc32", b"x"), "x-amz-checksum-sha1": sigv4.checksum("sha1", b"x")})
    error(r, 400, "InvalidRequest")
    eq("nothing is left", S3().keys(n), [])


def test_named_algorithm_only():
    """x-amz-sdk-checksum-algorithm names one, and another or none comes."""
    n = bucket(EU)
    r = S3().request("PUT", n, "k", body=b"x", headers={"x-amz-sdk-checksum-algorithm": "CRC32", "x-amz-checksum-crc32": sigv4.checksum("crc32", b"x")})
    status(r, 200)
    r = S3().request("PUT", n, "bad", body=b"x", headers={"x-amz-sdk-checksum-algorithm": "CRC32"})
    error(r, 400, "InvalidRequest")
    eq("only the good one", S3().keys(n), ["k"])


def test_default():
    """Without any: S3 computes CRC64NVME and tells it."""
    n = bucket(EU)
    S3().put(n, "k", b"123456789")
    g = S3().get(n, "k", x_amz_checksum_mode="ENABLED")
    eq("CRC64NVME", g.get("x-amz-checksum-crc64nvme"), sigv4.checksum("crc64nvme", b"123456789"))


if __name__ == "__main__":
    main()
