#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Quotas of buckets: what would be too much is refused, whatever sends it; all else goes on."""
import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
import uploads  # noqa: E402
from forms import form, post  # noqa: E402
from quotas import usage  # noqa: E402

MIB = 1 << 20


def quota(name, *limits, region=EU):
    """limits: "--bytes", "1M" ..."""
    return admin(region, "bucket", "quota", name, *limits)


def put(name, key, body, via=EU):
    return S3(via).request("PUT", name, key, body=body)


def refused(r):
    error(r, 403, "QuotaExceeded")
    ok("no need to try again", r.get("Retry-After") is None, r.headers)
    return r


def test_bytes():
    """The last byte fits, one more does not; small objects, files, overwrites; nothing is left of what was refused."""
    n = bucket(EU)
    status(put(n, "before", b"x" * 1000), 200)
    quota(n, "--bytes", "1M")
    eq("what was there counts", usage(n), (1000, 1))
    refused(put(n, "a", b"x" * (MIB - 999)))
    error(S3().get(n, "a"), 404, "NoSuchKey")
    status(put(n, "a", b"x" * (MIB - 1000)), 200)
    refused(put(n, "b", b"x", US))
    status(put(n, "b", b""), 200)
    status(put(n, "a", b"y" * (MIB - 1000)), 200)
    eq("full", find_field(admin_json(EU, "bucket", "usage", n), "quota"), "full")
    status(put(n, "a", b"y"), 200)
    status(put(n, "b", b"x" * 20000), 200)
    eq("holds", usage(n), (21001, 3))
    status(S3().request("DELETE", n, "b"), 204)
    eq("holds", usage(n), (1001, 2))


def test_objects():
    n = bucket(EU)
    quota(n, "--objects", "2")
    for k in ("a", "b", "a"):
        status(put(n, k, b"x"), 200)
    refused(put(n, "c", b""))
    refused(S3().request("PUT", n, "c", headers={"x-amz-copy-source": "/%s/a" % n}))
    status(S3().request("PUT", n, "b", headers={"x-amz-copy-source": "/%s/a" % n}), 200)
    status(S3().request("PUT", n, "d", query="renameObject", headers={"x-amz-rename-source": "/a"}), 200)
    body = "<Delete><Object><Key>b</Key></Object><Object><Key>d</Key></Object></Delete>"
    status(S3().request("POST", n, query="delete", headers={"Content-MD5": base64.b64encode(hashlib.md5(body.encode()).digest()).decode()}, body=body.encode()), 200)
    eq("empty", usage(n), (0, 0))


def test_early():
    """A body that cannot fit is not stored first."""
    n = bucket(EU)
    quota(n, "--bytes", "1M")
    refused(put(n, "a", b"x" * (8 * MIB)))
    refused(put(n, "a", b"x" * (8 * MIB)))
    i = uploads.create(n, "k")
    refused(uploads.put_part(n, "k", i, 1, b"x" * (8 * MIB)))
    r = S3().request("GET", n, "k", query={"uploadId": i})
    eq("no part", len(r.xml.findall("Part")), 0)
    ok("counted", metric(EU, "anvil_quota_refused_total") >= 3)


def test_uploads():
    """Parts count as they come; what they become counts once."""
    n = bucket(EU)
    quota(n, "--bytes", "12M")
    big, i = b"x" * (5 * MIB), uploads.create(n, "k")
    parts = [(k, uploads.put_part(n, "k", i, k, big).get("ETag")) for k in (1, 2)]
    refused(uploads.put_part(n, "k", i, 3, big))
    status(uploads.put_part(n, "k", i, 2, big), 200)
    eq("parts count", usage(n), (10 * MIB, 0))
    status(uploads.complete(n, "k", i, parts), 200)
    eq("once", usage(n), (10 * MIB, 1))
    j = uploads.create(n, "k")
    r = S3().request("PUT", n, "k", query={"uploadId": j, "partNumber": "1"}, headers={"x-amz-copy-source": "/%s/k" % n})
    refused(r)
    status(uploads.put_part(n, "k", j, 1, b"x" * MIB), 200)
    status(uploads.abort(n, "k", j), 204)
    eq("aborted", usage(n), (10 * MIB, 1))
    status(S3().request("DELETE", n, "k"), 204)
    eq("empty", usage(n), (0, 0))


def test_versions():
    """Each version counts, a delete marker does not: a full bucket can always become emptier."""
    n = versioned()
    quota(n, "--objects", "2", "--bytes", "1000")
    status(put(n, "k", b"1" * 400), 200)
    status(put(n, "k", b"2" * 400), 200)
    refused(put(n, "k", b""))
    status(S3().request("DELETE", n, "k"), 204)
    eq("both are there", usage(n), (800, 2))
    remove_versions(S3(), n)
    eq("empty", usage(n), (0, 0))


def test_form():
    n = bucket(EU)
    quota(n, "--bytes", "100")
    refused(post(n, form(n, [("key", "k")]), b"x" * 101))
    status(post(n, form(n, [("key", "k")]), b"x" * 100), 204)
    refused(post(n, form(n, [("key", "big")]), b"x" * 100000))
    eq("holds", usage(n), (100, 1))


def test_from_elsewhere():
    """Set with another region's tools it is in force, changed and gone with the bucket's next requests."""
    n = bucket(EU)
    status(put(n, "a", b"x" * 100), 200)

    keys = iter(range(10000))

    def soon(limits, wanted):
        quota(n, *limits, region=US)
        until("%s: it is known" % (limits,), lambda: put(n, "k%d" % next(keys), b"x" * 100).status == wanted)
    soon(("--bytes", "200"), 403)
    usage(n)
    soon(("--bytes", "100K"), 200)
    soon(("--bytes", "150"), 403)
    soon(("--remove",), 200)
    r = admin(US, "bucket", "usage", n, check=False)
    ok("asked in the wrong region", r.returncode != 0 and "at home in region" in r.err, r.err)


def test_tools():
    """What is not given stays; \"none\" takes one limit away; nonsense is refused."""
    n = bucket(EU)
    for bad in ((), ("--bytes", "10X"), ("--bytes", "-1"), ("--objects", "1K"), ("--bytes", "99999P"), ("--remove", "--bytes", "1")):
        r = admin(EU, "bucket", "quota", n, *bad, check=False)
        ok("refused: %s" % (bad,), r.returncode != 0, r.err)
    quota(n, "--bytes", "2K")
    quota(n, "--objects", "7")

    def limits():
        b = find_field(admin_json(EU, "bucket", "show", n), "bucket")
        return b["quota_bytes"], b["quota_objects"], "quota" in b["configurations"]
    eq("both", limits(), (2048, 7, True))
    quota(n, "--bytes", "none")
    eq("one", limits(), (None, 7, True))
    quota(n, "--objects", "none")
    eq("none, but counted", limits(), (None, None, True))
    eq("so", find_field(admin_json(EU, "bucket", "usage", n), "quota"), "unlimited")
    admin(EU, "bucket", "recount", n)
    quota(n, "--remove")
    eq("not any more", limits(), (None, None, False))
    status(put(n, "a", b"12345"), 200)
    eq("counted when asked", find_field(admin_json(EU, "bucket", "usage", n, "--count"), "bytes"), 5)


def test_a_client():
    """boto3 tells its user, and does not try again."""
    n = bucket(EU)
    quota(n, "--bytes", "10")
    script = """
import boto3, botocore, sys
s3 = boto3.client("s3", endpoint_url=sys.argv[1])
try:
    s3.put_object(Bucket=sys.argv[2], Key="k", Body=b"x" * 11)
except botocore.exceptions.ClientError as e:
    m = e.response["ResponseMetadata"]
    print(e.response["Error"]["Code"], m["HTTPStatusCode"], m["RetryAttempts"])
"""
    r = run("/usr/bin/python3", "-c", script, EU.endpoint, n)
    eq("the client says", r.out.split(), ["QuotaExceeded", "403", "0"])


if __name__ == "__main__":
    main()
