#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutBucketLogging: where to, what S3 refuses; and that lines arrive there, in S3's format."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
import base64  # noqa: E402
from anvil import EU, KEY2, OWNER, OWNER2, S3, SECRET2, US, admin, admin_json, bucket, contains, eq, error, find_field, json, ok, secrets, status  # noqa: E402
import acl  # noqa: E402
from bucket_config import Kind  # noqa: E402

KIND = Kind("logging", "<BucketLoggingStatus/>", none="<BucketLoggingStatus")
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
FIELDS = re.compile(r'(\S+) (\S+) \[([^\]]*)\] (\S+) (\S+) (\S+) (\S+) (\S+) (?:"([^"]*)"|-) (\S+) (\S+) (\S+) (\S+) (\S+) (\S+) "([^"]*)" "([^"]*)" '
                    r'(\S+) (\S+) (\S+) (\S+) (\S+) (\S+) (\S+) (\S+) (\S+) (\S+)$')


def document(target, prefix="log/", more=""):
    return ("<BucketLoggingStatus><LoggingEnabled><TargetBucket>%s</TargetBucket><TargetPrefix>%s</TargetPrefix>%s</LoggingEnabled></BucketLoggingStatus>"
            % (target, prefix, more)).encode()


def target_grants(*what):
    return "<TargetGrants>%s</TargetGrants>" % acl.grant_elements(what)


def delivered(target, prefix):
    """The lines below a prefix, taken away; maintain of another test may have delivered some of them."""
    admin(EU, "maintain")
    lines = []
    for key in S3().keys(target, prefix=prefix):
        r = S3().get(target, key)
        eq("type", r.get("Content-Type"), "text/plain")
        ok("whole lines", r.body.endswith(b"\n"), r.body)
        lines += [(key, line) for line in r.body.decode().splitlines()]
        status(S3().delete(target, key), 204)
    return lines


def logged(line):
    m = FIELDS.match(line)
    ok("S3's format", m, line)
    return m.groups()


def test_none():
    """Switching off what is not on."""
    n = bucket(EU)
    for region in (EU, US):
        status(KIND.put(n, s3=S3(region)), 200)
    KIND.is_missing(n)


def test_refused():
    """Nobody but the owner."""
    KIND.check_refused("PUT")


def test_malformed():
    """What S3 refuses as MalformedXML."""
    KIND.check_malformed_none()
    n = bucket(EU)
    for d in (b"<BucketLoggingStatus><LoggingEnabled/></BucketLoggingStatus>",
              b"<BucketLoggingStatus><LoggingEnabled><TargetBucket>b</TargetBucket></LoggingEnabled></BucketLoggingStatus>",
              document(n, more="<TargetObjectKeyFormat/>"), document(n, more="<LoggingType>Journal</LoggingType>"),
              document(n, more="<TargetObjectKeyFormat><PartitionedPrefix><PartitionDateSource>Now</PartitionDateSource></PartitionedPrefix></TargetObjectKeyFormat>")):
        error(KIND.put(n, d), 400, "MalformedXML")


def test_targets():
    """There, of the same owner, of the same home; grants need access control lists."""
    n, there = bucket(EU), bucket(US)
    theirs = bucket(EU, s3=S3(EU, KEY2, SECRET2))
    gone = "t-" + secrets.token_hex(8)
    for region in (EU, US):
        error(KIND.put(n, document(gone), S3(region)), 400, "InvalidTargetBucketForLogging", TargetBucket=gone)
        error(KIND.put(n, document(theirs), S3(region)), 400, "InvalidTargetBucketForLogging", TargetBucket=theirs)
        error(KIND.put(n, document(there), S3(region)), 403, "CrossLocationLoggingProhibitted", TargetBucketLocation=US.name)
        error(KIND.put(n, document(n, more=target_grants((OWNER2, "READ"))), S3(region)), 400, "AccessControlListNotSupported")
    KIND.is_missing(n)


def test_lines():
    """Of the requests of any region, whatever became of them; each field as S3 writes it."""
    n, target = bucket(EU), bucket(EU)
    status(KIND.put(n, document(target), S3(US)), 200)
    contains("got", KIND.get(n, S3(US)).body.decode(), "<TargetBucket>%s</TargetBucket>" % target)
    p = S3().put(n, "a b", b"hello", user_agent='me "x"', referer="http://r/")
    S3(US).get(n, "a b", Range="bytes=1-2")
    S3().send("GET", "/%s/none" % n)
    S3().presigned("GET", n, "a b")
    S3().send("GET", S3().presigned("GET", n, "a b"))
    S3().request("GET", n, query={"list-type": "2"})
    S3().request("PUT", n, "t", query="tagging")
    lines = delivered(target, "log/")
    for key, line in lines:
        ok("key", re.match(r"log/\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-[0-9A-F]{16}$", key), key)
        eq("owner, bucket", logged(line)[:2], (OWNER, n))
    of = {}
    for _, line in lines:
        of.setdefault(logged(line)[6], []).append(logged(line))
    put = of["REST.PUT.OBJECT"][0]
    eq("PUT", (put[4], put[5], put[7], put[9], put[10], put[12], put[15], put[16], put[19], put[21]),
       (OWNER, p.get("x-amz-request-id"), "a%20b", "200", "-", "5", "http://r/", "me %22x%22", "SigV4", "AuthHeader"))
    ok("time", re.match(r"\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d \+0000$", put[2]), put[2])
    eq("URI", put[8].split(" ")[:2], ["PUT", "/%s/a%%20b" % n])
    gets = of["REST.GET.OBJECT"]
    eq("GETs", [(g[4], g[9], g[10], g[11], g[12], g[21], g[26]) for g in gets],
       [(OWNER, "206", "-", "2", "5", "AuthHeader", "us"), ("-", "403", "AccessDenied", gets[1][11], "-", "-", "-"), (OWNER, "200", "-", "5", "5", "QueryString", "-")])
    eq("list", of["REST.GET.BUCKET"][0][9], "200")
    eq("tags", of["REST.PUT.OBJECT_TAGGING"][0][9:11], ("400", "MalformedXML"))
    status(KIND.put(n), 200)
    S3().get(n, "a b")
    eq("nothing more", [x for x in delivered(target, "") if "GET.OBJECT" in x[1]], [])


def test_deletes_of_many():
    """DeleteObjects: a line for the request, and one for each key with what became of it."""
    n, target = versioned(EU), bucket(EU)
    v = S3().put(n, "k 1", b"x").get("x-amz-version-id")
    status(KIND.put(n, document(target)), 200)
    keys = "".join("<Object><Key>%s</Key>%s</Object>" % x for x in
                   [("k 1", "<VersionId>%s</VersionId>" % v), ("k 1", "<VersionId>zzz</VersionId>"), ("x" * 1025, "")] + [("n%02d" % i, "") for i in range(60)])
    body = ("<Delete><Quiet>true</Quiet>%s</Delete>" % keys).encode()
    r = S3(US).request("POST", n, query="delete", body=body, headers={"content-md5": base64.b64encode(hashlib.md5(body).digest()).decode(), "user-agent": "me"})
    status(r, 200)
    lines = [logged(x[1]) for x in delivered(target, "log/") if "DELETE" in x[1]]
    eq("of the request", [(x[6], x[7], x[9]) for x in lines[:1]], [("REST.POST.MULTI_OBJECT_DELETE", "-", "200")])
    each = lines[1:]
    eq("the request's", {(x[0], x[1], x[4], x[5], x[6], x[8], x[11], x[12], x[13], x[16], x[21]) for x in each},
       {(OWNER, n, OWNER, r.get("x-amz-request-id"), "BATCH.DELETE.OBJECT", None, "-", "-", "-", "me", "AuthHeader")})
    eq("each", [(x[7], x[9], x[10], x[17]) for x in each], [("k%201", "204", "-", v), ("k%201", "404", "NoSuchVersion", "zzz"), ("x" * 1025, "400", "KeyTooLongError", "-")] +
       [("n%02d" % i, "204", "-", "-") for i in range(60)])


def test_partitions():
    """Keys by date; a target with a default encryption; another's lines, once its target went, are dropped."""
    n, target = bucket(EU), bucket(EU)
    status(S3().request("PUT", target, query="encryption", body=b"<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
                        b"<SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"), 200)
    for source, clock in (("EventTime", "00-00-00"), ("DeliveryTime", r"\d\d-\d\d-\d\d")):
        status(KIND.put(n, document(target, source + "/", "<TargetObjectKeyFormat><PartitionedPrefix><PartitionDateSource>%s</PartitionDateSource>"
                                    "</PartitionedPrefix></TargetObjectKeyFormat>" % source)), 200)
        for _ in range(3):
            S3().get(n, "none")
        lines = delivered(target, source + "/")
        for key, line in lines:
            ok("key", re.match(r"%s/%s/eu/%s/\d{4}/\d\d/\d\d/\d{4}-\d\d-\d\d-%s-[0-9A-F]{16}$" % (source, OWNER, n, clock), key), key)
        eq("lines", len([1 for _, line in lines if logged(line)[10] == "NoSuchKey"]), 3)
    S3().get(n, "none")
    admin(EU, "maintain")
    keys = S3().keys(target)
    eq("encrypted", S3().head(target, keys[0]).get("x-amz-server-side-encryption"), "AES256")
    for k in keys:
        status(S3().delete(target, k), 204)
    other = bucket(EU)
    status(KIND.put(n, document(other)), 200)
    status(S3().request("DELETE", other), 204)
    S3().get(n, "none")
    admin(EU, "maintain")


def given_back(n):
    """The grants that GetBucketLogging answers, in either region the same."""
    eu, us = (acl.grants(KIND.get(n, S3(region)), "LoggingEnabled/TargetGrants/Grant") for region in (EU, US))
    eq("in both regions", eu, us)
    return eu


def one_object(n, target):
    """A request is logged and delivered; the object's key."""
    for k in S3().keys(target):
        status(S3().delete(target, k), 204)
    S3().get(n, "none")
    admin(EU, "maintain")
    keys = S3().keys(target)
    ok("delivered", keys)
    return keys[0]


def test_grants():
    """Others may have what is delivered: what is given back, what the object's list says, and what it lets them do."""
    n, target = bucket(EU), acl.open_bucket()
    given = [(OWNER2, "READ"), (acl.AUTHENTICATED, "READ_ACP"), (LOG_DELIVERY, "WRITE"), (OWNER, "READ")]
    status(KIND.put(n, document(target, more=target_grants(*given)), S3(US)), 200)
    eq("given back", given_back(n), given)
    key = one_object(n, target)
    eq("the owner has all", sorted(acl.grants(acl.acl_of(target, key))), sorted(given[:-1] + [acl.FULL]))
    for region in (EU, US):
        them = acl.other(region)
        contains("another tenant reads", them.get(target, key).body.decode(), "REST.GET.OBJECT")
        status(acl.acl_of(target, key, them), 200)
        error(acl.put_acl(target, key, them, acl="private"), 403, "AccessDenied")
        error(S3(region).send("GET", "/%s/%s" % (target, key)), 403, "AccessDenied")
    # Of what is delivered from now on it is as the target is now: lists that count for nothing, everybody kept out.
    status(KIND.put(n, document(target, more=target_grants((OWNER2, "FULL_CONTROL"), (acl.EVERYBODY, "READ")))), 200)
    key = one_object(n, target)
    status(S3().send("GET", "/%s/%s" % (target, key)), 200)
    status(S3().request("PUT", target, query="publicAccessBlock", body=b"<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>"
                        b"</PublicAccessBlockConfiguration>"), 200)
    key = one_object(n, target)
    eq("not to everybody", sorted(acl.grants(acl.acl_of(target, key))), sorted([(OWNER2, "FULL_CONTROL"), acl.FULL]))
    ownership(target, "BucketOwnerEnforced")
    key = one_object(n, target)
    error(acl.other().get(target, key), 403, "AccessDenied")
    eq("still given back", given_back(n), [(OWNER2, "FULL_CONTROL"), (acl.EVERYBODY, "READ")])
    ownership(target, "ObjectWriter")
    eq("and no list was stored", acl.grants(acl.acl_of(target, key)), [acl.FULL])


def ownership(target, word):
    status(S3().request("PUT", target, query="ownershipControls", body=b"<OwnershipControls><Rule><ObjectOwnership>%s</ObjectOwnership></Rule>"
                        b"</OwnershipControls>" % word.encode()), 200)


def test_grants_refused():
    """To whom nothing can be granted; and nothing is stored."""
    n, target = bucket(EU), acl.open_bucket()
    for who, permission, code in ((OWNER2, "ALL", "MalformedXML"), ("nobody", "READ", "InvalidArgument"), ("http://example.org/", "READ", "InvalidArgument"),
                                  ("a@example.org", "READ", "UnresolvableGrantByEmailAddress")):
        for region in (EU, US):
            error(KIND.put(n, document(target, more=target_grants((who, permission))), S3(region)), 400, code)
    error(KIND.put(n, document(target, more=target_grants(*[(OWNER2, "READ")] * 100))), 400, "InvalidRequest")
    KIND.is_missing(n)


def deny(target, principal, **condition):
    """What may not be put into the target, by its policy alone; conditions: operator={key: value}."""
    statement = {"Effect": "Deny", "Principal": principal, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::%s/log/*" % target, "Condition": condition}
    status(S3().request("PUT", target, query="policy", body=json.dumps({"Version": "2012-10-17", "Statement": [statement]}).encode()), 204)


def test_target_forbids():
    """A Deny of the target's policy keeps the lines back, of the buckets that it means alone; they come when it is gone."""
    service = {"Service": "logging.s3.amazonaws.com"}
    n, other, target = bucket(EU), bucket(EU), bucket(EU)
    for b in (n, other):
        status(KIND.put(b, document(target)), 200)
    asked = {}

    def ask(b):
        asked.setdefault(b, []).append(S3().get(b, "none").get("x-amz-request-id"))

    def came():
        return sorted(logged(line)[5] for _, line in delivered(target, "log/") if logged(line)[6] == "REST.GET.OBJECT")

    # Those that mean somebody else, another bucket or account, or requests that are no service's, forbid nothing.
    for principal, condition in (({"Service": "cloudtrail.amazonaws.com"}, {}), ({"AWS": OWNER}, {}),
                                 (service, {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::none-*"}}), (service, {"StringNotEquals": {"aws:SourceAccount": OWNER}}),
                                 ("*", {"Bool": {"aws:PrincipalIsAWSService": "false"}}), ("*", {"Bool": {"aws:SecureTransport": "false"}})):
        deny(target, principal, **condition)
        ask(n)
        eq("delivered in spite of %s %s" % (principal, condition), came(), asked.pop(n))
    error(S3().request("PUT", target, "log/mine", body=b"x"), 403, "AccessDenied")  # the last one means who does not use TLS
    for principal, condition in (("*", {}), (service, {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::%s" % n}, "StringEquals": {"aws:SourceAccount": OWNER}})):
        deny(target, principal, **condition)
        for _ in range(2):
            ask(n)
            ok("kept", find_field(admin_json(EU, "maintain"), "logs_kept") >= 1)
            eq("nothing is delivered", [x for x in came() if x in asked[n]], [])
    ask(other)
    eq("another bucket's lines are delivered", came(), asked[other])
    status(S3().request("DELETE", target, query="policy"), 204)
    eq("and all that were kept, when nothing forbids it", came(), sorted(asked[n]))


if __name__ == "__main__":
    main()
