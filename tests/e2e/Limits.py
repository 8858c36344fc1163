#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""S3's limits: what is just allowed, and one more with S3's error. Those of one operation alone are in its own file."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from uploads import complete, create, put_part  # noqa: E402


def config(n, sub, root, inner):
    return S3(US).request("PUT", n, query=sub, body=("<%s>%s</%s>" % (root, inner, root)).encode())


def cors(n, count, rule="<AllowedMethod>GET</AllowedMethod><AllowedOrigin>https://o%d.example</AllowedOrigin>"):
    return config(n, "cors", "CORSConfiguration", "".join("<CORSRule>%s</CORSRule>" % (rule % i) for i in range(count)))


def lifecycle(n, count, prefix="%d/"):
    return config(n, "lifecycle", "LifecycleConfiguration", "".join(
        "<Rule><Filter><Prefix>%s</Prefix></Filter><Status>Enabled</Status><Expiration><Days>%d</Days></Expiration></Rule>" % (prefix % i, i + 1) for i in range(count)))


def website(n, count):
    return config(n, "website", "WebsiteConfiguration", "<IndexDocument><Suffix>i</Suffix></IndexDocument><RoutingRules>%s</RoutingRules>" % "".join(
        "<RoutingRule><Condition><KeyPrefixEquals>%d/</KeyPrefixEquals></Condition><Redirect><ReplaceKeyWith>x</ReplaceKeyWith></Redirect></RoutingRule>" % i for i in range(count)))


def test_rules_of_a_bucket():
    """100 of CORS, 1,000 of lifecycle, 50 of routing."""
    n = bucket(EU)
    for put, most, code in ((cors, 100, "MalformedXML"), (lifecycle, 1000, "MalformedXML"), (website, 50, "InvalidRequest")):
        status(put(n, most), 200)
        error(put(n, most + 1), 400, code)


def test_thousand_rules_hold():
    """The last of a thousand rules is told with an object, and the document can be read, put again, and read in the other region."""
    n = bucket(EU)
    status(lifecycle(n, 1000), 200)
    r = S3(US).request("GET", n, query="lifecycle")
    status(r, 200)
    eq("rules", len(r.xml.findall("Rule")), 1000)
    eq("each has an id of its own", len({x.text for x in r.xml.findall("Rule/ID")}), 1000)
    status(S3(EU).request("PUT", n, query="lifecycle", body=r.body), 200)
    contains("x-amz-expiration", S3().put(n, "999/k", b"x").get("x-amz-expiration") or "", 'rule-id="%s"' % r.xml.findall("Rule/ID")[999].text)
    eq("of what no rule is for", S3().put(n, "k", b"x").get("x-amz-expiration"), None)


def test_ids_of_rules():
    n = bucket(EU)
    rest = "<Status>Enabled</Status><Filter><Prefix/></Filter><Expiration><Days>1</Days></Expiration>"
    for length in (255, 256):
        for r in (config(n, "lifecycle", "LifecycleConfiguration", "<Rule><ID>%s</ID>%s</Rule>" % ("i" * length, rest)),
                  cors(n, 1, "<ID>" + "i" * length + "</ID><AllowedMethod>GET</AllowedMethod><AllowedOrigin>o%d</AllowedOrigin>")):
            if length == 255:
                status(r, 200)
            else:
                error(r, 400, "InvalidArgument")


def test_documents():
    """Of a configuration 64 KB, of lifecycle more; deeper than any is XML that S3 does not know."""
    n = bucket(EU)
    pad = "<!--%s-->"
    rule = "<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>"
    room = 65536 - len("<CORSConfiguration></CORSConfiguration>") - len(rule) - len(pad % "")
    status(config(n, "cors", "CORSConfiguration", rule + pad % ("x" * room)), 200)
    error(config(n, "cors", "CORSConfiguration", rule + pad % ("x" * (room + 1))), 400, "MaxMessageLengthExceeded", MaxMessageLengthBytes="65536")
    status(lifecycle(n, 100, "%d/" + "p" * 1000), 200)
    error(lifecycle(n, 1000, "%d/" + "p" * 200), 400, "MaxMessageLengthExceeded", MaxMessageLengthBytes="262144")
    for depth in (9, 1000):
        error(config(n, "cors", "CORSConfiguration", "<a>" * depth + "</a>" * depth), 400, "MalformedXML")


def test_metadata():
    """2 KB, of names and values together."""
    n = bucket(EU)
    for names in (("a",), ("a", "bc", "def")):
        spare = 2048 - sum(len(x) for x in names) - len(names[1:])
        h = dict({"x-amz-meta-" + x: "v" for x in names[1:]}, **{"x-amz-meta-" + names[0]: "v" * spare})
        for key, r in (("put", S3().request("PUT", n, "put", body=b"x", headers=h)), ("parts", S3().request("POST", n, "parts", query="uploads", headers=h))):
            status(r, 200)
        h["x-amz-meta-" + names[0]] += "v"
        for key, r in (("put", S3().request("PUT", n, "put", body=b"y", headers=h)), ("parts", S3().request("POST", n, "parts", query="uploads", headers=h)),
                       ("copy", S3().request("PUT", n, "copy", headers=dict(h, **{"x-amz-copy-source": "/%s/put" % n, "x-amz-metadata-directive": "REPLACE"})))):
            error(r, 400, "MetadataTooLarge", Size="2049", MaxSizeAllowed="2048")
    eq("as it was", S3().get(n, "put").body, b"x")


def test_keys():
    """1,024 bytes, wherever a key is named."""
    n = bucket(EU)

    def asked(k):
        body = ("<Delete><Object><Key>%s</Key></Object></Delete>" % k).encode()
        yield "put", S3(US).request("PUT", n, k, body=b"x"), 200
        yield "get", S3(US).get(n, k), 200
        yield "copy", S3(US).request("PUT", n, k, headers={"x-amz-copy-source": "/%s/short" % n}), 200
        yield "create", S3(US).request("POST", n, k, query="uploads"), 200
        for q in ({"prefix": k}, {"marker": k}, {"list-type": "2", "start-after": k}):
            yield str(list(q)), S3(US).request("GET", n, query=q), 200
        yield "delete many", S3(US).request("POST", n, query="delete", body=body, headers={"x-amz-checksum-crc32": sigv4.checksum("crc32", body)}), 200
        yield "delete", S3(US).delete(n, k), 204

    S3().put(n, "short", b"x")
    for k in ("k" * 1024, "\u00e9" * 512):
        for what, r, good in asked(k):
            eq("%s of 1,024 bytes" % what, r.status, good)
    for k in ("k" * 1025, "\u00e9" * 512 + "k"):
        for what, r, _ in asked(k):
            if what == "delete many":
                eq("of many", r.xml.findtext("Error/Code"), "KeyTooLongError")
            else:
                error(r, 400, "KeyTooLongError", Size="1025", MaxSizeAllowed="1024")


def test_parts():
    """Numbers 1 to 10,000, a list of as many, and of one at least."""
    n = bucket(EU)
    i = create(n, "k")
    for number in (1, 10000):
        status(put_part(n, "k", i, number, b"x"), 200)
    for number in (0, 10001):
        error(put_part(n, "k", i, number, b"x"), 400, "InvalidArgument", ArgumentName="partNumber", ArgumentValue=str(number))
    error(complete(n, "k", i, [(j, '"x"') for j in range(1, 10001)]), 400, "InvalidPart")
    error(complete(n, "k", i, [(j, '"x"') for j in range(1, 10002)]), 400, "MalformedXML")
    for none in (b"<CompleteMultipartUpload/>", b"<CompleteMultipartUpload xmlns='http://s3.amazonaws.com/doc/2006-03-01/'> </CompleteMultipartUpload>"):
        r = complete(n, "k", i, none)
        error(r, 400, "InvalidRequest")
        eq("why", r.text("Message"), "You must specify at least one part")
    error(complete(n, "k", i, b""), 400, "MalformedXML")


def test_pages():
    """A page has a thousand entries at most, whatever is asked for, ten thousand of buckets; a number that is none is refused."""
    n = bucket(EU)
    i = create(n, "k")
    for name, path, element, query in (("max-keys", None, "MaxKeys", {}), ("max-keys", None, "MaxKeys", {"list-type": "2"}), ("max-keys", None, "MaxKeys", {"versions": ""}),
                                       ("max-uploads", None, "MaxUploads", {"uploads": ""}), ("max-parts", "k", "MaxParts", {"uploadId": i})):
        def ask(v):
            return S3(US).request("GET", n, path, query=dict(query, **{name: v}))
        for v, told in (("1000", "1000"), ("1001", "1000"), ("2147483647", "1000"), ("1", "1")):
            r = ask(v)
            status(r, 200)
            eq("%s of %s" % (element, v), r.text(element), told)
        for v in ("-1", "x", "2147483648", "1.5"):
            error(ask(v), 400, "InvalidArgument", ArgumentName=None, ArgumentValue=v)
    status(S3().request("GET", query={"max-buckets": "10000"}), 200)
    for v in ("0", "10001", "x"):
        error(S3().request("GET", query={"max-buckets": v}), 400, "InvalidArgument", ArgumentName="max-buckets", ArgumentValue=v)


def test_sizes():
    """5 GiB of a put, said before a byte is taken."""
    n = bucket(EU)
    for more in (0, 1):
        r = S3().request("PUT", n, "k", body=b"0\r\n\r\n", payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER", headers={"x-amz-decoded-content-length": str((5 << 30) + more), "content-encoding": "aws-chunked"})
        if more:
            error(r, 400, "EntityTooLarge", ProposedSize="5368709121", MaxSizeAllowed="5368709120")
        else:
            error(r, 400, "IncompleteBody")
    eq("nothing is left", S3().keys(n), [])


def test_presigned():
    """Seven days."""
    n = bucket(EU)
    S3().put(n, "k", b"x")
    for expires, good in ((604800, True), (1, True), (604801, False), (0, False), (-1, False)):
        r = S3(US).send("GET", S3(US).presigned("GET", n, "k", expires=expires))
        if good:
            status(r, 200)
        elif expires == 0:
            error(r, 403, "AccessDenied")
        else:
            error(r, 400, "AuthorizationQueryParametersError")


if __name__ == "__main__":
    main()
