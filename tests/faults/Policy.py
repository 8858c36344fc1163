#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Changes of metadata by S3 whose worker dies, or whose connection to the database does: whole or not at all, and a retry is right."""
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import *  # noqa: E402,F403


def policy(n, i):
    return b'{"Version":"2012-10-17","Id":"%d","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::%s/*"}]}' % (i, n.encode())


def seen(n):
    """The policy in each region, None where there is none."""
    out = []
    for r in (EU, US, AP):
        a = until("an answer of %s" % r, lambda: next((a for a in [attempt(S3(r).request, "GET", n, query="policy")] if a is not None and a.status in (200, 404)), None), 20)
        out.append(a.body if a.status == 200 else None)
    return out


def test_workers_killed_while_policies_change():
    """kill -9 after the commit, and before the wait: all regions have one policy, the old or the new; the same change again is done."""
    the = shared()
    n = bucket(EU)
    points(the, "eu/s3", "write_after_commit=15%:kill,write_before_wait=15%:kill")
    the.wait_well()
    last = None
    for i in range(5):
        body = policy(n, i) if i % 3 < 2 else None
        tries = []

        def done():
            a = attempt(S3(EU).request, "PUT" if body else "DELETE", n, query="policy", body=body or b"")
            tries.append(a and a.status)
            if a is None or a.status != 204:
                now = seen(n)
                ok("one of both: %r" % now, now[0] in (last, body), (last, body))
            return a is not None and a.status == 204

        until("it is done", done, 90)
        eq("every region has it after %r" % tries, seen(n), [body] * 3)
        last = body
    points(the, "eu/s3")
    the.wait_well()
    status(S3(AP).request("DELETE", n, query="policy"), 204)


def test_connection_lost_at_commit():
    """The database goes between a change and the answer to its COMMIT, and comes back: what the client is told is so."""
    the = shared()
    points(the, "eu/s3", "create_before_commit=100%:700")
    the.wait_well()
    told = []
    for back in (True, False):
        n = name_of_bucket()
        answer = []
        t = threading.Thread(target=lambda: answer.append(attempt(create, n, EU)))
        t.start()
        time.sleep(0.3)  # it pauses with its row written
        the.link("eu/s3>pg").cut()
        try:
            if back:
                time.sleep(0.6)
            else:
                t.join(30)
        finally:
            the.link("eu/s3>pg").heal()
        t.join(30)
        a = answer[0]
        ok("an answer came", a is not None)
        told.append(a.status)
        ok("made, or not known", a.status in (200, 503), a)
        if a.status == 503:
            error(a, 503, "SlowDown")
        points(the, "eu/s3")
        the.wait_well()
        there = [home_seen(r, n) for r in (EU, US, AP)]
        eq("all agree", len(set(there)), 1)
        ok("who was told so has it", a.status == 503 or there == ["eu"] * 3, there)
        again = create(n, EU, US)
        eq("asked again", again.status, 200 if there[0] is None else 409)
        status(S3(US).request("DELETE", n), 204)
        points(the, "eu/s3", "create_before_commit=100%:700")
        the.wait_well()
    eq("without the database nobody is told that it is done", told[1], 503)
    points(the, "eu/s3")
    the.wait_well()


if __name__ == "__main__":
    main()
