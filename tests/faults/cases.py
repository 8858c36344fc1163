# SPDX-License-Identifier: Apache-2.0
"""What the directed fault tests share: one lab a file, programs that die at a given
step, and a watch that changes metadata and reads it in every region while something
is broken, and then tells each read that no order of the changes explains."""
import random
import threading

from lab import *  # noqa: F403
from lab import Lab, Region, S3, SOURCE, anvil, eq, fail, ok, os, secrets, status, subprocess, sys, time, until  # noqa: F401

_shared = {}


def shared(**how):
    """The lab of this file's tests, well: the first one starts it. Another `how` needs another lab."""
    if _shared.get("how") != how:
        end(True)
        _shared.update(how=how, lab=Lab(**how).__enter__())
    _shared["lab"].mend()
    return _shared["lab"]


def end(well):
    lab = _shared.pop("lab", None)
    _shared.clear()
    if lab is not None:
        lab.stop(well)


def main():
    try:
        anvil.main()
    except SystemExit as e:
        end(e.code == 0)
        raise


# ---- programs ----

def points(lab, part, text=""):
    """The part starts anew with these fault points; "" is none."""
    p = lab[part]
    if p.env.get("ANVIL_FAULT_POINTS", "") == text:
        return
    p.env["ANVIL_FAULT_POINTS"] = text
    p.restart()


def admin_dies(lab, region, point, *args):
    """anvil-admin, killed when it comes to the point."""
    p = subprocess.run([lab.binary("anvil-admin"), "-c", os.path.join(lab.dir, region, "anvil.conf"), *args], stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/", timeout=60,
                       env={"PATH": os.environ["PATH"], "HOME": lab.dir, "LANG": "C.UTF-8", "ANVIL_FAULT_POINTS": point + "=100%:kill"}, **lab.user)
    eq("anvil-admin %s is killed at %s" % (" ".join(args), point), (p.returncode, p.stdout), (-9, b""))


def name_of_bucket():
    return "t-" + secrets.token_hex(8)


def create(name, home, via=None, s3=None, now=None):
    """CreateBucket, whatever comes of it."""
    body = b"<CreateBucketConfiguration><LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>" % home.name.encode()
    return (s3 or S3()).at(via or home).request("PUT", name, body=body, now=now)


def attempt(fn, *args, **kw):
    """The answer; None when there was none."""
    try:
        return fn(*args, **kw)
    except (OSError, anvil.http.client.HTTPException):
        return None


def in_threads(fns):
    """All at once; their results."""
    out, start = [None] * len(fns), threading.Barrier(len(fns))

    def one(i, fn):
        start.wait()
        try:
            out[i] = fn()
        except BaseException as e:
            out[i] = e

    threads = [threading.Thread(target=one, args=x) for x in enumerate(fns)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for x in out:
        if isinstance(x, BaseException):
            raise x
    return out


# ---- what must hold ----

def trusted(region):
    return health(region).get("cache_trusted")


def nothing_misplaced(lab):
    """No row of a regional database is of a bucket that is not at home there, or of none."""
    home = dict(x.split("|") for x in lab.psql("SELECT id, region FROM buckets").splitlines())
    for r in lab.names:
        for table in ("objects", "uploads", "parts"):
            for row in lab.psql("SELECT bucket_id, count(*) FROM %s GROUP BY 1" % table, r + "/pg").splitlines():
                eq("%s: rows in %s of bucket %s: its home" % (r, table, row), home.get(row.split("|")[0], "it is no more"), r)


def home_seen(region, name, now=None):
    """Where the bucket is at home, as the region says; None when it says that there is no such bucket, "refused" when it does not say."""
    a = attempt(S3(region, timeout=30).request, "HEAD", name, now=now)
    if a is not None and a.status in (200, 301, 307):
        return a.get("x-amz-bucket-region")
    return None if a is not None and a.status == 404 else "refused"


def changes_are_seen(lab, homes=None, **kw):
    """A change by each means and in each region: acknowledged, it is seen in every region by the next request."""
    regions = [lab.region(r) for r in lab.names]
    lab.wait_database(lab.names)
    for via in homes or regions:
        name = name_of_bucket()
        for r in regions:
            eq("%s: before" % r, home_seen(r, name), None)
        status(create(name, via, **kw), 200)
        for r in regions:
            eq("%s: made by %s" % (r, via), home_seen(r, name), via.name)
        status(S3(via).request("DELETE", name), 204)
        for r in regions:
            eq("%s: deleted by %s" % (r, via), home_seen(r, name), None)


class Thing:
    """Something that is changed by one thread and read by others."""
    pace = 0.1  # seconds between two changes, at most

    def __init__(self, state):
        self.changes = [(0, 0, state, True)]  # begun, ended, state, did it surely happen?
        self.seen = []                        # reads, as Watch's

    def permitted(self, begun, ended):
        out = set()
        for b, e, state, sure in reversed(self.changes):
            if b <= ended:
                out.add(state)
                if sure and e <= begun:
                    return out
        return out


class BucketName(Thing):
    def __init__(self, home):
        super().__init__(None)
        self.name, self.home = name_of_bucket(), home

    def change(self, now):
        make = self.changes[-1][2] is None or not self.changes[-1][3]
        via = random.choice(anvil.REGIONS) if make else self.home  # made by any region, ended by its own
        begun = time.monotonic()
        if make:
            a = attempt(create, self.name, self.home, via, S3(via, timeout=30), now(via))
        else:
            a = attempt(S3(via, timeout=30).request, "DELETE", self.name, now=now(via))
        if a is not None and a.status == 404:  # what an earlier change came to was not known
            self.seen.append((self, self.home.name, begun, time.monotonic(), None))
            return
        sure = a is not None and (a.status in (200, 204) or a.code == "BucketAlreadyOwnedByYou")
        self.changes.append((begun, time.monotonic() if sure else float("inf"), self.home.name if make else None, sure))

    def read(self, region, now=None):
        return home_seen(region, self.name, now)

    def end(self):
        attempt(S3(self.home).request, "DELETE", self.name)


class Key(Thing):
    """An access key, disabled and enabled with psql; `cache wait` is what acknowledges."""
    pace = 0.5

    def __init__(self, lab):
        super().__init__(True)
        self.lab, self.key = lab, "AKIA" + secrets.token_hex(8).upper()
        lab._file("secrets/watch", "watch-secret-0123456789-0123456789-0123456789\n")
        lab.admin(lab.names[0], "app", "create", "lab", self.key, "--import-key", self.key, "--import-secret-file", lab.dir + "/secrets/watch")
        self.names = {}
        for r in lab.names:
            self.names[r] = name_of_bucket()
            status(create(self.names[r], lab.region(r)), 200)

    def change(self, _, via=None):
        begun, to = time.monotonic(), not self.changes[-1][2]
        p = self.lab.psql("UPDATE apps SET enabled = %s WHERE access_key = '%s'" % (str(to).lower(), self.key), check=False)
        w = self.lab.admin(via or random.choice(self.lab.names), "cache", "wait", check=False) if p.returncode == 0 else p
        # Who waited W in vain may rely on it all the same.
        sure = w.returncode == 0 or "not every region said within" in w.out
        self.changes.append((begun, time.monotonic() if sure else float("inf"), to, sure))

    def read(self, region, now=None):
        a = attempt(S3(region, self.key, "watch-secret-0123456789-0123456789-0123456789", timeout=30).request, "GET", self.names[region.name], "none", now=now)
        if a and a.status == 403 and a.code == "RequestTimeTooSkewed":
            return "refused"  # this tells nothing of the key
        return {404: True, 403: False}.get(a.status if a else 0, "refused")

    def end(self):
        self.lab.admin(self.lab.names[0], "app", "delete", self.key, "--yes", check=False)
        for r, n in self.names.items():
            attempt(S3(self.lab.region(r)).request, "DELETE", n)


class Watch:
    """
    with Watch(lab): changes metadata and reads it everywhere meanwhile; at the end each read is checked.

    now   {region: function}: the clock of that region's requests
    enough   answers in every region before the fault, and changes
    """

    def __init__(self, lab, now=None, enough=30):
        regions = [lab.region(r) for r in lab.names]
        self.lab, self.enough = lab, enough
        self.now = lambda region: (now or {}).get(region.name, lambda: None)()
        self.things = [BucketName(r) for r in regions] + [Key(lab)]
        self.over, self.changing = threading.Event(), threading.Event()
        self.changing.set()
        self.busy = [threading.Lock() for _ in self.things]
        self.reads = []
        self.threads = [threading.Thread(target=self._change, args=x) for x in zip(self.things, self.busy)]
        self.threads += [threading.Thread(target=self._read, args=(r,)) for r in regions for _ in range(2)]

    def _change(self, thing, busy):
        while not self.over.is_set():
            with busy:
                if self.changing.is_set():
                    thing.change(self.now)
            self.over.wait(random.random() * thing.pace)

    def hold(self):
        """No change is under way, and none begins."""
        self.changing.clear()
        for busy in self.busy:
            with busy:
                pass

    def go_on(self):
        self.changing.set()

    def _read(self, region):
        while not self.over.is_set():
            thing = random.choice(self.things)
            begun = time.monotonic()
            came = thing.read(region, self.now(region))
            self.reads.append((thing, region.name, begun, time.monotonic(), came))
            self.over.wait(0.01)

    def answered(self, region=None):
        return sum(1 for r in list(self.reads) if r[4] != "refused" and region in (None, r[1]))

    def goes_on(self, n=30, seconds=60):
        """Some more reads are answered in every region, and each thing is changed."""
        before = {r: self.answered(r) for r in self.lab.names}
        sure = [self._sure(t) for t in self.things]
        until("every region answers, and changes are acknowledged", lambda: all(self.answered(r) >= before[r] + n for r in before) and
              all(self._sure(t) > s + 1 for t, s in zip(self.things, sure)), seconds)

    @staticmethod
    def _sure(thing):
        return sum(1 for c in list(thing.changes) if c[3])

    def __enter__(self):
        for t in self.threads:
            t.start()
        self.goes_on(self.enough)
        return self

    def __exit__(self, kind, *_):
        self.over.set()
        for t in self.threads:
            t.join(60)
        for t in self.things:
            t.end()
        stale = [r for r in self.reads + [x for t in self.things for x in t.seen] if r[4] != "refused" and r[4] not in r[0].permitted(r[2], r[3])]
        if stale:
            thing, region, begun, ended, came = stale[0]
            near = [c for c in thing.changes if c[1] > begun - 5 and c[0] < ended + 1]
            fail("%d of %d reads are stale; the first: %s of %s was %r in %s, read from %.3f to %.3f; its changes (begun, acknowledged, state, sure): %s" % (
                len(stale), len(self.reads), type(thing).__name__, vars(thing).get("name") or vars(thing).get("key"), came, region, begun, ended,
                ["%.3f %.3f %s %s" % c for c in near]))
