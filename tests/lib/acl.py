# SPDX-License-Identifier: Apache-2.0
"""What the tests of access control lists share."""
from anvil import *  # noqa: F403
from anvil import EU, KEY2, OWNER, OWNER2, S3, SECRET2, _made, secrets, status

EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
FULL = (OWNER, "FULL_CONTROL")
CANNED = {"private": [FULL], "public-read": [(EVERYBODY, "READ"), FULL],
          "public-read-write": [(EVERYBODY, "READ"), (EVERYBODY, "WRITE"), FULL], "authenticated-read": [(AUTHENTICATED, "READ"), FULL]}


def open_bucket(home=EU, ownership="ObjectWriter", acl=None):
    """A bucket where lists count."""
    name = "t-" + secrets.token_hex(8)
    body = b"<CreateBucketConfiguration><LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>" % home.name.encode()
    h = {"x-amz-object-ownership": ownership}
    if acl:
        h["x-amz-acl"] = acl
    status(S3(home).request("PUT", name, body=body, headers=h), 200)
    _made.append((name, home, S3(home)))
    return name


def other(region=EU):
    return S3(region, KEY2, SECRET2)


def grants(r, path="AccessControlList/Grant"):
    """(grantee, permission) of an answer, in its order."""
    status(r, 200)
    out = []
    for g in r.xml.findall(path):
        who = g.find("Grantee")
        kind = who.get("{http://www.w3.org/2001/XMLSchema-instance}type")
        out.append((who.findtext("ID") if kind == "CanonicalUser" else who.findtext("URI"), g.findtext("Permission")))
    return out


def acl_of(n, key=None, s3=None, version=None):
    q = {"acl": ""}
    if version:
        q["versionId"] = version
    return (s3 or S3(EU)).request("GET", n, key, query=q)


def put_acl(n, key=None, s3=None, body=b"", version=None, **headers):
    q = {"acl": ""}
    if version:
        q["versionId"] = version
    return (s3 or S3(EU)).request("PUT", n, key, query=q, body=body, headers={"x-amz-" + k.replace("_", "-"): v for k, v in headers.items()})


def grant_elements(what):
    """(grantee, permission) as Grants."""
    out = ""
    for who, permission in what:
        kind, tag = ("Group", "URI") if who.startswith("http") else ("AmazonCustomerByEmail", "EmailAddress") if "@" in who else ("CanonicalUser", "ID")
        out += ('<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="%s"><%s>%s</%s></Grantee>'
                '<Permission>%s</Permission></Grant>' % (kind, tag, who, tag, permission))
    return out


def document(*what, owner=OWNER):
    """(grantee, permission) as an AccessControlPolicy."""
    return ('<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>%s</ID></Owner><AccessControlList>%s</AccessControlList>'
            '</AccessControlPolicy>' % (owner, grant_elements(what))).encode()


def refused_rows():
    """(what is sent as keywords of put_acl, status, code)"""
    return (({"acl": "public"}, 400, "InvalidArgument"), ({"acl": "aws-exec-read"}, 501, "NotImplemented"),
            ({"acl": "private", "grant_read": "id=" + OWNER2}, 400, "InvalidRequest"), ({"grant_read": "id=nobody"}, 400, "InvalidArgument"),
            ({"grant_read": "what is this"}, 400, "InvalidArgument"), ({"grant_read": "uri=http://example.org/"}, 400, "InvalidArgument"),
            ({"grant_read": "emailAddress=a@example.org"}, 400, "UnresolvableGrantByEmailAddress"), ({}, 400, "MissingSecurityHeader"),
            ({"acl": "private", "body": document()}, 400, "UnexpectedContent"), ({"body": b"<AccessControlPolicy/>"}, 400, "MalformedACLError"),
            ({"body": b"what"}, 400, "MalformedACLError"), ({"body": document((OWNER, "ALL"))}, 400, "MalformedACLError"),
            ({"body": document(("nobody", "READ"))}, 400, "InvalidArgument"), ({"body": document(("a@example.org", "READ"))}, 400, "UnresolvableGrantByEmailAddress"),
            ({"body": document(("http://example.org/", "READ"))}, 400, "InvalidArgument"), ({"body": document(owner=OWNER2)}, 403, "AccessDenied"),
            ({"body": document(*[(OWNER2, "READ")] * 101)}, 400, "InvalidRequest"))
