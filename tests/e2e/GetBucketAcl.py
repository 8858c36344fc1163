#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""GetBucketAcl: in any region; what each canned list grants."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from acl import *  # noqa: E402,F403


def test_enforced():
    """Where ownership is enforced, as it is unless somebody asks for less: the owner has all."""
    n = bucket(EU)
    for region in (EU, US):
        r = acl_of(n, s3=S3(region))
        eq("grants", grants(r), [FULL])
        eq("owner", r.text("Owner/ID"), OWNER)
        contains("the wire text", r.body.decode(), '<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>%s</ID><DisplayName>' % OWNER)


def test_canned():
    """As CreateBucket was asked, in each region."""
    for word, want in CANNED.items():
        n = open_bucket(acl=word)
        for region in (EU, US):
            eq(word, grants(acl_of(n, s3=S3(region))), want)
    eq("bucket-owner-read says nothing of a bucket", grants(acl_of(open_bucket(acl="bucket-owner-read"))), [FULL])


def test_refused():
    """Another tenant, nobody, a bucket that is not there; whoever is granted READ_ACP may."""
    n = open_bucket(acl="public-read-write")
    for region in (EU, US):
        error(acl_of(n, s3=other(region)), 403, "AccessDenied")
        error(S3(region).send("GET", "/%s?acl" % n), 403, "AccessDenied")
        error(acl_of("t-" + secrets.token_hex(8), s3=S3(region)), 404, "NoSuchBucket")
    status(put_acl(n, grant_read_acp='id="%s"' % OWNER2), 200)
    for region in (EU, US):
        eq("granted", grants(acl_of(n, s3=other(region))), [(OWNER2, "READ_ACP")])


if __name__ == "__main__":
    main()
