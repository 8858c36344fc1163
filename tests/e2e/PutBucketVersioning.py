#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutBucketVersioning, and what becomes of objects under each of its states."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
import uploads  # noqa: E402


def put_state(n, state, region=EU, **kw):
    return S3(region, **kw).request("PUT", n, query="versioning", body=b"<VersioningConfiguration><Status>%s</Status></VersioningConfiguration>" % state)


def by_id(n, v, region=EU, method="GET", key="k"):
    return S3(region).request(method, n, key, query={"versionId": v})


def test_enabled():
    """Each put is a version of its own; each is got by its id; the newest is the object."""
    n = bucket(EU)
    r = S3().put(n, "k", b"0")
    eq("no version yet", r.get("x-amz-version-id"), None)
    status(put_state(n, b"Enabled", US), 200)
    ids = [S3(x).put(n, "k", b"%d" % i * (1 if i % 2 else 100000)).get("x-amz-version-id") for i, x in ((1, EU), (2, US), (3, EU))]
    eq("ids differ", len(set(ids)), 3)
    for i, v in enumerate(ids):
        for x in (EU, US):
            r = by_id(n, v, x)
            status(r, 200)
            eq("its bytes", r.body, b"%d" % (i + 1) * (1 if i % 2 == 0 else 100000))
            eq("its id", r.get("x-amz-version-id"), v)
            eq("HEAD's id", by_id(n, v, x, "HEAD").get("x-amz-version-id"), v)
    eq("the null version", by_id(n, "null").body, b"0")
    r = S3(US).get(n, "k")
    eq("the current one", (r.body, r.get("x-amz-version-id")), (b"3", ids[2]))
    eq("versions", versions(n), [("k", ids[2], True, False), ("k", ids[1], False, False), ("k", ids[0], False, False), ("k", "null", False, False)])
    eq("listed once", S3().keys(n), ["k"])


def test_delete_marker():
    n = versioned(EU)
    v = S3().put(n, "k", b"x").get("x-amz-version-id")
    r = S3(US).delete(n, "k")
    status(r, 204)
    marker = r.get("x-amz-version-id")
    eq("a marker", r.get("x-amz-delete-marker"), "true")
    r = S3().get(n, "k")
    error(r, 404, "NoSuchKey", Key="k")
    eq("told of the marker", (r.get("x-amz-delete-marker"), r.get("x-amz-version-id")), ("true", marker))
    r = by_id(n, marker)
    error(r, 405, "MethodNotAllowed")
    eq("told of the marker", (r.get("x-amz-delete-marker"), r.get("x-amz-version-id")), ("true", marker))
    ok("Last-Modified", r.get("Last-Modified"), r.headers)
    status(by_id(n, marker, method="HEAD"), 405)
    eq("the version is there", by_id(n, v).body, b"x")
    eq("nothing is listed", S3().keys(n), [])
    eq("versions", versions(n), [("k", marker, True, True), ("k", v, False, False)])
    error(S3().request("DELETE", n), 409, "BucketNotEmpty")
    r = by_id(n, marker, method="DELETE")
    status(r, 204)
    eq("it was a marker", (r.get("x-amz-delete-marker"), r.get("x-amz-version-id")), ("true", marker))
    eq("back", S3().get(n, "k").body, b"x")
    r = by_id(n, v, US, "DELETE")
    status(r, 204)
    eq("no marker", (r.get("x-amz-delete-marker"), r.get("x-amz-version-id")), (None, v))
    error(S3().get(n, "k"), 404, "NoSuchKey")
    error(by_id(n, v), 404, "NoSuchVersion", VersionId=v, Key="k")
    status(by_id(n, v, method="DELETE"), 204)


def test_suspended():
    """The null version is replaced wherever it lies; others stay."""
    n = bucket(EU)
    S3().put(n, "k", b"null 1")
    versioned(name=n)
    v = S3().put(n, "k", b"v").get("x-amz-version-id")
    status(put_state(n, b"Suspended"), 200)
    for i in (2, 3):
        eq("no id is told", S3().put(n, "k", b"null %d" % i).get("x-amz-version-id"), None)
        eq("versions", versions(n), [("k", "null", True, False), ("k", v, False, False)])
        eq("the object", S3().get(n, "k").body, b"null %d" % i)
        eq("null", by_id(n, "null").body, b"null %d" % i)
        eq("but read", S3().head(n, "k").get("x-amz-version-id"), "null")
    r = S3().request("PUT", n, "copy", headers={"x-amz-copy-source": "/%s/k?versionId=%s" % (n, v)})
    eq("but with a copy", (r.status, r.get("x-amz-version-id"), r.get("x-amz-copy-source-version-id")), (200, "null", v))
    r = S3().request("PUT", n, "copy", headers={"x-amz-copy-source": "/%s/k" % n})
    eq("and not its source's null", (r.status, r.get("x-amz-version-id"), r.get("x-amz-copy-source-version-id")), (200, "null", None))
    i = uploads.create(n, "parts")
    part = (1, uploads.put_part(n, "parts", i, 1, b"x").get("ETag"))
    for _ in range(2):  # the second is the first's answer, told again
        r = uploads.complete(n, "parts", i, [part])
        eq("nor with what is of parts", (r.status, r.get("x-amz-version-id")), (200, None))
    for k in ("copy", "parts"):
        status(by_id(n, "null", method="DELETE", key=k), 204)
    r = S3().delete(n, "k")
    eq("a null marker", (r.status, r.get("x-amz-version-id"), r.get("x-amz-delete-marker")), (204, "null", "true"))
    eq("versions", versions(n), [("k", "null", True, True), ("k", v, False, False)])
    eq("by its id", by_id(n, v).body, b"v")
    status(put_state(n, b"Enabled"), 200)
    w = S3().put(n, "k", b"w").get("x-amz-version-id")
    eq("versions", versions(n), [("k", w, True, False), ("k", "null", False, True), ("k", v, False, False)])
    status(by_id(n, "null", method="DELETE"), 204)
    eq("versions", versions(n), [("k", w, True, False), ("k", v, False, False)])


def test_conditions():
    """If-None-Match and If-Match are about the current version; a delete marker is not there."""
    n = versioned(EU)
    etag = S3().put(n, "k", b"a", if_none_match="*").get("ETag")
    error(S3().request("PUT", n, "k", body=b"b", headers={"if-none-match": "*"}), 412, "PreconditionFailed")
    error(S3().request("PUT", n, "k", body=b"b", headers={"if-match": '"other"'}), 412, "PreconditionFailed")
    S3().put(n, "k", b"b", if_match=etag)
    status(S3().delete(n, "k"), 204)
    error(S3().request("PUT", n, "k", body=b"b", headers={"if-match": etag}), 404, "NoSuchKey")
    S3().put(n, "k", b"c", if_none_match="*")
    eq("versions", len(versions(n)), 4)


def test_bad_ids():
    n = versioned(EU)
    S3().put(n, "k", b"x")
    for method in ("GET", "DELETE"):
        for v in ("x", "NULL", "0123456789abcdef", "FFFFFFFFFFFFFFFF", "ffffffffffffffff0", "-1"):
            error(by_id(n, v, method=method), 400, "InvalidArgument", ArgumentName="versionId", ArgumentValue=v)
        error(by_id(n, "", method=method), 400, "InvalidArgument", ArgumentName="versionId")
    error(by_id(n, "ffffffffffffffff"), 404, "NoSuchVersion")
    error(by_id(n, "null"), 404, "NoSuchVersion")


def test_documents():
    n = bucket(EU)
    for body, code in ((b"", "MalformedXML"), (b"<x/>", "MalformedXML"),
                       (b"<VersioningConfiguration><Status>On</Status></VersioningConfiguration>", "MalformedXML"),
                       (b"<VersioningConfiguration/>", "IllegalVersioningConfigurationException")):
        error(S3().request("PUT", n, query="versioning", body=body), 400, code)
    error(S3().request("PUT", n, query="versioning", body=b"<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>"), 501, "NotImplemented")
    error(put_state("t-" + secrets.token_hex(8), b"Enabled"), 404, "NoSuchBucket")


def test_refused():
    n = bucket(EU)
    error(put_state(n, b"Enabled", key=KEY2, secret=SECRET2), 403, "AccessDenied")
    error(S3().send("PUT", "/%s?versioning" % n, body=b""), 403, "AccessDenied")


def test_odd_keys():
    n = versioned(EU)
    for k in ("a b+c%20", "\u00e9/\U0001f600", "a//b", "null"):
        v = S3().put(n, k, k.encode()).get("x-amz-version-id")
        eq("by its id", by_id(n, v, US, key=k).body, k.encode())


if __name__ == "__main__":
    main()
