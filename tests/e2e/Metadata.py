#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A change by any means is seen by every region at once."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403



def test_psql_changes_a_bucket():
    """psql, then `cache wait`: the other region's next request sees it. Back and forth."""
    n = bucket(EU)
    S3(EU).put(n, "k", b"x")
    for i in range(5):
        eq("ours", S3(US).get(n, "k").status, 200)
        psql("UPDATE buckets SET tenant_id = (SELECT id FROM tenants WHERE canonical_id = '%s') WHERE name = '%s'" % (OWNER2, n))
        admin(US, "cache", "wait")
        for region in (US, EU):
            error(S3(region).get(n, "k"), 403, "AccessDenied")
            eq("theirs now", S3(region, KEY2, SECRET2).get(n, "k").status, 200)
        psql("UPDATE buckets SET tenant_id = (SELECT id FROM tenants WHERE canonical_id = '%s') WHERE name = '%s'" % (OWNER, n))
        admin(US, "cache", "wait")
        for region in (EU, US):
            eq("ours again", S3(region).get(n, "k").status, 200)


def test_psql_without_waiting():
    """Without waiting it takes no longer than a moment."""
    n = bucket(EU)
    S3(EU).put(n, "k", b"x")
    for region in (US, EU):
        status(S3(region).get(n, "k"), 200)
    psql("UPDATE buckets SET tenant_id = (SELECT id FROM tenants WHERE canonical_id = '%s') WHERE name = '%s'" % (OWNER2, n))
    for region in (US, EU):
        until("%s sees it" % region, lambda: S3(region).get(n, "k").status == 403, 5)
    psql("UPDATE buckets SET tenant_id = (SELECT id FROM tenants WHERE canonical_id = '%s') WHERE name = '%s'" % (OWNER, n))
    until("back", lambda: S3(EU).get(n, "k").status == 200, 5)


def test_cli_disables_a_key():
    """An app is disabled with the CLI in one region: the other's next request is refused. Twenty times."""
    made = admin_json(EU, "app", "create", "demo", "e2e-disable")
    key, secret = find_field(made, "access_key"), find_field(made, "secret")
    n = bucket(EU)
    S3(EU).put(n, "k", b"x")
    for i in range(10):
        for a, b in ((EU, US), (US, EU)):
            eq("in", S3(b, key, secret).get(n, "k").status, 200)
            admin(a, "app", "disable", key)
            eq("out at once", S3(b, key, secret).get(n, "k").status, 403)
            admin(b, "app", "enable", key)
            eq("in at once", S3(a, key, secret).get(n, "k").status, 200)
    admin(EU, "app", "delete", key, "--yes")


def test_tenant_disabled():
    """A tenant is disabled: all of its keys are, everywhere."""
    name = "e2e-" + secrets.token_hex(4)
    admin(EU, "tenant", "create", name)
    made = admin_json(US, "app", "create", name, "one")
    key, secret = find_field(made, "access_key"), find_field(made, "secret")
    for region in (EU, US):
        status(S3(region, key, secret).request("GET"), 200)
    admin(EU, "tenant", "disable", name, "--yes")
    for region in (US, EU):
        ok("refused", S3(region, key, secret).request("GET").status == 403)
    admin(US, "tenant", "enable", name)
    for region in (EU, US):
        status(S3(region, key, secret).request("GET"), 200)
    admin(EU, "tenant", "delete", name, "--yes")
    ok("gone", S3(US, key, secret).request("GET").status == 403)


POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::*"]}]}


def test_policy_of_a_key():
    """Attach, update, detach: what the key may do changes at once, in both regions."""
    made = admin_json(EU, "app", "create", "demo", "e2e-policy")
    key, secret = find_field(made, "access_key"), find_field(made, "secret")
    name = "e2e-" + secrets.token_hex(4)
    n = bucket(EU)
    S3(EU).put(n, "k", b"x")
    mine = S3(EU, key, secret)
    f = os.path.join(temp_dir(), "policy.json")

    def may():
        return [tuple((s.get(n, "k").status, s.request("PUT", n, "w", body=b"y").status) for s in (mine.at(r),))[0] for r in (EU, US)]

    eq("full access: all of the tenant's", may(), [(200, 200)] * 2)
    json.dump(POLICY, open(f, "w"))
    admin(EU, "policy", "create", name, "--document", f)
    admin(EU, "app", "attach", key, name)
    eq("read only", may(), [(200, 403)] * 2)
    json.dump({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::%s/w*" % n}]}, open(f, "w"))
    admin(US, "policy", "update", name, "--document", f)
    eq("write only", may(), [(403, 200)] * 2)
    admin(US, "app", "detach", key, name)
    eq("no policy: nothing", may(), [(403, 403)] * 2)
    admin(EU, "app", "access", key, "full")
    eq("all again", may(), [(200, 200)] * 2)
    admin(US, "app", "access", key, "policies")
    eq("nothing again", may(), [(403, 403)] * 2)
    admin(EU, "policy", "delete", name, "--yes")
    admin(EU, "app", "delete", key, "--yes")


def test_bucket_policy():
    """A bucket's own policy lets another tenant and the public read; removed, they are out at once; Deny wins over the owner."""
    n = bucket(EU)
    S3(EU).put(n, "open/k", b"x")
    S3(EU).put(n, "closed", b"y")
    f = os.path.join(temp_dir(), "policy.json")

    def public():
        return [S3(r).send("GET", "/%s/%s" % (n, k)).status for r in (EU, US) for k in ("open/k", "closed")]

    eq("closed", public(), [403] * 4)
    json.dump({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::%s/open/*" % n}]}, open(f, "w"))
    admin(US, "bucket", "policy", n, "--document", f)
    eq("open", public(), [200, 403, 200, 403])
    eq("another tenant", [S3(r, KEY2, SECRET2).get(n, "open/k").status for r in (EU, US)], [200, 200])
    eq("writes stay closed", S3(EU).send("PUT", "/%s/open/k" % n, body=b"z").status, 403)
    json.dump({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::%s/*" % n}]}, open(f, "w"))
    admin(EU, "bucket", "policy", n, "--document", f)
    eq("closed again", public(), [403] * 4)
    error(S3(US).delete(n, "closed"), 403, "AccessDenied")
    admin(EU, "bucket", "policy", n, "--remove")
    status(S3(US).delete(n, "closed"), 204)


def test_hot_requests_ask_no_global_database():
    """Requests that follow others: not one query to the global database; the cache was hit."""
    n = bucket(EU)
    S3(EU).put(n, "k", b"x")
    for region in (EU, US):
        before = metric(region, "anvil_cache_hits_total")
        lines = []
        for i in range(50):
            r = S3(region).get(n, "k")
            status(r, 200)
            lines.append(r.get("x-amz-request-id"))
        # Others' tests run beside this one: the lines of our own requests are what counts.
        warm = [log_line(region, rid) for rid in lines[-20:]]
        eq("%s: lines that tell a global query" % region, [x for x in warm if not re.search(r" global_queries=0( |$)", x)], [])
        ok("%s: hits were counted" % region, metric(region, "anvil_cache_hits_total") > before)


if __name__ == "__main__":
    main()
