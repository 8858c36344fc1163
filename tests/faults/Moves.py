#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A bucket goes from region to region while clients of all regions use it, and what carries it is killed, stopped and cut off: nothing
that was acknowledged is lost, and each move ends done or cancelled."""
import os
import random
import signal
import sys
import threading
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import *  # noqa: E402,F403

KEYS = 12          # of each writer
STILL = 20         # objects that nobody changes
LARGE = 30000      # bytes that are no row's
FREEZE = 5         # seconds; admin/move.c's
HOLD = 2           # seconds that a write waits; meta/moving.c's


def lab():
    # Patient, so that a busy machine is not one of the faults; but a relay that hears nothing ends soon.
    return shared(relay_links=True, settings={"db_timeout_ms": 5000, "db_connect_timeout_s": 2, "cache_timeout_ms": 200, "relay_first_byte_ms": 8000,
                                              "metadata_trust_ms": 1200, "metadata_ack_ms": 1600})


def body_of(key, n, large):
    return (b"%s %d " % (key.encode(), n)) * (LARGE // 10 if large else 1)


class Nomad:
    """The bucket, those who use it, and what they were told."""
    more_readers = 0  # in ap

    def __init__(self, lab, home):
        self.lab, self.home, self.name = lab, home, name_of_bucket()
        self.over, self.wrong = threading.Event(), []
        self.last = {}     # key: what it may be: the last that was acknowledged, first, and what was not since
        self.writes, self.reads, self.none = 0, {}, 0
        status(create(self.name, home), 200)
        self.still = {"still/%d" % i: body_of("still/%d" % i, i, i % 2) for i in range(STILL)}
        for k, b in self.still.items():
            status(S3(home).put(self.name, k, b), 200)
        self.threads = [threading.Thread(target=f, args=(r,)) for r in anvil.REGIONS for f in (self.write, self.read)]
        self.threads += [threading.Thread(target=self.read, args=(AP,)) for _ in range(self.more_readers)]
        for t in self.threads:
            t.start()

    def attempt(self, via, method, key, body=b""):
        """The answer, when it is one: what a web server says whose worker was killed is none."""
        a = attempt(S3(via, timeout=60).request, method, self.name, key, body=body)
        if a is not None and a.status < 500:
            return a
        self.none += 1
        time.sleep(0.05)
        return None

    def write(self, via):
        """Each key has one writer; when it does not know what came of a write, it takes another key: what is late is not mistaken for what is last."""
        who, n, life = "%s%d" % (via.name, random.randrange(1000)), 0, [0] * KEYS
        while not self.over.is_set():
            n += 1
            slot = n % KEYS
            key, delete = "%s/%d-%d" % (who, slot, life[slot]), n % 5 == 4
            body = None if delete else body_of(key, n, n % 3 == 0)
            self.last.setdefault(key, [None]).append(body)
            a = self.attempt(via, "DELETE" if delete else "PUT", key, body or b"")
            if a is None:
                life[slot] += 1
                continue
            if a.status != (204 if delete else 200):
                self.wrong.append(a)
                return
            self.last[key] = [body]
            self.writes += 1
            self.check(random.choice(anvil.REGIONS), key, [body])
            time.sleep(0.03)

    def check(self, via, key, may):
        a = self.attempt(via, "GET", key)
        if a is None:
            return
        self.reads[via.name] = self.reads.get(via.name, 0) + 1
        if not (a.body in may if a.status == 200 else a.status == 404 and None in may):
            self.wrong.append("%s: %r, %d bytes, but not %s" % (key, a, len(a.body), [b and len(b) for b in may]))

    def read(self, via):
        while not self.over.is_set():
            key = random.choice(list(self.still))
            self.check(via, key, [self.still[key]])
            time.sleep(0.02)

    def used(self, n=10):
        """Every region serves, and takes writes."""
        writes, reads = self.writes, dict(self.reads)
        until("it is read and written", lambda: self.wrong or (self.writes > writes + n and all(self.reads.get(r, 0) > reads.get(r, 0) + 2 for r in self.lab.names)), 60)
        eq("wrong answers", self.wrong[:3], [])

    # ---- moves ----

    def mover(self, to, points=""):
        self.lab["%s/s3" % to.name].wait()  # anvil-admin works beside them, as their user
        return subprocess.Popen([self.lab.binary("anvil-admin"), "-c", os.path.join(self.lab.dir, to.name, "anvil.conf"), "bucket", "move", self.name, to.name],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/", start_new_session=True,
                                env={"PATH": os.environ["PATH"], "HOME": self.lab.dir, "LANG": "C.UTF-8", "ANVIL_FAULT_POINTS": points}, **self.lab.user)

    def state(self):
        p = self.lab.psql("SELECT state FROM bucket_moves WHERE bucket = '%s' ORDER BY started_at DESC LIMIT 1" % self.name, check=False)
        return p.out.strip() if p.returncode == 0 else ""

    def move(self, to, points, when, fault):
        """One move; `fault` comes when the move is at `when`: a state, or "apply", the first rows are about to be put in place."""
        p = self.mover(to, points)
        try:
            if when == "apply":
                moving = "SELECT 1 FROM bucket_moving WHERE state = 'in' AND bucket_id = '%s'" % self.lab.psql("SELECT id FROM buckets WHERE name = '%s'" % self.name)
                until("rows come", lambda: self.lab.psql(moving, to.name + "/pg", check=False).out.strip() == "1" or p.poll() is not None, 20)
            elif when:
                until("it is %s" % when, lambda: self.state() == when or p.poll() is not None, 20)
            if p.poll() is not None and p.returncode >= 0:
                fail("the move ended before its fault: %s" % p.stdout.read())
            fault(p)
            out = p.communicate(timeout=60)[0].decode("utf-8", "replace")
        finally:
            if p.poll() is None:
                p.kill()
        self.lab.mend()
        if p.returncode != 0:
            self.again(to, out)
        self.arrived(to)

    def again(self, to, out):
        """As an operator does who sees it fail: once more, when all is well again."""
        p = self.mover(to)
        said = p.communicate(timeout=60)[0].decode("utf-8", "replace")
        ok("run again, it ends: %s; before: %s" % (said, out[-300:]), p.returncode == 0 or "at home in region \"%s\" already" % to.name in said)

    def arrived(self, to):
        self.home = to
        eq("the move's end", self.state(), "done")
        for r in anvil.REGIONS:
            eq("%s: home" % r, home_seen(r, self.name), to.name)
        self.used()

    # ---- the end ----

    def listed(self):
        keys, token = [], {}
        while True:
            page = S3(self.home).list(self.name, encoding_type="url", **token)
            keys += [e.text for e in page.xml.findall("Contents/Key")]
            if page.text("IsTruncated") != "true":
                return [urllib.parse.unquote(k) for k in keys]
            token = {"continuation_token": page.text("NextContinuationToken")}

    def settled(self):
        """Nobody uses it any more: all that was acknowledged is there, once, and only where it is at home."""
        self.over.set()
        for t in self.threads:
            t.join(90)
        eq("wrong answers", self.wrong[:3], [])
        keys = self.listed()
        eq("keys listed twice", len(keys), len(set(keys)))
        for key, may in list(self.last.items()) + [(k, [b]) for k, b in self.still.items()]:
            if key not in keys:
                ok("%s may be gone" % key, None in may)
                continue
            a = S3(self.home).get(self.name, key)
            ok("%s is one of what it may be: %r" % (key, a), a.status == 200 and a.body in may)
        ok("nobody else's keys", set(keys) <= set(self.last) | set(self.still))
        for r in self.lab.names:
            self.lab.admin(r, "maintain")  # what nobody had asked for is gone from now
            self.lab.psql("UPDATE bucket_moving SET since = since - interval '1 day' WHERE state = 'gone'", r + "/pg")
            self.lab.admin(r, "maintain")
            eq("%s: moves that are not over" % r, self.lab.psql("SELECT state FROM bucket_moving", r + "/pg"), "")
        nothing_misplaced(self.lab)
        for k in list(self.still)[:4]:
            eq("read after maintain", S3(AP).get(self.name, k).body, self.still[k])

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.over.set()
        for t in self.threads:
            t.join(90)


def other(region):
    return US if region is EU else EU


def wander(the, faults, points, when):
    """A move for each of the faults, there and back; a fault is given the lab, from where to where, and who moves it."""
    with Nomad(the, EU) as nomad:
        nomad.used()
        for fault in faults:
            source, target = nomad.home.name, other(nomad.home).name
            nomad.move(other(nomad.home), points, when, lambda p, fault=fault, s=source, t=target: fault(the, s, t, p))
        nomad.settled()


class Strict(Nomad):
    """Nothing is broken: whoever asks gets an answer, and only a write may be told to come back, and only for a hand-over."""
    more_readers = 3
    WATCH = """CREATE SCHEMA watch
        CREATE TABLE states (bucket text, state text, at double precision DEFAULT extract(epoch FROM clock_timestamp()), n bigint GENERATED ALWAYS AS IDENTITY);
        CREATE FUNCTION watch.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
            INSERT INTO watch.states (bucket, state) VALUES (NEW.bucket, NEW.state); RETURN NULL; END $$;
        CREATE TRIGGER watch AFTER UPDATE ON bucket_moves FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION watch.note()"""
    UNWATCH = "DROP TRIGGER IF EXISTS watch ON bucket_moves; DROP SCHEMA IF EXISTS watch CASCADE"

    def __init__(self, lab, home):
        self.told = []  # when a write was asked, when it was told to come back, and what
        lab.psql(self.UNWATCH)
        lab.psql(self.WATCH)
        super().__init__(lab, home)

    def attempt(self, via, method, key, body=b""):
        asked = time.time()
        a = S3(via, timeout=60).request(method, self.name, key, body=body)
        if a.status < 500:
            return a
        self.none += 1
        self.told.append((asked, time.time(), a))
        if method == "GET" or a.code != "SlowDown" or a.get("Retry-After") is None:
            self.wrong.append(a)
        return None

    def pauses(self):
        """(frozen, switched or None, over) of each hand-over, as the rows of the moves had it."""
        out, frozen, switched = [], None, None
        for line in self.lab.psql("SELECT state, at FROM watch.states WHERE bucket = '%s' ORDER BY n" % self.name).splitlines():
            state, at = line.split("|")[0], float(line.split("|")[1])
            if state == "frozen":
                frozen, switched = at, None
            elif state == "switched":
                switched = at
            else:
                out.append((frozen, switched, at))
        return out

    def refusals(self):
        """Each was asked before the end of a pause and told after its beginning: for it waited as long as is promised, or the bucket went away meanwhile."""
        pauses = self.pauses()
        ok("there were hand-overs", any(p[1] for p in pauses), pauses)
        for asked, told, a in self.told:
            why = [p for p in pauses if asked < p[2] and told > p[0] and (told - asked >= HOLD or p[1] is not None and told > p[1])]
            ok("%r, asked at %.3f, told at %.3f, in a pause: %s" % (a, asked, told, pauses), why)

    def settled(self):
        super().settled()
        self.refusals()

    def __exit__(self, *how):
        super().__exit__(*how)
        self.lab.psql(self.UNWATCH, check=False)


def relays(lab, region, route):
    """Requests that the region has routed so."""
    with open(lab.log(region + "/s3"), errors="replace") as f:
        return sum(" route=%s " % route in line for line in f)


def test_third_region():
    """Moves back and forth, of which one region or the other hears late: clients of all regions read on, and each waits for its writes at most."""
    the = lab()
    with Strict(the, EU) as nomad:
        nomad.used()
        moves = on = 0
        while moves < 3 or (on == 0 and moves < 12):  # whether somebody asks just then is chance
            to = other(nomad.home)
            name = ("ap", to.name, nomad.home.name)[moves % 3]
            with the.link("%s/inv*>*/inv*" % name).delay(200), the.link("*/inv*>%s/inv*" % name).delay(200), the.link("%s/inv*>pg" % name).delay(100):
                p = nomad.mover(to)
                out = p.communicate(timeout=60)[0].decode("utf-8", "replace")
                eq("%s hears late: %s" % (name, out), p.returncode, 0)
            nomad.arrived(to)
            moves += 1
            on = sum(relays(the, r, "relay_on") for r in the.names)
        nomad.settled()
        ok("relays came to the old home, and were passed on", on > 0)
        eq("and came home", sum(relays(the, r, "loop") for r in the.names), 0)
        print("   %d moves, writes paused for %s s, %d writes, %s reads, %d writes were told to come back, %d relays passed on" % (
            moves, ", ".join("%.2f" % (p[2] - p[0]) for p in nomad.pauses()), nomad.writes, nomad.reads, nomad.none, on))


def restarts(*parts):
    """kill -9 of each, one after the other; "s" is where the bucket comes from, "t" where it goes to."""
    return lambda the, s, t, p: [the["%s/%s" % (s if x[0] == "s" else t, x[2:])].restart() for x in parts]


EITHER_SIDE = restarts("s/s3", "t/inv0", "t/mc0"), restarts("t/s3", "s/inv0", "s/mc0")


def test_parts_restarted_in_the_copy():
    """Workers, invalidators and memcached of either side are killed while rows and bytes are copied."""
    wander(lab(), EITHER_SIDE, "move_before_apply=100%:300", "apply")


def test_parts_restarted_in_the_hand_over():
    """The same while writers wait, so that the hand-over has to do without, or is put off."""
    wander(lab(), EITHER_SIDE, "move_frozen=100%:300", "frozen")


def hold(the, part, seconds):
    the[part].pause()
    time.sleep(seconds)
    the[part].resume()


def hold_mover(p, seconds):
    p.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    p.send_signal(signal.SIGCONT)


def cut(the, s, t, seconds):
    links = [the.link(x) for x in ("relay>%s/web" % s, "relay>%s/web" % t, "%s/inv*>%s/inv*" % (s, t), "%s/inv*>%s/inv*" % (t, s))]
    for x in links:
        x.cut()
    time.sleep(seconds)
    for x in links:
        x.heal()


def test_stopped_and_cut_off_in_the_hand_over():
    """The source's workers or the mover stand still, and the regions lose each other, some for longer than a freeze is good for."""
    wander(lab(), (
        lambda the, s, t, p: hold(the, s + "/s3", 1.5),
        lambda the, s, t, p: cut(the, s, t, FREEZE + 0.5),
        lambda the, s, t, p: hold_mover(p, FREEZE + 0.5),
    ), "move_frozen=100%:300", "frozen")


def test_databases_restarted():
    """Either side's database dies, in the copy or the hand-over, and the global one."""
    the = lab()
    with Nomad(the, EU) as nomad:
        nomad.used()
        for point, when, whose in (("move_before_apply", "apply", "target"), ("move_frozen", "frozen", "source"), ("move_frozen", "frozen", "global")):
            to = other(nomad.home)
            part = {"source": nomad.home.name + "/pg", "target": to.name + "/pg", "global": "pg"}[whose]
            nomad.move(to, point + "=100%:300", when, lambda p: the[part].restart())
        nomad.settled()


STEPS = ("move_frozen", "write_after_commit", "move_before_open", "move_before_tell")


def test_mover_killed_at_each_step():
    """kill -9 of the mover: run again it ends, or it is cancelled and the bucket stays; nobody waits for it for ever."""
    the = lab()
    with Nomad(the, EU) as nomad:
        nomad.used()
        for step in STEPS:
            to = other(nomad.home)
            p = nomad.mover(to, step + "=100%:kill")
            out = p.communicate(timeout=60)[0]
            eq("killed at %s: %s" % (step, out), p.returncode, -9)
            nomad.used(2)  # those who wait get on without it
            if step == STEPS[0]:
                the.admin(to.name, "bucket", "move", nomad.name, "--cancel")
                eq("%s: cancelled" % step, (nomad.state(), home_seen(AP, nomad.name)), ("cancelled", nomad.home.name))
                nomad.used(2)
            nomad.again(to, "killed at " + step)
            nomad.arrived(to)
        nomad.settled()


if __name__ == "__main__":
    main()
