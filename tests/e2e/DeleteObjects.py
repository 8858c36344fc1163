#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""DeleteObjects: many at once, each on its own."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def remove(n, items, quiet=False, region=EU, headers=None, s3=None):
    """items: keys, or (key, {element: text})."""
    import base64
    from xml.sax.saxutils import escape
    xml = "<Delete>" + ("<Quiet>true</Quiet>" if quiet else "")
    for it in items:
        k, more = it if isinstance(it, tuple) else (it, {})
        xml += "<Object><Key>%s</Key>%s</Object>" % (escape(k), "".join("<%s>%s</%s>" % (a, escape(b), a) for a, b in more.items()))
    body = (xml + "</Delete>").encode()
    h = {"content-md5": base64.b64encode(hashlib.md5(body).digest()).decode()} if headers is None else headers
    return (s3 or S3(region)).request("POST", n, query="delete", headers=h, body=body)


def outcome(r):
    status(r, 200)
    eq("root", r.xml.tag, "DeleteResult")
    return [e.findtext("Key") for e in r.xml.findall("Deleted")], [(e.findtext("Key"), e.findtext("Code")) for e in r.xml.findall("Error")]


def test_gone():
    n = bucket(EU)
    keys = ["k%d" % i for i in range(5)] + ["a b+%<&>", "\u00e9"]
    for k in keys:
        S3().put(n, k, b"x" * (100000 if k == "k1" else 1))
    eq("told one by one, the missing one too", outcome(remove(n, keys + ["never"], region=US)), (keys + ["never"], []))
    eq("nothing left", S3().keys(n), [])
    S3().put(n, "k", b"x")
    eq("quiet", outcome(remove(n, ["k", "never"], quiet=True)), ([], []))
    eq("nothing left", S3().keys(n), [])


def test_thousand():
    n = bucket(EU)
    eq("1,000", len(outcome(remove(n, ["k%d" % i for i in range(1000)]))[0]), 1000)
    error(remove(n, ["k%d" % i for i in range(1001)]), 400, "MalformedXML")
    error(remove(n, []), 400, "MalformedXML")


def test_versions():
    n = versioned(EU)
    a, b = (S3().put(n, "k", x).get("x-amz-version-id") for x in (b"a", b"b"))
    r = remove(n, ["k", ("k", {"VersionId": a}), ("k", {"VersionId": "zzz"})])
    d = r.xml.findall("Deleted")
    eq("a marker and a version", [(e.findtext("VersionId"), e.findtext("DeleteMarker")) for e in d], [(None, "true"), (a, None)])
    marker = d[0].findtext("DeleteMarkerVersionId")
    eq("no such version's id", outcome(r)[1], [("k", "NoSuchVersion")])
    eq("versions", versions(n), [("k", marker, True, True), ("k", b, False, False)])
    e = remove(n, [("k", {"VersionId": marker})]).xml.find("Deleted")
    eq("a deleted marker", (e.findtext("VersionId"), e.findtext("DeleteMarker"), e.findtext("DeleteMarkerVersionId")), (marker, "true", marker))
    eq("back", S3().get(n, "k").body, b"b")


def test_conditions():
    n = bucket(EU)
    r = S3().put(n, "k", b"xyz")
    h = S3().head(n, "k")
    for bad in ({"ETag": '"other"'}, {"Size": "4"}, {"LastModifiedTime": "Tue, 01 Jan 2019 00:00:00 GMT"}):
        eq(str(bad), outcome(remove(n, [("k", bad)])), ([], [("k", "PreconditionFailed")]))
    good = {"ETag": r.get("ETag"), "LastModifiedTime": h.get("Last-Modified"), "Size": "3"}
    eq("all hold", outcome(remove(n, [("k", good)])), (["k"], []))
    eq("not there", outcome(remove(n, [("k", {"ETag": "*"})])), ([], [("k", "NoSuchKey")]))
    eq("what is not there has no size", outcome(remove(n, [("k", {"Size": "4"}), ("k", {"LastModifiedTime": "Tue, 01 Jan 2019 00:00:00 GMT"})])), (["k", "k"], []))


def test_digest():
    """One digest is needed, any; a wrong one deletes nothing."""
    n = bucket(EU)
    S3().put(n, "k", b"x")
    error(remove(n, ["k"], headers={}), 400, "InvalidRequest")
    error(remove(n, ["k"], headers={"content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}), 400, "BadDigest")
    eq("still there", S3().keys(n), ["k"])


def test_authorised_one_by_one():
    n = bucket(EU)
    for k in ("mine", "yours/a"):
        S3().put(n, k, b"x")
    theirs = S3(EU, KEY2, SECRET2)
    eq("none", outcome(remove(n, ["mine", "yours/a"], s3=theirs)), ([], [("mine", "AccessDenied"), ("yours/a", "AccessDenied")]))
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::%s/yours/*" % n}]}
    status(S3().request("PUT", n, query="policy", body=json.dumps(policy).encode()), 204)
    eq("one of two", outcome(remove(n, ["mine", "yours/a"], s3=theirs)), (["yours/a"], [("mine", "AccessDenied")]))
    eq("left", S3().keys(n), ["mine"])


def test_errors():
    n = bucket(EU)
    for body in (b"", b"<Delete/>", b"<Delete><Object/></Delete>", b"<Delete><Object><Key></Key></Object></Delete>", b"<Delete><Object><Key>k</Key><X/></Object></Delete>", b"nonsense"):
        import base64
        h = {"content-md5": base64.b64encode(hashlib.md5(body).digest()).decode()}
        error(S3().request("POST", n, query="delete", headers=h, body=body), 400, "MalformedXML")
    error(remove("t-" + secrets.token_hex(8), ["k"]), 404, "NoSuchBucket")


def test_wire():
    n = bucket(EU)
    contains("the answer", remove(n, ["a&b"]).body, b"<Deleted><Key>a&amp;b</Key></Deleted></DeleteResult>")


if __name__ == "__main__":
    main()
