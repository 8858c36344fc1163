#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Keys that clients get wrong, through two clients: our own and boto3."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403

import concurrent.futures  # noqa: E402
import random  # noqa: E402

SERVER_REFUSES = {"apache": re.compile(r"%00"), "nginx": re.compile(r"%00"), "lighttpd": re.compile("^$")}

# The list, and what else is known to break.
LIST = ["a", "a/b", "a/b/", "a/", "a b", " a", "a ", "a+b", "a%b", "a%2Fb", "a%252Fb", "a//b", "//", "/a", "//a", "a///", ".", "..", "./a", "a/.", "a/./b", "a/..", "a/../b", "../a", "...",
        "'", '"', "a'b\"c", "&", "<>", "a&b<c>d", "\U0001f600", "a/\U0001f468\u200d\U0001f469\u200d\U0001f467/b", "\u00e9", "e\u0301", "\u4e2d\u6587", "\u202e", "\ufeff", "k" * 1024, "\u00e9" * 512, "d/" * 512,
        "?", "a?b", "#", "a#b", "a;b=c", "a=b", "a&b=c", "a:b", "a@b", "a,b", "a|b", "a\\b", "a^b", "a`b", "{a}", "[a]", "a~b", "a*b", "(a)", "!a", "$a", "a\tb", "a\nb", "a\rb", "\x7f", "\x01", "-", "-/admin/", "-/health",
        "con", "a.b", ".a", "a..b", "~", "%", "%%", "%zz", "%00", "%2e%2e/", "+", "++", "a\u00a0b", "\u2028", "null", "undefined", "acl", "uploads", "versionId", "x" * 255 + "/" + "y" * 255]


def above_root(key):
    """Apache and nginx answer 400 to a target whose ".." leads above the root."""
    depth = 1  # the bucket
    for part in key.split("/"):
        if part == "..":
            depth -= 1
        elif part not in ("", "."):
            depth += 1
        if depth < 0:
            return True
    return False


def hostile(count, seed=1):
    r = random.Random(seed)
    alphabet = list("ab/.+% &<>'\"?#;=:@,|\\^`{}[]~*()!$-_\t\n\x7f") + ["//", "/./", "/../", "%2F", "%2f", "%20", "%", "\u00e9", "\u4e2d", "\U0001f600", "\u0301", "\u202e", " ", "+"]
    keys = set()
    while len(keys) < count:
        k = "".join(r.choice(alphabet) for _ in range(r.randint(1, 24)))
        if len(k.encode()) <= 1024:
            keys.add(k)
    return sorted(keys)


def usable(keys):
    return [k for k in keys if SERVER == "lighttpd" or not above_root(k)]


def check(put, get, lister, delete, keys):
    def one(f):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return list(pool.map(f, keys))

    one(lambda k: put(k, b"content of " + k.encode()))
    bad = [(k, came) for k, came in zip(keys, one(get)) if came != b"content of " + k.encode()]
    eq("read back", bad[:5], [])
    listed = lister()
    eq("listed", sorted(listed, key=lambda x: x.encode()), sorted(keys, key=lambda x: x.encode()))
    one(delete)
    eq("deleted", lister(), [])


def unquoted(texts):
    from urllib.parse import unquote
    return [unquote(t.replace("+", " ")) for t in texts]


def all_keys(n, region):
    out, token = [], None
    while True:
        q = {"encoding_type": "url", "max_keys": "300"}
        if token:
            q["continuation_token"] = token
        r = S3(region).list(n, **q)
        out += unquoted([e.text or "" for e in r.xml.findall("Contents/Key")])
        token = r.text("NextContinuationToken")
        if not token:
            return out


def test_raw_list():
    """The issue's list with our own signer, put through one region, read through the other."""
    n = bucket(EU)
    keys = usable(LIST)
    check(lambda k, b: S3(US).put(n, k, b), lambda k: S3(EU).get(n, k).body, lambda: all_keys(n, US), lambda k: status(S3(EU).delete(n, k), 204), keys)


def test_raw_hostile():
    """200 generated keys with our own signer."""
    n = bucket(EU)
    keys = usable(hostile(200, 2))
    check(lambda k, b: S3(EU).put(n, k, b), lambda k: S3(EU).get(n, k).body, lambda: all_keys(n, EU), lambda k: status(S3(EU).delete(n, k), 204), keys)


def boto(region):
    import boto3
    from botocore.config import Config
    return boto3.client("s3", endpoint_url=region.endpoint, region_name=region.name, aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, max_pool_connections=16))


def boto_check(n, keys, via, other):
    a, b = boto(via), boto(other)

    def lister():
        out = []
        for page in b.get_paginator("list_objects_v2").paginate(Bucket=n, PaginationConfig={"PageSize": 300}):
            out += [o["Key"] for o in page.get("Contents", [])]
        return out

    check(lambda k, body: a.put_object(Bucket=n, Key=k, Body=body), lambda k: b.get_object(Bucket=n, Key=k)["Body"].read(), lister, lambda k: a.delete_object(Bucket=n, Key=k), keys)


def test_boto3_list():
    """The issue's list with boto3, put through one region, read through the other."""
    # botocore itself refuses or changes nothing here but a key that is empty.
    boto_check(bucket(EU), usable(LIST), US, EU)


def test_boto3_hostile():
    """600 generated keys with boto3."""
    boto_check(bucket(EU), usable(hostile(600)), EU, US)


def test_refused_keys():
    """What no key can be: not UTF-8, a NUL, half an escape."""
    n = bucket(EU)
    for target in ("/%s/%%FF" % n, "/%s/a%%C3" % n, "/%s/%%00" % n, "/%s/%%ED%%A0%%80" % n, "/%s/%%zz" % n, "/%s/%%2" % n):
        headers = {"host": EU.netloc}
        sigv4.sign("PUT", target, headers, sigv4.EMPTY, KEY, SECRET, EU.name)
        r = S3().send("PUT", target, headers, b"")
        ok("%s: refused" % target, r.status in (400, 403, 404), r)
    eq("nothing is left", S3().keys(n), [])


if __name__ == "__main__":
    main()
