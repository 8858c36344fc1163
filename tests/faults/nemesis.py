# SPDX-License-Identifier: Apache-2.0
"""Who breaks things in tests/faults/consistency.

Each method of Nemesis breaks one thing and mends it. schedule() draws from a seed which
are called when, with which arguments: the same seed gives the same schedule, and a run
prints it. How far the system had come at that time is, of course, its own affair."""
import os
import random
import re
import socket
import subprocess
import threading
import time

from checker import now_us
from lab import SOURCE, Failed

PREFIX = re.search(r'#define PREFIX "(.*)"', open(os.path.join(SOURCE, "meta/cache_key.c")).read()).group(1)


def to_memcached(port, data, answers=0, end=b""):
    with socket.create_connection(("127.0.0.1", port), 2) as s:
        s.sendall(data)
        got = b""
        while got.count(b"\r\n") < answers or not got.endswith(end):
            more = s.recv(65536)
            if not more:
                break
            got += more
        return got


class Nemesis:
    def __init__(self, lab, world, checker, seed):
        self.lab, self.world, self.checker, self.seed = lab, world, checker, seed
        self.stop = threading.Event()
        self.counts, self.trouble = {}, []
        self.heavy = threading.Lock()  # the primary is one: who kills, pauses or replaces it does so alone

    def rest(self, ms):
        self.stop.wait(ms / 1000)

    def do(self, name, *args):
        self.counts[name] = self.counts.get(name, 0) + 1
        try:
            getattr(self, name)(*args)
        except (Failed, OSError, subprocess.SubprocessError) as e:
            self.trouble.append("%s%r: %s" % (name, args, str(e)[:300]))

    # ---- programs ----

    def kill(self, part, down_ms):
        p = self.lab[part]
        p.kill()
        self.rest(down_ms)
        p.start()

    def pause(self, part, ms):
        p = self.lab[part]
        p.pause()
        self.rest(ms)
        p.resume()

    def kill_primary(self, down_ms):
        with self.heavy:
            self.kill(self.lab.primary, down_ms)

    def pause_primary(self, ms):
        with self.heavy:
            self.pause(self.lab.primary, ms)

    def _worker(self, region, rank):
        pids = self.lab.workers(region)
        return pids[rank % len(pids)] if pids else None

    def kill_worker(self, region, rank):
        pid = self._worker(region, rank)
        if pid:
            self.lab[region + "/s3"].signal(9, [pid])

    def pause_worker(self, region, rank, ms):
        pid = self._worker(region, rank)
        if pid:
            self.lab[region + "/s3"].signal(19, [pid])
            self.rest(ms)
            self.lab[region + "/s3"].signal(18, [pid])

    # ---- links ----

    def link(self, pattern, mode, ms, arg=None):
        link = self.lab.link(pattern)
        getattr(link, mode)(*(() if arg is None else arg if isinstance(arg, tuple) else (arg,)))
        self.rest(ms)
        link.heal()

    # ---- memcached ----

    def _port(self, region):
        return self.lab.ports[region + "/mc0"]

    def flush(self, region):
        to_memcached(self._port(region), b"flush_all\r\n", 1)

    def evict(self, region, pages):
        """As memory pressure does: stamp pages go, values stay."""
        for p in pages:
            to_memcached(self._port(region), ("delete %s%s:P%02x\r\n" % (PREFIX, region, p)).encode(), 1)

    def _pages(self, region, at, length):
        """Some bytes of each stamp page that is there, as meta/stamp.c has them."""
        keys = ["%s%s:P%02x" % (PREFIX, region, p) for p in range(16)]
        got = to_memcached(self._port(region), ("get %s\r\n" % " ".join(keys)).encode(), end=b"END\r\n")
        return {m.group(1): m.group(2) for m in re.finditer(rb"VALUE \S+:(P..) \d+ \d+\r\n.{%d}(.{%d})" % (at, length), got, re.S)}

    def page_ids(self, region):
        return self._pages(region, 4, 16)

    def page_beats(self, region):
        return self._pages(region, 44, 8)

    def junk(self, region, items, size):
        """Memory pressure: what is old goes."""
        word = "%x" % now_us()
        batch = b"".join(b"set junk%s%d 0 0 %d noreply\r\n%s\r\n" % (word.encode(), i, size, b"x" * size) for i in range(items))
        to_memcached(self._port(region), batch + b"mn\r\n", 1)

    def values(self, region):
        """What memcached holds of buckets and keys, as commands that would store it again: fills that arrive late."""
        port, out = self._port(region), []
        listing = to_memcached(port, b"lru_crawler metadump all\r\n", end=b"END\r\n").decode()
        for key in re.findall(r"key=(\S+)", listing):
            key = key.replace("%3A", ":")
            if key.startswith("%s%s:" % (PREFIX, region)) and key[len(PREFIX) + len(region) + 1].islower():
                got = to_memcached(port, ("get %s\r\n" % key).encode(), end=b"END\r\n")
                head, _, rest = got.partition(b"\r\n")
                if head.startswith(b"VALUE "):
                    out.append(b"set %s %s 0 %s noreply\r\n" % tuple(head.split()[1:4]) + rest[:-5])
        return out

    def put_values(self, region, values):
        to_memcached(self._port(region), b"".join(values) + b"mn\r\n", 1)

    def swap(self, region, ms):
        """Another server at the address for a while, and the first one again."""
        self.lab.swap(region, "spare")
        self.rest(ms)
        self.lab.swap(region, "mc0")

    # ---- the global database ----

    def flood(self, commits, rows):
        self.lab.psql("INSERT INTO apps (access_key, name, tenant_id, sealed_secret) SELECT 'flood' || i, 'flood', t.id, decode(repeat('00', 40), 'hex') "
                      "FROM generate_series(1, 500) i, tenants t WHERE t.name = 'other' ON CONFLICT DO NOTHING", timeout=10)
        self.lab.psql("DO $$ BEGIN FOR i IN 1 .. %d LOOP UPDATE apps SET name = 'flood ' || i WHERE access_key IN (SELECT 'flood' || (1 + (i * 7 + j) %% 500) FROM generate_series(1, %d) j); COMMIT; END LOOP; END $$" % (commits, rows), timeout=20)

    def restored(self, region):
        """A new epoch, as after a restore."""
        self.lab.admin(region, "db", "restored", "--yes", check=False, timeout=10)

    def promote(self, lossy_ms, commits=0, refused=None):
        """The standby takes over; what was committed in the last lossy_ms, and so many commits more, is lost, which counts as a write (checker.py).
        refused: a link that lets nobody through from the old primary's end on; who calls heals it."""
        lab, world = self.lab, self.world
        with self.heavy:
            old, new = lab.primary, "pg2" if lab.primary == "pg" else "pg"
            link = lab.link("%s>%s" % (new, old))
            if lossy_ms:
                link.cut()
                if commits:
                    self.flood(commits, 1)
                self.rest(lossy_ms)
            world.gate.close()
            try:
                if not lossy_ms:
                    self._caught_up(10)
                self.checker.barrier = now_us()
                if refused:
                    lab.link(refused).refuse()
                resets = [(t, t.register.begin(None, "promotion")) for t in list(world.things)]
                lab.promote()
                link.heal()
                for t, w in resets:
                    w.value = t.now()
                    if w.value is None:
                        t.register.give_up(w, t.values)
                self.checker.barrier = None
                self._told()
                for t, w in resets:
                    if not w.failed:
                        t.register.done(w)
            finally:
                world.gate.open()
            lab.make_standby()

    def _caught_up(self, seconds):
        end = time.monotonic() + seconds
        lsn = self.lab.psql("SELECT pg_current_wal_lsn()")
        while self.lab.psql("SELECT coalesce(bool_or(replay_lsn >= '%s'), false) FROM pg_stat_replication" % lsn) != "t":
            if time.monotonic() > end:
                raise Failed("the standby does not catch up")
            time.sleep(0.05)

    def _told(self):
        for _ in range(30):
            for r in self.lab.names:
                if self.lab.admin(r, "cache", "wait", check=False, timeout=10).returncode == 0:
                    return
            time.sleep(0.2)
        raise Failed("cache wait does not succeed after the promotion")

    # ---- clocks ----

    def clock(self, part, step_ms, ms):
        self.lab.clock(part, step_ms)
        self.rest(ms)
        self.lab.clock(part, 0)

    # ---- a schedule ----

    def run(self, tracks):
        """Each track is a list of (pause before it in ms, name, arguments), one after the other."""
        def follow(track):
            for wait_ms, name, args in track:
                self.rest(wait_ms)
                if self.stop.is_set():
                    return
                self.do(name, *args)

        self.threads = [threading.Thread(target=follow, args=(t,), daemon=True) for t in tracks]
        for t in self.threads:
            t.start()

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join(60)


def schedule(seed, seconds, regions, invalidators=2, standby=True):
    """Two tracks: of one region and its links; of what all have in common."""
    rng = random.Random("nemesis %s" % seed)
    inv = ["inv%d" % i for i in range(invalidators)]

    def of_region():
        r, other = rng.sample(regions, 2)
        ms = rng.choice((100, 300, 700, 1200, 2500))
        link = rng.choice(("%s/*>pg" % r, "%s/s3>pg" % r, "%s/inv>pg" % r, "%s/*>mc*" % r, "%s/s3>mc*" % r, "%s/inv>mc*" % r, "%s/inv*>%s/inv*" % (r, other),
                           "%s/inv*>*/inv*" % r, "*>%s/inv*" % r, "%s/inv*>*" % r, "%s/*>*" % r))
        return rng.choice((
            lambda: ("kill", ("%s/%s" % (r, rng.choice(inv)), ms)), lambda: ("kill", ("%s/mc0" % r, rng.choice((0, ms)))),
            lambda: ("kill", ("%s/s3" % r, rng.choice((0, 200)))), lambda: ("kill", ("%s/pg" % r, rng.choice((0, 500)))),
            lambda: ("kill_worker", (r, rng.randrange(8))), lambda: ("pause_worker", (r, rng.randrange(8), ms)),
            lambda: ("pause", ("%s/%s" % (r, rng.choice(inv)), ms)), lambda: ("pause", ("%s/mc0" % r, ms)), lambda: ("pause", ("%s/s3" % r, ms)),
            lambda: ("link", (link, "cut", ms)), lambda: ("link", (link, "stall", ms, rng.choice(("there", "back", "both")))),
            lambda: ("link", (link, "refuse", ms)), lambda: ("link", (link, "delay", ms, (rng.choice((5, 30, 80, 250, 700)), rng.choice(("there", "back", "both"))))),
            lambda: ("link", (link, "delay", ms, (rng.choice((5, 30, 80, 250, 700)), rng.choice(("there", "back", "both"))))),
            lambda: ("flush", (r,)), lambda: ("evict", (r, sorted(rng.sample(range(16), rng.choice((1, 4, 16)))))), lambda: ("junk", (r, 4000, rng.choice((100, 500, 600, 900)))),
            lambda: ("swap", (r, rng.choice((300, 1500)))), lambda: ("clock", ("%s/%s" % (r, rng.choice(inv + ["s3"])), rng.choice((-300000, -2000, 2000, 300000)), 2 * ms)),
        ))()

    def of_all():
        return rng.choice((
            lambda: ("kill_primary", (rng.choice((0, 300, 1500)),)), lambda: ("pause_primary", (rng.choice((200, 900, 2000)),)),
            lambda: ("flood", (rng.choice((50, 300)), rng.choice((1, 20)))), lambda: ("flood", (3, 400)), lambda: ("restored", (rng.choice(regions),)),
            lambda: ("link", ("*>pg", "delay", rng.choice((300, 1500)), (rng.choice((20, 80, 200)), "both"))),
            lambda: ("promote", (rng.choice((0, 1500)),)) if standby else ("restored", (rng.choice(regions),)),
        ))()

    tracks = []
    for draw, least, most in ((of_region, 100, 1500), (of_region, 300, 3000), (of_all, 2000, 9000)):
        track, at = [], 0
        while at < seconds * 1000:
            wait = rng.randint(least, most)
            name, args = draw()
            track.append((wait, name, args))
            at += wait + 200
        tracks.append(track)
    return tracks
