#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Events of buckets: whoever dies, every write that was answered is told of, and each key's writes in their order."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import *  # noqa: E402,F403
from webhook import Receiver, configuration, queue  # noqa: E402


def begin():
    """A lab where a dead deliverer's queue is soon taken up, a bucket, its webhook."""
    the = shared(settings={"webhook_timeout_ms": 300, "db_timeout_ms": 1000})
    n, w = bucket(EU), Receiver()
    status(S3().request("PUT", n, query="notification", body=configuration(queue(w.queue, "s3:ObjectCreated:*"))), 200)
    until("the test event", w.tests)
    return the, n, w


def put(n, key, body):
    """The ETag, when it was answered that it is stored."""
    a = attempt(S3(EU, timeout=20).request, "PUT", n, key, body=body)
    return a.get("ETag").strip('"') if a is not None and a.status == 200 else None


def numbers(w, key):
    """The sequencers of a key's events, as they came."""
    return [r["s3"]["object"]["sequencer"] for r in w.records() if r["s3"]["object"]["key"] == key]


def test_dead_before_done():
    """The webhook took it, and who called dies before it is gone from the queue: told again."""
    the, n, w = begin()
    points(the, "eu/s3", "notify_before_done=100%:kill")
    # Whoever serves may have been killed, too: written again until it is told.
    until("it is told", lambda: numbers(w, "k") or (put(n, "k", b"x") and False), 60)
    points(the, "eu/s3")
    until("an event came twice", lambda: len(numbers(w, "k")) > len(set(numbers(w, "k"))))
    the.wait_well()
    w.close(n, s3=S3())


def test_deliverers_die():
    """At any step, and amid writes: none that was answered is lost, and no event comes for the first time behind a later one of its key."""
    the, n, w = begin()
    points(the, "eu/s3", "notify_before_call=15%:kill,notify_before_done=15%:kill,put_before_row=2%:kill")
    written, i, end = {"a": [], "b": [], "c": []}, 0, time.monotonic() + 60
    while sum(map(len, written.values())) < 40 and time.monotonic() < end:
        i += 1
        etag = put(n, "abc"[i % 3], b"%d" % i)
        if etag:
            written["abc"[i % 3]].append(etag)
        time.sleep(0.02 if etag else 0.2)
    points(the, "eu/s3")
    the.wait_well()
    for key, etags in written.items():
        def told():
            events = {r["s3"]["object"]["sequencer"]: r["s3"]["object"]["eTag"] for r in w.records() if r["s3"]["object"]["key"] == key}
            return [events[x] for x in sorted(events)]
        until("every write of %s is told" % key, lambda: set(etags) <= set(told()), 60)
        eq("in their order", [x for x in told() if x in etags], etags)
        came = numbers(w, key)
        first = sorted(set(came), key=came.index)
        eq("each came first after those before it", first, sorted(first))
    w.close(n, s3=S3())


if __name__ == "__main__":
    main()
