#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutBucketTagging: in any region; every region knows when it returns."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

KIND = Kind('tagging', "<Tagging><TagSet><Tag><Key>Hello</Key><Value>World @ more</Value></Tag></TagSet></Tagging>", 'NoSuchTagSet', 204)


def test_everywhere_at_once():
    """Put through either region, a bucket of either."""
    KIND.check_put()


def test_refused():
    """Nobody but the owner, and nothing is stored."""
    KIND.check_refused("PUT")


def test_malformed():
    """What S3 refuses as MalformedXML."""
    KIND.check_malformed("<Tagging><Tag/></Tagging>", "<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>")


def tags(pairs):
    return ("<Tagging><TagSet>%s</TagSet></Tagging>" % "".join("<Tag><Key>%s</Key><Value>%s</Value></Tag>" % p for p in pairs)).encode()


def test_limits():
    """50 tags, keys of 1 to 128 characters, values of 256; keys once, none that begins with aws:."""
    n = bucket(EU)
    for pairs in ([("k%d" % i, "v") for i in range(51)], [("", "v")], [("k" * 129, "v")], [("k", "v" * 257)], [("k", "1"), ("k", "2")],
                  [("aws:k", "v")], [("k,", "v")], [("k", "v&amp;w")]):
        error(KIND.put(n, tags(pairs)), 400, "InvalidTag")
    KIND.is_missing(n)
    pairs = [("\u00fc%02d" % i + "k" * 125, "\u65e5" * 256) for i in range(50)]
    status(KIND.put(n, tags(pairs)), 204)
    eq("as put", [(t.findtext("Key"), t.findtext("Value")) for t in KIND.get(n, S3(US)).xml.iter("Tag")], pairs)
    for nothing in (tags([]), b"<Tagging/>"):
        status(KIND.put(n, tags(pairs)), 204)
        status(KIND.put(n, nothing), 204)
        KIND.is_missing(n)


if __name__ == "__main__":
    main()
