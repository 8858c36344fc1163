#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Databases that change places or go back in time, memcached that forgets, clocks that jump: never a stale read after acknowledgement."""
import os
import shutil
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import *  # noqa: E402,F403


def lab():
    the = shared(standby="async", settings={"routing_mode": "redirect"})
    if the.psql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") != "1":
        the.make_standby()
    return the


def epoch(the):
    return the.psql("SELECT epoch FROM event_clock")


def pg_program(the, name, *args):
    return the.program(os.path.join(PG_BIN, name), *args)


def key_of(the):
    """An access key of its own: function that tells what each region says of it."""
    watched = Key(the)
    return watched, lambda: [watched.read(r) for r in (EU, US, AP)]


# ---- memcached ----

def to_memcached(the, part, data):
    with anvil.socket.create_connection(("127.0.0.1", the.ports[part]), 10) as s:
        s.sendall(data + b"version\r\n")
        while b"VERSION" not in s.recv(65536):
            pass


def test_memcached_restarted_and_flushed():
    the = lab()
    with Watch(the) as watch:
        for r in the.names:
            the[r + "/mc0"].restart()
        watch.goes_on(20)
        for _ in range(5):
            for r in the.names:
                to_memcached(the, r + "/mc0", b"flush_all\r\n")
            watch.goes_on(5)
        watch.goes_on(20)
    the.wait_well()


def test_memcached_under_pressure():
    """Junk of the size of stamp pages and values pushes them out, again and again."""
    the = lab()
    junk = [b"".join(b"set junk%d-%d 0 0 %d noreply\r\n%s\r\n" % (size, i, size, b"x" * size) for i in range(24 * 1048576 // (size + 100))) for size in (200, 620)]
    with Watch(the) as watch:
        for r in the.names:
            for some in junk:
                to_memcached(the, r + "/mc0", some)
            watch.goes_on(5)
        watch.goes_on(20)
    the.wait_well()


# ---- clocks ----

def us_tells_time(step):
    """All workers of us do: a request that is signed by this clock is in time, again and again."""
    return all(S3(US).request("GET", "no-such-bucket-here", now=time.time() + step).code == "NoSuchBucket" for _ in range(8))


def test_clock_of_one_host_stepped():
    """The wall clock of a region's host an hour forward, then two back."""
    the = lab()
    step = {"us": 0}
    with Watch(the, now={"us": lambda: time.time() + step["us"]}) as watch:
        for seconds in (3600, -3600):
            for part in ("us/s3", "us/inv0"):
                the.clock(part, seconds * 1000)
            step["us"] = seconds
            until("the clock is stepped", lambda: us_tells_time(step["us"]))  # it is looked at each second
            watch.goes_on(30)
    for part in ("us/s3", "us/inv0"):
        the.clock(part, 0)
    until("the clock is right again", lambda: us_tells_time(0))


# ---- promotion ----

def test_promotion_without_loss():
    """The primary dies, its standby takes over with all that was acknowledged."""
    the = lab()
    was = epoch(the)
    with Watch(the) as watch:
        watch.hold()
        until("the standby has all", lambda: the.psql("SELECT replay_lsn >= pg_current_wal_flush_lsn() FROM pg_stat_replication") == "t")
        the.promote()
        watch.go_on()
        watch.goes_on(30)
    ok("a new epoch began", epoch(the) != was)
    the.wait_well()


def test_promotion_that_loses_commits():
    """The standby lacked the last commits. What they were is forgotten in every region, and their numbers, taken again, mean something else."""
    the = lab()
    the.wait_well()
    watched, says = key_of(the)
    n = name_of_bucket()
    until("the standby has all", lambda: the.psql("SELECT replay_lsn >= pg_current_wal_flush_lsn() FROM pg_stat_replication") == "t")
    the.link("pg2>pg").cut()
    the.link("pg>pg2").cut()
    was = epoch(the)
    status(create(n, US), 200)
    eq("made", [home_seen(r, n) for r in (EU, US, AP)], ["us"] * 3)
    watched.change(None)
    eq("disabled", says(), [False] * 3)
    the.promote()
    until("a new epoch", lambda: epoch(the) != was, 30)
    # Taken again while caches may still hold what was lost: the numbers are others' now.
    changes_are_seen(the)
    the.wait_well()
    eq("lost with the primary", the.psql("SELECT count(*) FROM buckets WHERE name = '%s'" % n), "0")
    eq("so it is not there", [home_seen(r, n) for r in (EU, US, AP)], [None] * 3)
    eq("and the key is enabled", says(), [True] * 3)
    watched.change(None)
    eq("still, as the watcher's next change says", says(), [True] * 3)
    watched.change(None)
    eq("disabled again", says(), [False] * 3)
    status(create(n, AP, US), 200)
    eq("made again elsewhere", [home_seen(r, n) for r in (EU, US, AP)], ["ap"] * 3)
    status(S3(AP).request("DELETE", n), 204)
    watched.end()


def test_synchronous_standby_lost():
    """A primary that cannot prove that it is one answers no clocks: every region stops trusting, no change is acknowledged; it comes back by itself."""
    the = lab()
    standby = "pg2" if the.primary == "pg" else "pg"
    the.psql("ALTER SYSTEM SET synchronous_standby_names = '%s'" % standby)
    the.psql("SELECT pg_reload_conf()")
    try:
        the.wait_well()
        kept, n = bucket(EU), name_of_bucket()
        S3().put(kept, "k", b"x")
        changes_are_seen(the)
        the.link("%s>%s" % (standby, the.primary)).cut()
        for r in (EU, US, AP):
            until("%s trusts nothing" % r, lambda r=r: not trusted(r), 30)
        a = create(n, US)
        ok("no change is acknowledged: %r" % a, a.status >= 500)
        eq("what is read of the database is served", S3().get(kept, "k").status, 200)
        ok("not trusted", not any(map(trusted, (EU, US, AP))))
    finally:
        the.heal()
        the.psql("ALTER SYSTEM RESET synchronous_standby_names")
        the.psql("SELECT pg_reload_conf()")
    the.wait_well()
    there = the.psql("SELECT region FROM buckets WHERE name = '%s'" % n) or None
    eq("what came of it is the same everywhere", [home_seen(r, n) for r in (EU, US, AP)], [there] * 3)
    changes_are_seen(the)
    if there:
        status(S3(US).request("DELETE", n), 204)


# ---- restores ----

def test_restored_from_a_dump():
    """pg_restore of an older dump, over everybody's head: a new epoch, and every region says what the database says."""
    the = lab()
    watched, says = key_of(the)
    before, gone, later = bucket(EU), name_of_bucket(), name_of_bucket()
    status(create(gone, US), 200)
    dump = os.path.join(the.run, "dump")
    pg_program(the, "pg_dump", "-Fc", "-f", dump, "-d", the.dsn())
    was = epoch(the)
    status(S3(US).request("DELETE", gone), 204)
    status(create(later, AP), 200)
    watched.change(None)
    eq("disabled", says(), [False] * 3)
    eq("before", [[home_seen(r, n) for r in (EU, US, AP)] for n in (before, gone, later)], [["eu"] * 3, [None] * 3, ["ap"] * 3])
    pg_program(the, "pg_restore", "--clean", "--if-exists", "--single-transaction", "-d", the.dsn(), dump)
    until("a new epoch", lambda: epoch(the) != was, 30)
    changes_are_seen(the)
    the.wait_well()
    eq("after", [[home_seen(r, n) for r in (EU, US, AP)] for n in (before, gone, later)], [["eu"] * 3, ["us"] * 3, [None] * 3])
    eq("enabled", says(), [True] * 3)
    the.admin("eu", "db", "restored", "--yes")
    changes_are_seen(the)
    # Its fence is closed: what was acknowledged stays so, and maintain says it to the database.
    error(S3(US).request("PUT", gone, "k", body=b"x"), 404, "NoSuchBucket")
    the.admin("us", "maintain")
    eq("deleted, as it was", [home_seen(r, gone) for r in (EU, US, AP)], [None] * 3)
    watched.changes.append((0, 0, True, True))
    watched.change(None)
    eq("disabled again", says(), [False] * 3)
    watched.end()


def test_clock_went_back_without_a_trace():
    """The files of the database of some time ago, put in the place of the present ones: same system, same timeline. Sources notice."""
    the = lab()
    watched, says = key_of(the)
    primary, standby = the[the.primary], the["pg2" if the.primary == "pg" else "pg"]
    standby.end()
    data = "%s/data-%s" % (the.dir, primary.name)
    primary.end()
    the.program("cp", "-r", data, data + ".then")
    primary.start()
    the.wait_well()
    was = epoch(the)
    n = name_of_bucket()
    status(create(n, US), 200)
    watched.change(None)
    for _ in range(10):
        the.psql("UPDATE apps SET enabled = false WHERE access_key = '%s'" % watched.key)
    the.admin("us", "cache", "wait")
    eq("disabled", says(), [False] * 3)
    eq("made", [home_seen(r, n) for r in (EU, US, AP)], ["us"] * 3)
    primary.kill()
    shutil.rmtree(data)
    os.rename(data + ".then", data)
    primary.start()
    until("a new epoch", lambda: epoch(the) != was, 30)
    the.wait_well()
    eq("enabled", says(), [True] * 3)
    eq("not there", [home_seen(r, n) for r in (EU, US, AP)], [None] * 3)
    changes_are_seen(the)
    watched.end()
    the.make_standby()


def test_one_table_restored():
    """TRUNCATE and COPY of one table are changes like others; with triggers disabled, `db restored` says so."""
    the = lab()
    watched, says = key_of(the)
    dump = os.path.join(the.run, "apps.sql")
    pg_program(the, "pg_dump", "--data-only", "-t", "apps", "-f", dump, "-d", the.dsn())
    plain = "TRUNCATE apps CASCADE;"
    silent = "ALTER TABLE apps DISABLE TRIGGER ALL; DELETE FROM apps;"
    for begin, end in ((plain, ""), (silent, "ALTER TABLE apps ENABLE TRIGGER ALL; ALTER TABLE apps ENABLE ALWAYS TRIGGER changed; ALTER TABLE apps ENABLE ALWAYS TRIGGER truncated;")):
        if watched.changes[-1][2]:
            watched.change(None)
        eq("disabled", says(), [False] * 3)
        pg_program(the, "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-1", "-d", the.dsn(), "-c", begin, "-f", dump, "-c", "SET search_path = public; " + end)
        if begin is plain:
            the.admin("ap", "cache", "wait")
        else:
            the.admin("ap", "db", "restored", "--yes")
        eq("enabled, as in the dump", says(), [True] * 3)
        watched.changes.append((0, 0, True, True))
    watched.end()


if __name__ == "__main__":
    main()
