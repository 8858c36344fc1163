#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""RenameObject: another key for an object, in one step, with all it has."""
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def rename(n, source, to, s3=None, **headers):
    h = {"x-amz-rename-source": sigv4.path_of("b", source)[3:]}
    h.update({k.replace("_", "-"): v for k, v in headers.items()})
    return (s3 or S3()).request("PUT", n, to, query="renameObject", headers=h)


def test_rename():
    """Bytes, metadata, tags and time stay; the old key is gone; what was there is replaced."""
    n = bucket(EU)
    for size, via in ((5, EU), (100000, US)):
        data = random_bytes(size, size)
        S3().put(n, "old", data, content_type="text/a", x_amz_meta_a="1", x_amz_tagging="a=b")
        S3().put(n, "dir/new", random_bytes(50000))
        before = S3().head(n, "old")
        r = rename(n, "old", "dir/new", S3(via), x_amz_client_token="00000000-0000-4000-8000-000000000000")
        status(r, 200)
        eq("body", r.body, b"")
        after = S3().get(n, "dir/new")
        ok("bytes", after.body == data)
        same = ("ETag", "Last-Modified", "Content-Type", "x-amz-meta-a", "x-amz-tagging-count", "x-amz-checksum-crc64nvme")
        eq("the rest", [after.get(h) for h in same], [before.get(h) for h in same])
        eq("keys", S3().keys(n), ["dir/new"])
    error(rename(n, "old", "dir/new"), 404, "NoSuchKey", Key="old")
    eq("keys", S3().keys(n), ["dir/new"])


def test_encrypted():
    n = bucket(EU)
    for size in (100, 100000):
        status(S3().request("PUT", n, "old", body=b"x" * size, headers={"x-amz-server-side-encryption": "AES256"}), 200)
        status(rename(n, "old", "new"), 200)
        eq("bytes", S3().get(n, "new").body, b"x" * size)


def test_conditions():
    """On the source, and on what is there already."""
    n = bucket(EU)
    a, b = (S3().put(n, k, k.encode()).get("ETag") for k in ("a", "b"))
    past, future = "Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
    for h in ({"if_none_match": "*"}, {"if_match": a}, {"x_amz_rename_source_if_match": b}, {"x_amz_rename_source_if_none_match": a},
              {"x_amz_rename_source_if_unmodified_since": past}, {"x_amz_rename_source_if_modified_since": S3().head(n, "a").get("Last-Modified")}):
        error(rename(n, "a", "b", **h), 412, "PreconditionFailed", Condition=None)
    error(rename(n, "a", "c", if_match=a), 404, "NoSuchKey", Key="c")
    eq("keys", S3().keys(n), ["a", "b"])
    status(rename(n, "a", "b", if_match=b, x_amz_rename_source_if_match=a, x_amz_rename_source_if_unmodified_since=future), 200)
    status(rename(n, "b", "c", if_none_match="*"), 200)
    eq("keys", (S3().keys(n), S3().get(n, "c").body), (["c"], b"a"))


def test_errors():
    n = bucket(EU)
    S3().put(n, "a", b"x")
    error(rename(n, "a", "a"), 400, "InvalidRequest")
    for bad in ("", "/", "%zz", "a%00"):
        error(S3().request("PUT", n, "b", query="renameObject", headers={"x-amz-rename-source": bad} if bad else {}), 400, "InvalidArgument")
    error(rename(n, "a", "b", if_modified_since="Sat, 01 Jan 2000 00:00:00 GMT"), 501, "NotImplemented")
    versioned(name=n)
    error(rename(n, "a", "b"), 409, "InvalidBucketState")
    eq("keys", S3().keys(n), ["a"])


def test_odd_keys():
    n = bucket(EU)
    S3().put(n, "a b+c/\u65e5%?", b"x")
    status(rename(n, "a b+c/\u65e5%?", "\u00fc//"), 200)
    status(S3().request("PUT", n, "y", query="renameObject", headers={"x-amz-rename-source": "/%C3%BC//"}), 200)
    eq("keys", S3().keys(n), ["y"])


def test_refused():
    """Whoever renames must be allowed to read and delete the source, and to put the destination."""
    n = bucket(EU)
    S3().put(n, "a", b"x")
    other = S3(EU, KEY2, SECRET2)
    for actions in (["s3:PutObject"], ["s3:PutObject", "s3:GetObject"], ["s3:PutObject", "s3:DeleteObject"], ["s3:GetObject", "s3:DeleteObject"]):
        allow(n, actions)
        error(rename(n, "a", "b", other), 403, "AccessDenied")
    eq("keys", S3().keys(n), ["a"])
    allow(n, ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"])
    error(rename(n, "never", "b", other), 403, "AccessDenied")
    status(rename(n, "a", "b", other), 200)
    error(S3().send("PUT", "/%s/c?renameObject" % n, {"x-amz-rename-source": "never"}, b""), 403, "AccessDenied")


def test_races():
    """Round and round, and written meanwhile: nothing is lost, nothing stands still."""
    n = bucket(EU)
    S3().put(n, "a", b"a" * 20000)
    S3().put(n, "b", b"b" * 20000)
    answers = []

    def turn(source, to):
        for _ in range(8):
            answers.append(rename(n, source, to).status)

    def write(key):
        for i in range(8):
            answers.append(S3().request("PUT", n, key, body=key.encode() * 20000).status)

    threads = [threading.Thread(target=f, args=a) for f, a in ((turn, ("a", "b")), (turn, ("b", "a")), (turn, ("b", "c")), (write, ("a",)), (write, ("c",)))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    ok("answers", set(answers) <= {200, 404, 409}, answers)
    ok("something is left", S3().keys(n))
    for k in S3().keys(n):
        r = S3().get(n, k)
        ok("whole", r.status == 200 and len(r.body) == 20000 and len(set(r.body)) == 1, r)


if __name__ == "__main__":
    main()
