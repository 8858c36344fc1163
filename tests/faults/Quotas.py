#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Quotas of buckets: whoever dies, an account is what the bucket holds, and the limit holds."""
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import *  # noqa: E402,F403

WRITERS, KEYS, BYTES, OBJECTS = 6, 5, 60000, 20


def usage(the, name):
    """(bytes, objects); the account lacks nothing."""
    u = anvil.json.loads(the.admin("eu", "--json", "bucket", "usage", name, "--count").out)
    eq("the account lacks nothing", u["counted"], {"missing_bytes": 0, "missing_objects": 0})
    u = u["usage"]
    return u["bytes"], u["objects"]


def write(n, number, seconds, counts):
    """Puts (small and files), overwrites and deletes of one writer's keys, near the limit; what each key is, where that is known."""
    rng, known, s3 = random.Random(number), {}, S3(EU, timeout=20)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        key, size = "%d-%d" % (number, rng.randrange(KEYS)), rng.choice((0, 100, 5000, 17000))
        if rng.random() < 0.3:
            a, result = attempt(s3.request, "DELETE", n, key), None
        else:
            a, result = attempt(s3.request, "PUT", n, key, body=b"x" * size), size
        if a is not None and a.status in (200, 204):
            known[key] = result
        elif a is None or a.status != 403:
            known.pop(key, None)  # done or not
            time.sleep(0.05)
        counts[a.status if a is not None else 0] = counts.get(a.status if a is not None else 0, 0) + 1
    return known


def test_everybody_dies():
    """Workers are killed at every step of a put, and the region's database with them, while writers contend for the last bytes."""
    the = shared(settings={"db_timeout_ms": 2000})
    n = bucket(EU)
    the.admin("eu", "bucket", "quota", n, "--bytes", str(BYTES), "--objects", str(OBJECTS))
    points(the, "eu/s3", "put_before_row=2%:kill")
    counts, seconds = {}, 12

    def kill_database():
        for _ in range(3):
            time.sleep(seconds / 4)
            the["eu/pg"].kill()
            the["eu/pg"].restart()
        return {}
    results = in_threads([lambda i=i: write(n, i, seconds, counts) for i in range(WRITERS)] + [kill_database])
    points(the, "eu/s3")
    the.wait_well()
    ok("there were writes and refusals: %s" % counts, counts.get(200, 0) > 50 and counts.get(403, 0) > 10)
    held, objects = usage(the, n)
    ok("the limits hold: %d bytes, %d objects" % (held, objects), held <= BYTES and objects <= OBJECTS)
    for known in results:
        for key, size in known.items():
            a = S3(EU).request("HEAD", n, key)
            eq("what was answered is so: %s" % key, a.status if size is None else (a.status, int(a.get("Content-Length") or -1)), 404 if size is None else (200, size))
    listed = S3(EU).keys(n)
    for k in listed:
        status(S3(EU).request("DELETE", n, k), 204)
    eq("empty", usage(the, n), (0, 0))


def test_setting_stops_half_way():
    """The command dies at each of its steps: maintain makes it whole, once."""
    the = shared(settings={"db_timeout_ms": 2000})
    for point in ("quota_before_settle", "quota_before_count", "quota_before_correct"):
        n = bucket(EU)
        for i in range(3):
            status(S3(EU).request("PUT", n, "k%d" % i, body=b"x" * 100), 200)
        admin_dies(the, "eu", point, "bucket", "quota", n, "--objects", "4")
        status(S3(EU).request("PUT", n, "k3", body=b"x" * 100), 200)
        the.admin("eu", "maintain")
        eq(point, usage(the, n), (400, 4))
        status(S3(EU).request("PUT", n, "k4", body=b"x"), 403)
        status(S3(EU).request("DELETE", n, "k0"), 204)
        status(S3(EU).request("PUT", n, "k4", body=b"x"), 200)
        eq(point, usage(the, n), (301, 4))


if __name__ == "__main__":
    main()
