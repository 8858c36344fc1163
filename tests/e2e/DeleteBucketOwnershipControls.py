#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""DeleteBucketOwnershipControls: then there is no rule, and lists count."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from acl import *  # noqa: E402,F403


def test_then_none():
    """In any region, twice the same; it can be put again."""
    n = bucket(EU)
    for region in (US, EU):
        r = S3(region).request("DELETE", n, query="ownershipControls")
        status(r, 204)
        eq("no body", r.body, b"")
        for there in (EU, US):
            error(S3(there).request("GET", n, query="ownershipControls"), 404, "OwnershipControlsNotFoundError", BucketName=n)
    status(put_acl(n, acl="public-read"), 200)
    eq("lists count", S3(US).send("GET", "/" + n).status, 200)
    status(put_acl(n, acl="private"), 200)
    status(S3().request("PUT", n, query="ownershipControls", body=b"<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>"), 200)
    eq("a rule again", S3(US).request("GET", n, query="ownershipControls").text("Rule/ObjectOwnership"), "BucketOwnerEnforced")


def test_refused():
    """Nobody but the owner."""
    n = bucket(EU)
    for region in (EU, US):
        error(other(region).request("DELETE", n, query="ownershipControls"), 403, "AccessDenied")
        error(S3(region).send("DELETE", "/%s?ownershipControls" % n), 403, "AccessDenied")
        error(S3(region).request("DELETE", "t-" + secrets.token_hex(8), query="ownershipControls"), 404, "NoSuchBucket")
    eq("as it was", S3().request("GET", n, query="ownershipControls").status, 200)


if __name__ == "__main__":
    main()
