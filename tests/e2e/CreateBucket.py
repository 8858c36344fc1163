#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CreateBucket: in any region, by asking any region."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import anvil  # noqa: E402
from anvil import *  # noqa: E402,F403


CONF = '<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>'


def name():
    n = "t-" + secrets.token_hex(8)
    anvil._made.append((n, EU, S3(EU)))
    return n


def create(s3, n, location=None, body=None, **kw):
    if body is None:
        body = (CONF % location).encode() if location else b""
    return s3.request("PUT", n, body=body, **kw)


def test_elsewhere():
    """Made in eu through us: its home is eu, and both know at once."""
    n = name()
    r = create(S3(US), n, EU.name)
    status(r, 200)
    eq("Location", r.get("Location"), "/" + n)
    for region in (EU, US):
        h = S3(region).request("HEAD", n)
        status(h, 200)
        eq("x-amz-bucket-region at %s" % region, h.get("x-amz-bucket-region"), EU.name)


def test_too_many():
    """A tenant has as many as it may, in all regions; one that is there can be made again, and one that goes makes room."""
    tenant = "e2e-" + secrets.token_hex(4)
    admin(EU, "tenant", "create", tenant)
    made = admin_json(US, "app", "create", tenant, "one")
    s3 = {r: S3(r, find_field(made, "access_key"), find_field(made, "secret")) for r in (EU, US)}
    admin(US, "tenant", "limits", tenant, "--buckets", "2", "--bucket-objects", "1")
    a, b, c = names = ["t-" + secrets.token_hex(8) for _ in range(3)]
    status(create(s3[EU], a, EU.name), 200)
    status(create(s3[US], b, US.name), 200)
    for region in (EU, US):
        error(create(s3[region], c, EU.name), 400, "TooManyBuckets")
        error(create(s3[region], b, US.name), 409, "BucketAlreadyOwnedByYou")
    ok("nor by an operator", admin(EU, "bucket", "create", c, "--tenant", tenant, check=False).returncode != 0)
    until("a new bucket has the tenant's quota", lambda: s3[EU].request("PUT", a, secrets.token_hex(4), body=b"x").status == 403)
    status(s3[US].request("DELETE", b), 204)
    status(create(s3[US], c, US.name), 200)
    for k in s3[EU].keys(a):
        status(s3[EU].request("DELETE", a, k), 204)
    for n in names:
        s3[US].at(US if n == c else EU).request("DELETE", n)
    admin(EU, "tenant", "delete", tenant, "--yes")


def test_signed_for_its_home():
    """minio-go signs for the region that it names, at whichever endpoint; a region that there is not is refused."""
    n = name()
    status(create(S3(US, scope=EU.name), n, EU.name), 200)
    eq("home", S3(EU).request("HEAD", n).get("x-amz-bucket-region"), EU.name)
    error(create(S3(US, scope=EU.name), n, EU.name), 409, "BucketAlreadyOwnedByYou", BucketName=n)
    error(create(S3(US, scope="mars"), name(), EU.name), 400, "AuthorizationHeaderMalformed", Region=US.name)
    error(create(S3(US, KEY, "wrong", scope=EU.name), name(), EU.name), 403, "SignatureDoesNotMatch")
    error(S3(US, scope=EU.name).request("GET"), 400, "AuthorizationHeaderMalformed", Region=US.name)


def test_no_constraint():
    """An empty body means the default region."""
    n = name()
    status(create(S3(EU), n), 200)
    eq("home", S3(EU).request("HEAD", n).get("x-amz-bucket-region"), EU.name)


def test_usable_everywhere():
    """A bucket is usable in each region when the 200 arrives: a hundred times none was early."""
    for i in range(20):
        n = bucket(EU, via=US)
        S3(US).put(n, "k", b"x")
        eq("read back", S3(EU).get(n, "k").body, b"x")


def test_again():
    """Made again by its owner: 409 BucketAlreadyOwnedByYou. By another tenant: 409 BucketAlreadyExists."""
    n = bucket(EU)
    error(create(S3(EU), n, EU.name), 409, "BucketAlreadyOwnedByYou", BucketName=n)
    error(create(S3(US), n, EU.name), 409, "BucketAlreadyOwnedByYou", BucketName=n)
    error(create(S3(US, KEY2, SECRET2), n, US.name), 409, "BucketAlreadyExists", BucketName=n)


def test_unknown_region():
    error(create(S3(EU), name(), "mars"), 400, "InvalidLocationConstraint", LocationConstraint="mars")


def test_names():
    """Names that S3 refuses."""
    for n in ("ab", "a" * 64, "Upper-case", "under_score", "192.168.5.4", "a..b", "-ab", "ab-", "xn--abc", "a" * 30 + "-s3alias", "sthree-x"):
        error(create(S3(EU), n, EU.name), 400, "InvalidBucketName", BucketName=n)


def test_bad_xml():
    for body in (b"<CreateBucketConfiguration>", b"no xml", b"<Other/>", b'<!DOCTYPE x [<!ENTITY e "eu">]><CreateBucketConfiguration><LocationConstraint>&e;</LocationConstraint></CreateBucketConfiguration>'):
        error(create(S3(EU), name(), body=body), 400, "MalformedXML")


def test_refused():
    """Without a signature nobody makes a bucket; with a wrong one neither; and nothing is left."""
    n = name()
    error(S3().send("PUT", "/" + n), 403, "AccessDenied")
    error(create(S3(EU, KEY, "wrong"), n, EU.name), 403, "SignatureDoesNotMatch")
    status(S3().request("HEAD", n), 404)


def test_race():
    """Sixteen at once in two regions: one wins."""
    import concurrent.futures
    n = name()
    jobs = [(S3((EU, US)[i % 2], *((KEY, SECRET) if i % 4 < 2 else (KEY2, SECRET2))), (EU, US)[i // 2 % 2].name) for i in range(16)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda j: create(j[0], n, j[1]), jobs))
    won = [j for j, r in zip(jobs, answers) if r.status == 200]
    eq("how many won", len(won), 1)
    ok("all others 409", all(r.status in (200, 409) for r in answers), [r.status for r in answers])
    status(S3(US, won[0][0].key, won[0][0].secret).request("DELETE", n), 204)


def test_begins_with():
    """Tags, an access control list and object ownership: there when it returns, in each region; and what is refused makes nothing."""
    n = "t-" + secrets.token_hex(8)
    body = "<CreateBucketConfiguration><LocationConstraint>%s</LocationConstraint><Tags>%s</Tags></CreateBucketConfiguration>"
    tags = "<Tag><Key>b</Key><Value>2 = two</Value></Tag><Tag><Key>a</Key><Value></Value></Tag>"
    for h, code in (({"x-amz-acl": "public-read"}, "InvalidBucketAclWithObjectOwnership"), ({"x-amz-object-ownership": "Me"}, "InvalidArgument"),
                    ({"x-amz-acl": "public-read", "x-amz-object-ownership": "BucketOwnerEnforced"}, "InvalidBucketAclWithObjectOwnership"),
                    ({"x-amz-acl": "open", "x-amz-object-ownership": "ObjectWriter"}, "InvalidArgument")):
        error(S3(EU).request("PUT", n, body=(body % (EU.name, tags)).encode(), headers=h), 400, code)
    error(S3(EU).request("PUT", n, body=(body % (EU.name, tags * 2)).encode()), 400, "InvalidTag")
    error(S3(EU).request("PUT", n, body=(body % (EU.name, tags.replace("2 = two", "1,2"))).encode()), 400, "InvalidTag", TagKey="b", TagValue="1,2")
    eq("nothing is made", S3(EU).request("HEAD", n).status, 404)
    status(S3(US).request("PUT", n, body=(body % (EU.name, tags)).encode(), headers={"x-amz-acl": "public-read", "x-amz-object-ownership": "ObjectWriter"}), 200)
    for region in (EU, US):
        eq("tags", sorted((t.findtext("Key"), t.findtext("Value")) for t in S3(region).request("GET", n, query="tagging").xml.iter("Tag")), [("a", ""), ("b", "2 = two")])
        eq("ownership", S3(region).request("GET", n, query="ownershipControls").text("Rule/ObjectOwnership"), "ObjectWriter")
        eq("open", S3(region).send("GET", "/" + n).status, 200)
    status(S3(EU).request("DELETE", n), 204)


if __name__ == "__main__":
    main()
