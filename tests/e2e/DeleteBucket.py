#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""DeleteBucket: only an empty one, in its home region, whoever is asked."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403



def test_empty():
    """Through the other region, too; and it is gone everywhere when the 204 arrives."""
    for via in (EU, US):
        n = bucket(EU)
        r = S3(via).request("DELETE", n)
        status(r, 204)
        eq("no body", r.body, b"")
        for region in (EU, US):
            error(S3(region).request("GET", n, "k"), 404, "NoSuchBucket", BucketName=n)


def test_not_empty():
    n = bucket(EU)
    S3().put(n, "k", b"x")
    for via in (EU, US):
        error(S3(via).request("DELETE", n), 409, "BucketNotEmpty", BucketName=n)
    eq("nothing was lost", S3().get(n, "k").body, b"x")
    status(S3().delete(n, "k"), 204)
    status(S3(US).request("DELETE", n), 204)


def test_versions_are_left():
    """A marker keeps it, too; and S3 says why."""
    n = versioned(EU)
    S3().put(n, "k", b"x")
    S3().delete(n, "k")
    r = S3().request("DELETE", n)
    error(r, 409, "BucketNotEmpty", BucketName=n)
    contains("why", r.text("Message"), "You must delete all versions in the bucket.")


def test_missing():
    n = "t-" + secrets.token_hex(8)
    error(S3().request("DELETE", n), 404, "NoSuchBucket", BucketName=n)


def test_refused():
    n = bucket(EU)
    error(S3(EU, KEY2, SECRET2).request("DELETE", n), 403, "AccessDenied")
    error(S3(EU).send("DELETE", "/" + n), 403, "AccessDenied")
    status(S3().request("HEAD", n), 200)


def test_made_again_elsewhere():
    """A name that was eu's may be us's next; nothing of the old one shows."""
    n = bucket(EU)
    S3().put(n, "old", b"x")
    S3().delete(n, "old")
    status(S3(US).request("DELETE", n), 204)
    body = b"<CreateBucketConfiguration><LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>" % US.name.encode()
    status(S3(EU).request("PUT", n, body=body), 200)
    for region in (EU, US):
        eq("home", S3(region).request("HEAD", n).get("x-amz-bucket-region"), US.name)
        eq("empty", S3(region).keys(n), [])
    S3(EU).put(n, "new", b"y")
    eq("stored in us", S3(US).get(n, "new").body, b"y")
    S3(US).delete(n, "new")
    status(S3(EU).request("DELETE", n), 204)


def test_race_with_put():
    """Puts and a delete at once: either the delete finds it not empty, or every later put is told NoSuchBucket."""
    import concurrent.futures
    for _ in range(10):
        n = bucket(EU)
        with concurrent.futures.ThreadPoolExecutor(9) as pool:
            puts = [pool.submit(S3((EU, US)[i % 2]).request, "PUT", n, "k%d" % i, body=b"x") for i in range(8)]
            gone = pool.submit(S3(EU).request, "DELETE", n).result()
            puts = [p.result() for p in puts]
        codes = [p.status for p in puts]
        ok("puts end in 200 or 404", all(c in (200, 404) for c in codes), codes)
        if gone.status == 204:
            eq("deleted: no put was acknowledged", [c for c in codes if c == 200], [])
            status(S3(US).request("HEAD", n), 404)
        else:
            error(gone, 409, "BucketNotEmpty")
            eq("kept: every acknowledged put is there", len(S3().keys(n)), codes.count(200))


if __name__ == "__main__":
    main()
