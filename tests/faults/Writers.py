#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a change waits for: each region's word, or W; its own region's alone when that was chosen; nobody that is gone."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import *  # noqa: E402,F403

W_US = 900000  # lab.py's metadata_ack_ms


def lab():
    return shared(settings={"routing_mode": "redirect", "ap": {"metadata_consistency": "eventual"}})


class Change:
    """A bucket made and deleted: what the access line of either says."""

    def __init__(self, via):
        n = name_of_bucket()
        self.lines = []
        for a in (create(n, via, via), S3(via).request("DELETE", n)):
            ok("it succeeds: %r" % a, a.status in (200, 204))
            self.lines.append(log_line(via, a.get("x-amz-request-id")))
        self.waited = [int(self.field(line, "ack_us")) for line in self.lines]

    @staticmethod
    def field(line, name):
        m = re.search(r" %s=(\S+)" % name, line)
        return m.group(1) if m else None


def test_a_slow_region_is_waited_for():
    """Its word comes late: so does the answer, and not one region is behind then."""
    the = lab()
    with the.link("eu/inv*>us/inv*").delay(300, "back"):
        c = Change(EU)
        ok("each change waited for it: %s" % c.waited, min(c.waited) >= 250000)
        changes_are_seen(the, [EU])


def test_eventual_waits_for_its_own_region():
    """ap chose so: it waits for nobody else, and its own next request sees the change."""
    the = lab()
    with the.link("ap/inv*>*/inv*").delay(400, "back"):
        waits = []
        for _ in range(4):
            n = name_of_bucket()
            eq("before", home_seen(AP, n), None)
            status(create(n, AP), 200)
            eq("at once in ap", home_seen(AP, n), "ap")
            for r in (EU, US):
                until("soon in %s" % r, lambda r=r: home_seen(r, n) == "ap")
            a = S3(AP).request("DELETE", n)
            status(a, 204)
            eq("at once in ap", home_seen(AP, n), None)
            waits.append(int(Change.field(log_line(AP, a.get("x-amz-request-id")), "ack_us")))
        ok("others were not waited for: %s" % waits, 0 in waits)


def test_a_stopped_region_costs_w():
    """A region that is silent holds a change up for W, no longer, and is right when it comes back."""
    the = lab()
    watched = Key(the)
    the["us/inv0"].pause()
    c = Change(EU)
    ok("the first waited about W: %s" % c.waited, c.waited[0] >= W_US * 8 // 10)
    watched.change(None, "eu")
    seen = [watched.read(r) for r in (EU, US, AP)]
    ok("disabled everywhere: %s" % seen, True not in seen)
    the["us/inv0"].resume()
    the.wait_well()
    eq("and after", [watched.read(r) for r in (EU, US, AP)], [False] * 3)
    watched.end()


def test_a_lost_region_taxes_one_writer():
    """One waits W and marks it; the following do not wait, until it asks again; then it is waited for again."""
    the = lab()
    if the.psql("SELECT to_regclass('region_renewals') IS NULL") == "t":
        skip("this build marks no lost regions")
    the["us/inv0"].kill()
    first = Change(EU)
    ok("the first waited about W: %s" % first.waited, first.waited[0] >= W_US * 8 // 10)
    until("it is marked", lambda: Change.field(Change(EU).lines[0], "ack_skipped") == "us")
    for _ in range(3):
        eq("it is not waited for", [Change.field(line, "ack_skipped") for line in Change(EU).lines], ["us"] * 2)
        changes_are_seen(the, [EU, US])  # us asks the database
    the["us/inv0"].start()
    the.wait_well()
    until("it is waited for again", lambda: Change.field(Change(EU).lines[0], "ack_skipped") in (None, "-"))
    with the.link("eu/inv*>us/inv*").delay(300, "back"):
        c = Change(EU)
        ok("and waited for it is: %s" % c.waited, min(c.waited) >= 250000)
    changes_are_seen(the, [EU, US])  # ap waits for nobody


def test_a_leaving_region_is_not_waited_for():
    """Told to leave it is told nothing more: it trusts nothing, asks the database, and holds nobody up once that is known."""
    the = lab()
    n = bucket(US)
    the.admin("eu", "region", "leave", "us", "--yes")
    try:
        until("us trusts nothing", lambda: not trusted(US))
        the["us/inv0"].pause()
        until("it is marked", lambda: Change.field(Change(EU).lines[0], "ack_skipped") == "us")
        before = metric(EU, "anvil_ack_timeouts_total")
        waits = []
        for _ in range(3):
            waits += Change(EU).waited
        eq("nobody waited in vain: %s" % waits, metric(EU, "anvil_ack_timeouts_total"), before)
        changes_are_seen(the, [EU])
        eq("its buckets are served", S3(US).request("GET", n, "none").status, 404)
        error(create(name_of_bucket(), US, EU), 400, "InvalidLocationConstraint")
    finally:
        the["us/inv0"].resume()
        the.psql("UPDATE regions SET state = 'active', leaving_at = NULL WHERE name = 'us'")
    the.wait_well()
    changes_are_seen(the, [EU, US])  # ap waits for nobody


def test_psql_and_cache_wait():
    """A change by psql waits for nobody; `cache wait` does it in its place, in any region that waits for all."""
    the = lab()
    watched = Key(the)
    for via in ("eu", "us"):
        for expected in (False, True):
            watched.change(None, via)
            ok("it was acknowledged", watched.changes[-1][3])
            eq("seen at once", [watched.read(r) for r in (EU, US, AP)], [expected] * 3)
    watched.end()


if __name__ == "__main__":
    main()
