# SPDX-License-Identifier: Apache-2.0
"""For each rule of the protocol that a build with --enable-faults can switch off: the
circumstances in which its absence shows. tests/faults/consistency --rules runs each
twice. With the rule off the checker must find a stale read; with the rule on and all
else the same it must not, which shows that it is the rule that was missed.

To add one: a row of FAULT_RULE in base/fault.def, and a Scenario here."""
import time


class Scenario:
    """
    why       what happens without the rule
    break_    called again and again with (nemesis, random numbers) until the run ends
    points    ANVIL_FAULT_POINTS of workers and invalidators; env: of single parts
    via       regions that writers ask; all
    seconds   given up after so long
    """

    def __init__(self, rule, why, break_, points=None, env=None, settings=None, seconds=60, rate=300, pace_s=0.15, kinds=None, quick=False, via=None, **lab):
        self.rule, self.why, self.break_, self.seconds, self.quick = rule, why, break_, seconds, quick
        self.points, self.env, self.settings, self.lab = points, env or {}, settings or {}, lab
        self.rate, self.pace_s, self.via = rate, pace_s, via
        self.kinds = kinds or ["policy"] * 4 + ["bucket"] * 2 + ["rights"]


def nothing(n, rng):
    n.rest(500)


def alone(n, rng, ms=2500):
    """us is cut off from the database and from the others, but not from its own memcached."""
    with n.lab.link("us/inv*>pg").cut(), n.lab.link("us/inv*>*/inv*").cut(), n.lab.link("*/inv*>us/inv*").cut():
        n.rest(ms)
    n.rest(600)


def briefly_alone(n, rng):
    alone(n, rng, 700)


def deaf(n, rng):
    """What us asks is answered at once; what it is told comes late."""
    with n.lab.link("*").delay(rng.choice((5, 20))), n.lab.link("us/inv*>*").delay(250, "back"), n.lab.link("*>us/inv*").delay(250):
        n.rest(2000)
    n.rest(300)


def slow_memcached(n, rng):
    with n.lab.link("us/inv*>mc*").delay(120):
        n.rest(1500)
    n.rest(300)


def evict(n, rng):
    """Memory pressure takes stamp pages, and leaves values."""
    n.evict("us", range(16))
    n.rest(rng.choice((200, 500)))


def hanging(n, rng):
    """us is cut off, its workers too, while its beats hang between asking and writing."""
    with n.lab.link("us/s3>pg").refuse():
        alone(n, rng, 3300)
    n.rest(2500)


def hanging_in_a_beat(n, seconds):
    """True once inv1, which beats alone in us, has begun a round and stood still in it before it writes."""
    until, last, rounds, since = time.monotonic() + seconds, n.page_beats("us"), 0, time.monotonic()
    while time.monotonic() < until:
        now = n.page_beats("us")
        if now != last:
            last, rounds, since = now, rounds + 1, time.monotonic()
        elif rounds and len(now) == 16 and time.monotonic() - since > 1.8:
            return True
        n.rest(50)
    return False


def reborn(n, rng):
    """memcached starts anew while inv1 hangs in a beat; inv0 makes new pages, fills of before arrive late, and then inv1
    writes what it had read: all while the workers of us are stopped (for less than F), so that they see no other page."""
    inv0, inv1, s3 = n.lab["us/inv0"], n.lab["us/inv1"], n.lab["us/s3"]
    inv0.pause()
    try:
        if not hanging_in_a_beat(n, 20):
            return
        values = n.values("us")
        s3.pause()
        n.kill("us/mc0", 0)
        inv0.resume()
        until = time.monotonic() + 4
        while time.monotonic() < until and len(n.page_ids("us")) < 16:
            n.rest(20)
        n.rest(600)  # a beat of inv0; and writers, who waited for us, are done
        others = n.page_ids("us")
        n.put_values("us", values)
        inv0.pause()
        until = time.monotonic() + 8
        while time.monotonic() < until and not any(n.page_ids("us").get(p, id) != id for p, id in others.items()):
            n.rest(2)
        # Pages of before are back: for as long as nothing is stamped they stay what they are.
        n.rest(20)
        inv1.pause()
        s3.resume()
        n.rest(1500)
    finally:
        inv0.resume()
        inv1.resume()
        s3.resume()
    n.rest(3000)


def lose(n, rng):
    """A standby that has not got the last commits takes over; workers of us cannot ask it what became of what they cached."""
    try:
        n.promote(1500, 200, "us/s3>pg")
        n.rest(1500)
    finally:
        n.lab.link("us/s3>pg").heal()
    n.rest(1500)


def leave(n, rng):
    """us leaves and is heard no more, so that nobody waits for it; what it asks and is told comes late, but it comes."""
    with n.lab.link("us/inv*>pg").delay(250, "back"), n.lab.link("us/inv*>*/inv*").delay(250, "back"), n.lab.link("*/inv*>us/inv*").cut():
        n.lab.admin("eu", "region", "leave", "us", "--yes", check=False)
        n.rest(9000)
    n.lab.psql("UPDATE regions SET state = 'active', leaving_at = NULL WHERE name = 'us'")
    n.lab.admin("eu", "cache", "wait", check=False)
    n.rest(1000)


# What was read from the database before a change comes to memcached after it.
LATE_FILLS = {"us/s3": {"ANVIL_FAULT_POINTS": "fill_before_set=25%:50-400"}}

SLOWLY = {"metadata_trust_ms": 1000, "metadata_ack_ms": 1300}

SCENARIOS = [
    Scenario("stamp", "Whatever lies in memcached is believed.", nothing, quick=True),
    Scenario("beats", "A region that is cut off believes its cache for ever; writers wait no longer than W.", alone, quick=True),
    Scenario("ask_source", "Beats go on in a region that is cut off.", alone, quick=True),
    Scenario("ack_wait", "A writer is done before other regions know.", deaf, quick=True),
    Scenario("ack_wait_length", "A writer is done while a region that is cut off still trusts.", briefly_alone, quick=True),
    Scenario("ack_applied", "A region says that it knows while its stamps do not.", slow_memcached, points="apply_before_read=50%:100-400", quick=True),
    Scenario("two_beats", "A beat whose answer is old is trusted, since the one before it was seen just now.", hanging, via=("eu", "ap"), kinds=["policy"] * 5 + ["rights"],
             env={"us/inv0": {"ANVIL_FAULT_POINTS": "beat_after_ask=50%:1400-2600"}}, seconds=120),
    Scenario("ask_after_read", "Answers that are older than the page that they stamp: two of them make an old beat a young one.", hanging, via=("eu", "ap"), kinds=["policy"] * 5 + ["rights"],
             env={"us/inv*": {"ANVIL_FAULT_POINTS": "beat_after_read=100%:2000-3000"}}, invalidators=2, settings=SLOWLY, well=("eu", "ap"), seconds=180),
    Scenario("same_beat", "Two invalidators that read the same beat write two: a page seems younger than its answers.", hanging, via=("eu", "ap"), kinds=["policy"] * 5 + ["rights"],
             env={"us/inv*": {"ANVIL_FAULT_POINTS": "beat_after_ask=100%:2000-3000"}}, invalidators=2, settings=SLOWLY, well=("eu", "ap"), seconds=180),
    Scenario("cas", "One invalidator writes a page as it read it, and what another told it meanwhile is gone.", nothing,
             env={"us/inv1": {"ANVIL_FAULT_POINTS": "beat_before_cas=30%:20-120"}, **LATE_FILLS}, invalidators=2, seconds=90),
    Scenario("page_id", "A page that was lost and made anew passes for the old one, and has forgotten its stamps.", evict,
             env={"us/inv*": {"ANVIL_FAULT_POINTS": "beat_after_read=60%:60-250"}, **LATE_FILLS}, seconds=90),
    Scenario("cas_connection", "An id of CAS from before memcached's restart fits another page by chance.", reborn, via=("eu", "ap"),
             kinds=["policy"] * 6, env={"us/inv1": {"ANVIL_FAULT_POINTS": "beat_before_read=100%:400,beat_before_pages=40%:6000"}}, invalidators=2, seconds=300,
             settings={"metadata_trust_ms": 20000, "metadata_ack_ms": 22000, "us": {"metadata_beat_ms": 500}}),
    Scenario("epoch", "After a promotion that lost commits the old numbers are believed among the new.", lose, via=("eu", "ap"), standby="async", seconds=120),
    Scenario("leaving", "A region that nobody waits for trusts on.", leave, via=("eu", "ap"), kinds=["policy"] * 5 + ["rights"], seconds=90,
             settings={"metadata_trust_ms": 2000, "metadata_ack_ms": 2500}),
]
