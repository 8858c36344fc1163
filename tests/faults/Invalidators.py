#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two invalidators a region: any may die, stop or be slow, messages may be lost; numbers make it right."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import *  # noqa: E402,F403


def lab():
    return shared(invalidators=2, settings={"routing_mode": "redirect"})


def logged(the, part, event):
    return [x for x in open(the.log(part), errors="replace") if " ev=%s " % event in x]


def test_one_of_two_killed_and_stopped():
    """In each region one is killed, then the other stopped instead: changes are acknowledged and seen, and trust stays or returns."""
    the = lab()
    with Watch(the) as watch:
        for r in the.names:
            the[r + "/inv0"].kill()
        watch.goes_on(20)
        for r in the.names:
            until("%s trusts" % r, lambda r=r: trusted(the.region(r)))
            the[r + "/inv0"].start(wait=False)
        for r in the.names:
            the[r + "/inv0"].wait()
        watch.goes_on(10)
        for r in the.names:
            the[r + "/inv1"].pause()
        watch.goes_on(20)
        for r in the.names:
            until("%s trusts" % r, lambda r=r: trusted(the.region(r)))
            the[r + "/inv1"].resume()
        watch.goes_on(10)
    the.wait_well()


def test_all_of_a_region_killed():
    """No invalidator: the region trusts nothing, asks the database, and is right; one that comes back heals it."""
    the = lab()
    for i in range(2):
        the["us/inv%d" % i].kill()
    until("it is not trusted", lambda: not trusted(US))
    n = bucket(US)
    S3(US).put(n, "k", b"x")
    changes_are_seen(the, [US])
    before = metric(US, "anvil_requests_db_queries_total", database="global")
    status(S3(US).get(n, "k"), 200)
    ok("it asked the database", metric(US, "anvil_requests_db_queries_total", database="global") > before)
    the["us/inv1"].start()
    until("it is trusted", lambda: trusted(US))
    changes_are_seen(the)
    the["us/inv0"].start()


def test_all_of_a_region_stopped_and_resumed():
    """SIGSTOP for longer than F, then SIGCONT: what they wrote late is not believed."""
    the = lab()
    with Watch(the) as watch:
        for _ in range(2):
            for i in range(2):
                the["us/inv%d" % i].pause()
            until("it is not trusted", lambda: not trusted(US))
            watch.goes_on(5)
            for i in range(2):
                the["us/inv%d" % i].resume()
            watch.goes_on(10)
    the.wait_well()


def test_published_events_are_lost():
    """What others publish does not come through to a region that has no database: it shows as a gap, and is asked for."""
    the = lab()
    the.link("ap/inv*>pg").cut()  # no source: it lives by what it hears
    until("it trusts by its peers", lambda: trusted(AP))
    with Watch(the) as watch:
        for way in ("back", "both"):
            the.link("ap/inv*>*/inv0").stall(way)
            watch.goes_on(10)
            the.heal()
            the.link("ap/inv*>pg").cut()
            watch.goes_on(10)
    the.mend()


def test_outbox_pruned():
    """A region comes back after its events are gone from the outbox, and from every peer's memory: it flushes, and is right."""
    the = lab()
    hot = [bucket(US) for _ in range(3)]
    seen = [[home_seen(r, n) for n in hot] for r in (EU, US, AP)]
    eq("cached", seen, [["us"] * 3] * 3)
    for i in range(2):
        the["us/inv%d" % i].kill()
    status(S3(US).request("DELETE", hot[0]), 204)
    the.psql("INSERT INTO policies (id, name, document) SELECT gen_random_uuid(), 'pruned-' || i, '{}' FROM generate_series(1, 10) i")
    for i in range(10):
        the.psql("UPDATE regions SET endpoint = endpoint")
    the.psql("DELETE FROM metadata_events")
    for r in ("eu", "ap"):  # what they remember is gone, too
        for i in range(2):
            the["%s/inv%d" % (r, i)].restart(wait=False)
    for r in ("eu", "ap"):
        for i in range(2):
            the["%s/inv%d" % (r, i)].wait()
    for i in range(2):
        the["us/inv%d" % i].start()
    the.wait_well()
    eq("now", [[home_seen(r, n) for n in hot] for r in (EU, US, AP)], [[None, "us", "us"]] * 3)
    changes_are_seen(the)
    the.psql("DELETE FROM policies WHERE name LIKE 'pruned-%'")


def test_flood_of_events():
    """Thousands of events in a moment, of one transaction and of many: changes among them are seen at once."""
    the = lab()
    the.psql("INSERT INTO tenants (id, name, canonical_id) VALUES ('00000000-0000-4000-8000-00000000f100', 'flood', repeat('f', 64))")
    the.psql("INSERT INTO buckets (id, name, region, tenant_id) SELECT gen_random_uuid(), 'flood-' || i, 'eu', '00000000-0000-4000-8000-00000000f100' FROM generate_series(1, 3000) i")
    with Watch(the) as watch:
        the.psql("UPDATE buckets SET routing_mode = 'relay' WHERE name LIKE 'flood-%'")
        the.program(os.path.join(PG_BIN, "psql"), "-Xq", "-d", the.dsn(), "-c", "DO $$ BEGIN FOR i IN 1 .. 600 LOOP UPDATE buckets SET routing_mode = 'auto' WHERE name = 'flood-' || i; COMMIT; END LOOP; END $$")
        watch.goes_on(10)
    the.psql("DELETE FROM buckets WHERE name LIKE 'flood-%'")
    the.psql("DELETE FROM tenants WHERE name = 'flood'")
    changes_are_seen(the)


if __name__ == "__main__":
    main()
