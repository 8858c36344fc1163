#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""DeleteBucketPolicy: in any region; what it allowed is refused everywhere when the 204 arrives."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403



def allow(n, action="s3:GetObject"):
    where = ["arn:aws:s3:::" + n, "arn:aws:s3:::%s/*" % n]
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": action, "Resource": where}]}).encode()


def drop(s3, n):
    return s3.request("DELETE", n, query="policy")


def test_everywhere_at_once():
    """Ten times: what the policy let in is out in both regions."""
    n = bucket(EU)
    S3(EU).put(n, "k", b"x")
    for i in range(5):
        for via in (EU, US):
            status(S3(via).request("PUT", n, query="policy", body=allow(n)), 204)
            eq("in", [S3(x).send("GET", "/%s/k" % n).status for x in (EU, US)], [200, 200])
            r = drop(S3(via), n)
            status(r, 204)
            eq("no body", r.body, b"")
            eq("out", [S3(x).send("GET", "/%s/k" % n).status for x in (EU, US)], [403, 403])


def test_again():
    """There is none: 204 all the same."""
    n = bucket(US)
    for region in (EU, US, EU):
        status(drop(S3(region), n), 204)
        error(S3(region).request("GET", n, query="policy"), 404, "NoSuchBucketPolicy")


def test_missing():
    n = "t-" + secrets.token_hex(8)
    for region in (EU, US):
        error(drop(S3(region), n), 404, "NoSuchBucket", BucketName=n)


def test_refused():
    n = bucket(EU)
    status(S3(EU).request("PUT", n, query="policy", body=allow(n)), 204)
    theirs = S3(US, KEY2, SECRET2)
    error(drop(theirs, n), 403, "AccessDenied")
    error(S3(EU).send("DELETE", "/%s?policy" % n), 403, "AccessDenied")
    status(S3(EU).request("PUT", n, query="policy", body=allow(n, "s3:*")), 204)
    error(drop(theirs, n), 405, "MethodNotAllowed")
    error(S3(EU).send("DELETE", "/%s?policy" % n), 405, "MethodNotAllowed")
    eq("it is there", S3(EU).request("GET", n, query="policy").body, allow(n, "s3:*"))


def test_locked_out_by_it():
    """The owner can remove a policy that denies him everything."""
    n = bucket(EU)
    status(S3(EU).request("PUT", n, query="policy", body=allow(n, "s3:*").replace(b"Allow", b"Deny")), 204)
    error(S3(US).request("GET", n, query={"list-type": "2"}), 403, "AccessDenied")
    status(drop(S3(US), n), 204)
    status(S3(EU).list(n), 200)


def test_wire():
    n = bucket(EU)
    r = drop(S3(EU), n)
    eq("status, body, length", (r.status, r.body, r.get("Content-Length", "0")), (204, b"", "0"))
    host = "%s.%s:%d" % (n, EU.domain, EU.port)
    status(S3(EU).request("DELETE", target="/?policy", host=host), 204)
    status(S3(EU).request("HEAD", n), 200)


if __name__ == "__main__":
    main()
