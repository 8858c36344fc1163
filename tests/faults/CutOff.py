#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Regions that reach nobody, a peer only, or a database that is away: what is still known is served, what is not is refused, and all comes back by itself."""
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import *  # noqa: E402,F403

TTL_S = 6


def lab():
    return shared(settings={"routing_mode": "redirect", "ap": {"metadata_when_cut_off": "serve", "metadata_cache_ttl_secs": TTL_S}})


def cut_database(the, region):
    the.link("%s/*>pg" % region).cut()


def cut_off(the, region):
    """From the database and from every peer; its own memcached and regional database stay."""
    cut_database(the, region)
    the.link("%s/inv*>*/inv*" % region).cut()
    the.link("*/inv*>%s/inv*" % region).cut()


class Hot:
    """A bucket and a key of a region, in its cache."""

    def __init__(self, the, region):
        self.region, self.bucket = region, bucket(region)
        self.watched = Key(the)
        S3(region).put(self.bucket, "k", b"x")
        for _ in range(5):
            self.ask()
            self.says()

    def ask(self):
        return S3(self.region, timeout=30).get(self.bucket, "k")

    def says(self):
        """What the region says of the key: True, False, "refused"."""
        return self.watched.read(self.region)

    def settles(self):
        """Healed, it says what is true; refused for a while, perhaps: a worker tries a database that was away after a pause; never what was."""
        seen = []
        until("the key is known", lambda: seen.append(self.says()) or seen[-1] != "refused")
        eq("the key is disabled", seen[-1], False)
        until("hot requests are served", lambda: self.ask().status == 200)

    def disable(self):
        self.watched.change(None, "eu")
        ok("the change was acknowledged", self.watched.changes[-1][3])


def refused(a):
    error(a, 503, "SlowDown")
    ok("%s: Retry-After is a number: %r" % (a.said, a.get("Retry-After")), (a.get("Retry-After") or "").isdigit())


def test_cut_off_region_refuses():
    """Neither database nor peer: after the wait of a writer elsewhere nothing old is served, health says why; healed, it needs nobody."""
    the = lab()
    hot = Hot(the, US)
    cut_off(the, "us")
    hot.disable()  # waits W for us, which is more than F
    for _ in range(10):
        refused(hot.ask())
        eq("the key", hot.says(), "refused")
    h = health(US)
    eq("health", (h.get("status"), h.get("cache_trusted"), h.get("global_database")), (503, False, False))
    for r in (EU, AP):
        eq("%s goes on" % r, home_seen(r, hot.bucket), "us")
    the.heal()
    the.wait_well()
    hot.settles()
    status(hot.ask(), 200)
    hot.watched.end()


def test_cut_off_region_serves_when_told_to():
    """metadata_when_cut_off = serve: what was cached goes on until it is too old, as metrics tell; then it is refused."""
    the = lab()
    hot = Hot(the, AP)
    before = metric(AP, "anvil_cache_served_old_total")
    cut_off(the, "ap")
    hot.disable()
    until("it is not trusted", lambda: not trusted(AP))
    status(hot.ask(), 200)
    eq("the key, as ap knew it", hot.says(), True)
    ok("metrics count what was served so", metric(AP, "anvil_cache_served_old_total") > before)
    until("too old is refused", lambda: hot.ask().status == 503, 3 * TTL_S + 10)
    refused(hot.ask())
    the.heal()
    the.wait_well()
    hot.settles()
    status(hot.ask(), 200)
    hot.watched.end()


def test_a_peer_is_reached_but_no_database():
    """A region whose peers ask the database for it trusts its cache: hot requests go on and see each change; what is cold, and writers, are refused."""
    the = lab()
    hot = Hot(the, US)
    cut_database(the, "us")
    until("the database is away", lambda: not health(US).get("global_database"))
    for _ in range(3):
        until("it trusts", lambda: trusted(US))
        until("hot requests are served", lambda: hot.ask().status == 200)
        until("and the key's", lambda: hot.says() is True)
        time.sleep(0.7)  # longer than F
    hot.disable()
    seen = [hot.says() for _ in range(10)]
    ok("at once it is not let in: %s" % seen, True not in seen)
    refused(S3(US).get(name_of_bucket(), "k"))
    refused(create(name_of_bucket(), US))
    the.heal()
    the.wait_well()
    hot.settles()
    hot.watched.end()


def test_database_stopped_and_started():
    """The global database is gone: no region trusts longer than F, each refuses then (or serves); it returns under load, and everybody is well."""
    the = lab()
    hots = [Hot(the, r) for r in (EU, US, AP)]
    the[the.primary].kill()
    for hot in hots:
        until("%s trusts nothing" % hot.region, lambda h=hot: not trusted(h.region))
    for hot in hots[:2]:
        refused(hot.ask())
        refused(create(name_of_bucket(), hot.region))
    over, answers = threading.Event(), []

    def hammer(hot):
        while not over.is_set():
            a = attempt(hot.ask)
            answers.append(a.status if a else 0)

    threads = [threading.Thread(target=hammer, args=(h,)) for h in hots for _ in range(4)]
    for t in threads:
        t.start()
    try:
        time.sleep(1)
        the[the.primary].start()
        the.wait_well(60)
        for hot in hots:
            until("%s serves" % hot.region, lambda h=hot: h.ask().status == 200)
    finally:
        over.set()
        for t in threads:
            t.join()
    ok("answers under load are 200 or 503", set(answers) <= {200, 503}, set(answers))
    changes_are_seen(the)
    for hot in hots:
        hot.disable()
        eq("seen", [hot.watched.read(r) for r in (EU, US, AP)], [False] * 3)
        hot.watched.end()


def test_database_paused():
    """The global database hangs instead: the same, and nobody hangs with it."""
    the = lab()
    hots = [Hot(the, r) for r in (EU, US)]
    the[the.primary].pause()
    for hot in hots:
        until("%s trusts nothing" % hot.region, lambda h=hot: not trusted(h.region))
        refused(hot.ask())
    a = create(name_of_bucket(), EU)
    ok("a writer is refused: %r" % a, a.status == 503)
    the[the.primary].resume()
    the.wait_well()
    for hot in hots:
        until("%s serves" % hot.region, lambda h=hot: h.ask().status == 200)
        hot.watched.end()
    changes_are_seen(the)


def test_delete_bucket_while_the_database_is_away():
    """What cannot be ended is not begun: the bucket goes on taking writes."""
    the = lab()
    n = bucket(US)
    S3(US).put(n, "k", b"x")
    status(S3(US).delete(n, "k"), 204)
    cut_database(the, "us")  # peers keep its cache honest, so the bucket is known
    until("the database is away", lambda: not health(US).get("global_database"))
    until("it trusts", lambda: trusted(US))
    a = S3(US).request("DELETE", n)
    ok("refused: %r" % a, a.status == 503)
    until("writes go on", lambda: S3(US).request("PUT", n, "k2", body=b"y").status == 200)
    the.heal()
    the.wait_well()
    eq("keys", S3(US).keys(n), ["k2"])


def test_flapping_link():
    """A link that comes and goes while changes go on."""
    the = lab()
    with Watch(the) as watch:
        for _ in range(3):
            cut_off(the, "us")
            time.sleep(0.5)
            the.heal()
            time.sleep(0.2)
            cut_database(the, "eu")
            time.sleep(0.5)
            the.heal()
        watch.goes_on(20)
    the.wait_well()


if __name__ == "__main__":
    main()
