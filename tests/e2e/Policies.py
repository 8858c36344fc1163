#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Policies as users of S3 write them: conditions, principals, and what they mean to requests that come either way."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def arn(n, what="/*"):
    return "arn:aws:s3:::" + n + what


def set_policy(n, *statements, s3=None):
    """Each with Principal * and the whole bucket, unless it says otherwise."""
    out = []
    for st in statements:
        st = dict({"Effect": "Allow", "Resource": [arn(n), arn(n, "")]}, **st)
        if "NotPrincipal" not in st:
            st.setdefault("Principal", "*")
        if "NotResource" in st:
            st.pop("Resource")
        out.append(st)
    r = (s3 or S3()).request("PUT", n, query={"policy": None}, body=json.dumps({"Version": "2012-10-17", "Statement": out}).encode())
    status(r, 204)


def anonymous(method, n, key=None, via=EU, headers=None, query=None):
    target = sigv4.path_of(n, key) + ("?" + sigv4.query_of(query) if query else "")
    return S3(via).send(method, target, headers, b"" if method == "PUT" else None)


def check(n, want, condition, method="GET", key="k", action="s3:GetObject", headers=None, query=None, via=(EU, US)):
    """Anonymous with an Allow under this condition: let in or not, straight and relayed."""
    set_policy(n, {"Action": action, "Condition": condition})
    for region in via:
        r = anonymous(method, n, key, region, headers, query)
        eq("%s at %s under %s: let in" % (r.said, region, condition), r.status in (200, 204), want)
        if not want:
            error(r, 403, "AccessDenied")


def test_anonymous():
    """What is allowed to all is, and nothing else: reads, lists, writes."""
    n = bucket(EU)
    S3().put(n, "open/k", b"x")
    S3().put(n, "k", b"y")
    set_policy(n, {"Action": "s3:GetObject", "Resource": arn(n, "/open/*")}, {"Action": "s3:ListBucket", "Resource": arn(n, ""), "Condition": {"StringLike": {"s3:prefix": "open/*"}}},
               {"Action": ["s3:PutObject", "s3:DeleteObject"], "Resource": arn(n, "/drop/*")})
    for via in (EU, US):
        eq("read", anonymous("GET", n, "open/k", via).body, b"x")
        error(anonymous("GET", n, "k", via), 403, "AccessDenied")
        status(anonymous("GET", n, None, via, query={"list-type": 2, "prefix": "open/"}), 200)
        error(anonymous("GET", n, None, via, query={"list-type": 2, "prefix": ""}), 403, "AccessDenied")
        error(anonymous("GET", n, None, via, query={"list-type": 2}), 403, "AccessDenied")
        status(anonymous("PUT", n, "drop/k", via), 200)
        error(anonymous("PUT", n, "open/k", via), 403, "AccessDenied")
        status(anonymous("DELETE", n, "drop/k", via), 204)
        for q in ("policy", "acl", "tagging", "versioning"):
            error(anonymous("GET", n, None, via, query={q: None}), 403, "AccessDenied")
        error(anonymous("DELETE", n, None, via), 403, "AccessDenied")


def test_prefix_of_a_missing_key():
    """Who may list under a prefix is told that a key under it is not there; his query does not speak for another."""
    n = bucket(EU)
    S3().put(n, "open/k", b"x")
    set_policy(n, {"Action": "s3:ListBucket", "Resource": arn(n, ""), "Condition": {"StringLike": {"s3:prefix": "open/*"}}},
               {"Action": "s3:GetObject", "Resource": arn(n)})
    for via in (EU, US):
        error(anonymous("GET", n, "open/none", via), 404, "NoSuchKey")
        status(anonymous("HEAD", n, "open/none", via), 404)
        error(anonymous("GET", n, "shut/none", via), 403, "AccessDenied")
        error(anonymous("GET", n, "shut/none", via, query={"prefix": "open/none"}), 403, "AccessDenied")
        error(anonymous("GET", n, "open/none", via, query={"prefix": "shut/"}), 404, "NoSuchKey")


def test_missing_key_by_listing_alone():
    """Who may list and not read is told of a missing key, not of one that is there; a Deny of reading tells nothing."""
    n = versioned(EU)
    for key in ("open/k", "open/marked"):
        S3().put(n, key, b"x")
    S3().delete(n, "open/marked")
    may_list = {"Action": "s3:ListBucket", "Resource": arn(n, ""), "Condition": {"StringLike": {"s3:prefix": "open/*"}}}
    set_policy(n, may_list)
    for via in (EU, US):
        for key in ("open/none", "open/marked"):
            error(anonymous("GET", n, key, via), 404, "NoSuchKey")
            status(anonymous("HEAD", n, key, via), 404)
        error(anonymous("GET", n, "open/k", via), 403, "AccessDenied")
        error(anonymous("GET", n, "open/none", via, query={"versionId": "null"}), 403, "AccessDenied")
        error(anonymous("GET", n, "shut/none", via), 403, "AccessDenied")
        error(anonymous("GET", n, "open/none", via, query={"tagging": None}), 403, "AccessDenied")
    set_policy(n, may_list, {"Effect": "Deny", "Action": "s3:GetObject", "Resource": arn(n)})
    error(anonymous("GET", n, "open/none"), 403, "AccessDenied")


def test_no_service_asks():
    """A Deny for all that are no service of the provider means everybody here."""
    n = bucket(EU)
    S3().put(n, "k", b"x")
    for key in ("aws:PrincipalIsAWSService", "aws:ViaAWSService"):
        set_policy(n, {"Effect": "Deny", "Action": "s3:GetObject", "Resource": arn(n), "Condition": {"Bool": {key: "false"}}})
        error(S3().get(n, "k"), 403, "AccessDenied")
        set_policy(n, {"Effect": "Deny", "Action": "s3:GetObject", "Resource": arn(n), "Condition": {"Bool": {key: "true"}}})
        status(S3().get(n, "k"), 200)


def test_wildcard_in_the_bucket():
    """A bucket's name may be a pattern, which reaches no other bucket; one that does not fit is refused."""
    n, other = bucket(EU), bucket(EU)
    S3().put(n, "k", b"x")
    S3().put(other, "k", b"y")
    set_policy(n, {"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::*", "arn:aws:s3:::*/*"]})
    eq("read", anonymous("GET", n, "k").body, b"x")
    status(anonymous("GET", n), 200)
    error(anonymous("GET", other, "k"), 403, "AccessDenied")


def test_conditions():
    n = bucket(EU)
    S3().put(n, "k", b"x")
    here = EU.host if re.match(r"[\d.]+$", EU.host) else "127.0.0.1"
    for want, c in ((True, {"IpAddress": {"aws:SourceIp": here + "/32"}}), (True, {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", here]}}), (False, {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
                    (False, {"NotIpAddress": {"aws:SourceIp": here + "/8"}}), (True, {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
                    (EU.endpoint.startswith("https"), {"Bool": {"aws:SecureTransport": "true"}}), (not EU.endpoint.startswith("https"), {"Bool": {"aws:SecureTransport": "false"}}),
                    (True, {"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}), (False, {"DateGreaterThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}),
                    (True, {"DateGreaterThan": {"aws:EpochTime": "1600000000"}}), (False, {"DateLessThanEquals": {"aws:EpochTime": "1600000000"}}),
                    (True, {"StringEquals": {"aws:PrincipalType": "Anonymous"}}), (False, {"StringEquals": {"aws:PrincipalAccount": OWNER}}),
                    (False, {"StringEquals": {"aws:username": "x"}}), (True, {"StringNotEquals": {"aws:username": "x"}}), (True, {"Null": {"aws:username": "true"}}), (False, {"Null": {"aws:username": "false"}}),
                    (True, {"StringEqualsIfExists": {"aws:username": "x"}}), (True, {"StringEquals": {"s3:ResourceAccount": OWNER}}), (True, {"StringEquals": {"aws:RequestedRegion": EU.name}}),
                    (False, {"IpAddress": {"aws:SourceIp": here}, "Bool": {"aws:SecureTransport": not EU.endpoint.startswith("https")}})):
        check(n, want, c)
    for referer, want in (("https://www.example.com/a", True), ("https://evil.example/?https://www.example.com/", False), (None, False)):
        check(n, want, {"StringLike": {"aws:Referer": ["https://www.example.com/*", "http://example.com/*"]}}, headers={"Referer": referer} if referer else None)
    check(n, True, {"StringLike": {"aws:UserAgent": "*Mozilla*"}}, headers={"User-Agent": "Mozilla/5.0"})
    check(n, False, {"StringLike": {"aws:UserAgent": "*Mozilla*"}}, headers={"User-Agent": "curl/8"})


def test_list_conditions():
    n = bucket(EU)
    S3().put(n, "a/k", b"x")
    for want, c, q in ((True, {"StringEquals": {"s3:prefix": ["", "a/"]}}, {"prefix": "a/"}), (False, {"StringEquals": {"s3:prefix": ["", "a/"]}}, {"prefix": "b/"}),
                       (True, {"StringEquals": {"s3:prefix": "", "s3:delimiter": "/"}}, {"prefix": "", "delimiter": "/"}), (False, {"StringEquals": {"s3:prefix": "", "s3:delimiter": "/"}}, {"prefix": ""}),
                       (True, {"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"max-keys": 10}), (False, {"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"max-keys": 11}), (False, {"NumericLessThanEquals": {"s3:max-keys": "10"}}, {}),
                       (True, {"NumericGreaterThan": {"s3:max-keys": 10}}, {"max-keys": 11})):
        check(n, want, c, key=None, action="s3:ListBucket", query=q)


def test_put_conditions():
    """What a put asks for: storage class, ACL, encryption, tags, lengths of time."""
    n = bucket(EU)
    policy = {"Action": "s3:PutObject"}
    for header, key, good, bad in (("x-amz-acl", "s3:x-amz-acl", "bucket-owner-full-control", "private"), ("x-amz-storage-class", "s3:x-amz-storage-class", "STANDARD", "STANDARD_IA")):
        set_policy(n, dict(policy, Condition={"StringEquals": {key: good}}))
        for via in (EU, US):
            status(anonymous("PUT", n, "k", via, {header: good}), 200)
            error(anonymous("PUT", n, "k", via, {header: bad}), 403, "AccessDenied")
            error(anonymous("PUT", n, "k", via), 403, "AccessDenied")
    policy = {"Action": ["s3:PutObject", "s3:PutObjectTagging"]}
    set_policy(n, dict(policy, Condition={"StringEquals": {"s3:RequestObjectTag/team": "blue"}}))
    error(anonymous("PUT", n, "k"), 403, "AccessDenied")
    error(anonymous("PUT", n, "k", headers={"x-amz-tagging": "team=red"}), 403, "AccessDenied")
    error(anonymous("PUT", n, "k", headers={"x-amz-tagging": "other=blue"}), 403, "AccessDenied")
    status(anonymous("PUT", n, "k", headers={"x-amz-tagging": "a=b&team=blue"}), 200)
    set_policy(n, dict(policy, Condition={"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["team", "a"]}, "Null": {"s3:RequestObjectTagKeys": "false"}}))
    error(anonymous("PUT", n, "k", headers={"x-amz-tagging": "team=red&c=d"}), 403, "AccessDenied")
    status(anonymous("PUT", n, "k", headers={"x-amz-tagging": "team=blue"}), 200)


def test_existing_tags():
    """By tags of the object that is there: read for such a policy alone."""
    n = bucket(EU)
    S3().put(n, "blue", b"x")
    S3().put(n, "red", b"y")
    S3().put(n, "plain", b"z")
    for key in ("blue", "red"):
        status(tagging("PUT", n, [("team", key)], key=key), 200)
    set_policy(n, {"Action": "s3:GetObject", "Condition": {"StringEquals": {"s3:ExistingObjectTag/team": "blue"}}})
    for via in (EU, US):
        eq("let in", anonymous("GET", n, "blue", via).body, b"x")
        for key in ("red", "plain", "not-there"):
            error(anonymous("GET", n, key, via), 403, "AccessDenied")
    set_policy(n, {"Action": "s3:GetObject"}, {"Effect": "Deny", "Action": "s3:GetObject", "Condition": {"StringEquals": {"s3:ExistingObjectTag/team": "red"}}})
    error(anonymous("GET", n, "red"), 403, "AccessDenied")
    error(S3().get(n, "red"), 403, "AccessDenied")
    eq("let in", anonymous("GET", n, "plain").body, b"z")


def test_not_forms():
    """NotAction, NotResource, NotPrincipal."""
    n = bucket(EU)
    S3().put(n, "open/k", b"x")
    S3().put(n, "closed/k", b"y")
    set_policy(n, {"Action": "s3:GetObject", "NotResource": arn(n, "/closed/*")})
    eq("let in", anonymous("GET", n, "open/k").body, b"x")
    error(anonymous("GET", n, "closed/k"), 403, "AccessDenied")
    set_policy(n, {"NotAction": ["s3:Put*", "s3:Delete*", "s3:*Policy"]})
    eq("let in", anonymous("GET", n, "closed/k").body, b"y")
    error(anonymous("PUT", n, "k"), 403, "AccessDenied")
    error(anonymous("GET", n, query={"policy": None}), 403, "AccessDenied")
    set_policy(n, {"Action": "s3:GetObject"}, {"Effect": "Deny", "Action": "s3:GetObject", "NotPrincipal": {"AWS": ["arn:aws:iam::%s:root" % OWNER2, "arn:aws:iam::%s:user/%s" % (OWNER2, KEY2)]}})
    error(anonymous("GET", n, "open/k"), 403, "AccessDenied")
    error(S3().get(n, "open/k"), 403, "AccessDenied")
    eq("let in", S3(EU, KEY2, SECRET2).get(n, "open/k").body, b"x")


def test_variables():
    """A folder for each user: ${aws:username} in resources and prefixes, ${aws:userid}, and a default value."""
    n = bucket(EU)
    names = [("alice-" + secrets.token_hex(3)), ("bob-" + secrets.token_hex(3))]
    doc = os.path.join(temp_dir(), "p.json")
    with open(doc, "w") as f:
        json.dump({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": arn(n, "/home/${aws:username}/*")},
                                                          {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn(n, ""), "Condition": {"StringLike": {"s3:prefix": ["home/${aws:username}/*"]}}},
                                                          {"Effect": "Allow", "Action": "s3:PutObject", "Resource": arn(n, "/by-id/${aws:userid}")}]}, f)
    policy = "home-" + secrets.token_hex(4)
    admin(EU, "policy", "create", policy, "--document", doc)
    keys = []
    try:
        for name in names:
            made = admin_json(EU, "app", "create", "demo", name, "--policy", policy)
            keys.append((find_field(made, "access_key"), find_field(made, "secret")))
        for i, (key, secret) in enumerate(keys):
            mine, other = names[i], names[1 - i]
            for via in (EU, US):
                s = S3(via, key, secret)
                status(s.request("PUT", n, "home/%s/f" % mine, body=b"x"), 200)
                eq("own", s.get(n, "home/%s/f" % mine).body, b"x")
                error(s.request("PUT", n, "home/%s/f" % other, body=b"x"), 403, "AccessDenied")
                error(s.request("PUT", n, "home/*/f", body=b"x"), 403, "AccessDenied")
                status(s.request("GET", n, query={"list-type": "2", "prefix": "home/%s/" % mine}), 200)
                error(s.request("GET", n, query={"list-type": "2", "prefix": "home/%s/" % other}), 403, "AccessDenied")
                status(s.request("PUT", n, "by-id/" + key, body=b"x"), 200)
                error(s.request("PUT", n, "by-id/" + keys[1 - i][0], body=b"x"), 403, "AccessDenied")
    finally:
        for key, _ in keys:
            admin(EU, "app", "delete", key, "--yes")
        admin(EU, "policy", "delete", policy, "--yes")


def test_signature_conditions():
    """How it was signed, and when: a Deny for presigned URLs that are old, or for all but one way."""
    n = bucket(EU)
    S3().put(n, "k", b"x")
    set_policy(n, {"Effect": "Deny", "Action": "s3:GetObject", "Condition": {"NumericGreaterThan": {"s3:signatureAge": "60000"}}})
    status(S3().get(n, "k"), 200)
    status(S3().send("GET", S3().presigned("GET", n, "k")), 200)
    error(S3().send("GET", S3().presigned("GET", n, "k", now=time.time() - 120)), 403, "AccessDenied")
    set_policy(n, {"Effect": "Deny", "Action": "s3:GetObject", "Condition": {"StringNotEquals": {"s3:authType": "REST-HEADER"}}})
    status(S3().get(n, "k"), 200)
    error(S3().send("GET", S3().presigned("GET", n, "k")), 403, "AccessDenied")
    set_policy(n, {"Effect": "Deny", "Action": "s3:PutObject", "Condition": {"StringEquals": {"s3:x-amz-content-sha256": "UNSIGNED-PAYLOAD"}}})
    status(S3().request("PUT", n, "k", body=b"x"), 200)
    error(S3().request("PUT", n, "k", body=b"x", payload=sigv4.UNSIGNED), 403, "AccessDenied")
    me = S3().request("GET", query={"Action": "GetCallerIdentity"}, service="sts").xml.findtext(".//Arn")
    set_policy(n, {"Effect": "Deny", "Action": "s3:GetObject", "Condition": {"ArnNotEquals": {"aws:PrincipalArn": me}}})
    status(S3().get(n, "k"), 200)


if __name__ == "__main__":
    main()
