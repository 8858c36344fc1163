# SPDX-License-Identifier: Apache-2.0
"""Those who change metadata in tests/faults/consistency: by S3, by anvil-admin, and by
psql with `anvil-admin cache wait`. And what is read of each change.

A register's kind is a class below: how it is made, which ways there are to change it,
and the request that shows its state. A write of unknown outcome ends its register
(see checker.py); another is made in its place."""
import http.client
import json
import random
import subprocess
import threading
import time

from checker import ABSENT, NONE, OFF, ON, Register, letters
from lab import KEY, S3, SECRET, Failed, sigv4, until

TIMEOUT_S = 8


class Unknown(Exception):
    """Nobody knows whether it was done."""


class World:
    """The registers, their writers, and the readers."""

    def __init__(self, lab, checker, load, seed, kinds, pace_s, via=None):
        self.lab, self.checker, self.load, self.seed, self.pace_s = lab, checker, load, seed, pace_s
        self.kinds, self.via = kinds, via or lab.names
        self.next_id, self.lock = 0, threading.Lock()
        self.stop = threading.Event()
        self.gate = Gate()
        self.counts = {}
        self.things = []
        self.trouble = []

    def new_id(self):
        with self.lock:
            self.next_id += 1
            return self.next_id

    def count(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def make(self, kind, rng):
        """A new register of a kind: known to the checker first, then read."""
        thing = KINDS[kind](self, rng)
        thing.register = Register(self.new_id(), thing.shows, thing.name, thing.first)
        self.checker.add(thing.register)
        for i, r in enumerate(self.lab.names):
            self.load.say("target %d %d %s %s" % (thing.register.id, i, thing.method, thing.request(r)))
        return thing

    def _try(self, kind, rng):
        try:
            return self.make(kind, rng)
        except (Unknown, Failed, OSError, subprocess.SubprocessError, http.client.HTTPException) as e:
            self.count("no new %s yet" % kind)
            self.trouble.append(str(e)[:300])
            return None

    def start(self, writers):
        rng = random.Random("world %s" % self.seed)
        self.things = [until("a register of kind " + k, lambda k=k: self._try(k, rng), 60) for k in self.kinds]
        share = [self.things[i::writers] for i in range(writers)]
        self.threads = [threading.Thread(target=self._write, args=(i, share[i]), daemon=True) for i in range(writers) if share[i]]
        for t in self.threads:
            t.start()

    def _write(self, index, things):
        rng = random.Random("writer %s %d" % (self.seed, index))
        slots = list(things)
        while not self.stop.is_set():
            i = rng.randrange(len(slots))
            how, rest = rng.choice(slots[i].ways), rng.random() * self.pace_s * 2
            with self.gate:
                try:
                    slots[i] = self._one(slots[i], how, rng)
                except Exception as e:  # a writer that ends would leave its registers quiet, and the run would prove less
                    self.trouble.append("%s: %s" % (type(e).__name__, e))
                    self.count("trouble")
            self.stop.wait(rest)

    def _one(self, thing, how, rng):
        r = thing.register
        if r.uncertain:
            new = self._try(thing.kind, rng)
            if new is None:
                return thing
            self.load.say("drop %d" % r.id)
            with self.lock:
                self.things[self.things.index(thing)] = new
            return new
        value = thing.next_value(rng)
        via = rng.choice(self.via)
        w = r.begin(value, "%s via %s" % (how, via))
        try:
            getattr(thing, how)(value, via)
        except (Unknown, OSError, http.client.HTTPException, Failed) as e:
            r.failed(w, "%s: %s" % (type(e).__name__, str(e).split("\n")[0][:200]))
            self.count("unknown by " + how)
            return thing
        r.done(w)
        self.count("done by " + how)
        return thing

    # ---- ways ----

    def s3(self, via, method, bucket, expect, **kw):
        a = S3(self.lab.region(via), timeout=TIMEOUT_S).request(method, bucket, **kw)
        if a.status not in expect:
            raise Unknown("%s %d" % (method, a.status))
        return a

    def cli(self, via, *args):
        try:
            p = self.lab.admin(via, *args, check=False, timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise Unknown("anvil-admin %s: no answer" % args[0])
        if p.returncode != 0:
            raise Unknown("anvil-admin %s: %d %s" % (" ".join(args[:2]), p.returncode, p.out.strip()[:160]))

    def sql(self, via, sql):
        try:
            p = self.lab.psql(sql, check=False, timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise Unknown("psql: no answer")
        if p.returncode != 0:
            raise Unknown("psql: %s" % p.out.strip()[:160])
        try:
            self.cli(via, "cache", "wait")
        except Unknown as e:
            if "not every region said within" not in str(e):  # W has passed: that is as good for us, as it is for other writers
                raise


class Gate:
    """Writers pass; who closes it waits until none is inside."""

    def __init__(self):
        self.cond, self.inside, self.closed = threading.Condition(), 0, False

    def __enter__(self):
        with self.cond:
            while self.closed:
                self.cond.wait()
            self.inside += 1

    def __exit__(self, *_):
        with self.cond:
            self.inside -= 1
            self.cond.notify_all()

    def close(self):
        with self.cond:
            self.closed = True
            while self.inside:
                self.cond.wait()

    def open(self):
        with self.cond:
            self.closed = False
            self.cond.notify_all()


# ---- what is changed ----

class Thing:
    method = "HEAD"

    def __init__(self, world, rng):
        self.world, self.lab = world, world.lab
        self.rng = rng

    def presigned(self, region, bucket, key=KEY, secret=SECRET, query=None):
        r = self.lab.region(region)
        target = "/" + bucket + ("?" + query if query else "")
        # An hour old, so that no step of a clock makes it one of the future.
        return sigv4.presign(self.method, target, r.netloc, key, secret, r.name, 86400, time.time() - 3600)

    def insert_bucket(self, tenant, home):
        """Nobody has asked for the name before: there is nothing in a cache to be waited for."""
        self.lab.psql("INSERT INTO buckets (name, region, tenant_id) SELECT '%s', '%s', id FROM tenants WHERE name = '%s'" % (self.name, home, tenant), timeout=TIMEOUT_S)

    def word(self):
        return "%012x" % self.rng.getrandbits(48)


class Bucket(Thing):
    """Is there a bucket of this name, and where is its home?"""
    kind = shows = "bucket"
    ways = ("s3", "s3", "s3", "cli")
    first = ABSENT

    def __init__(self, world, rng):
        super().__init__(world, rng)
        self.name = "there-" + self.word()

    def request(self, region):
        return self.presigned(region, self.name)

    def next_value(self, rng):
        return letters(rng.choice(self.lab.names)) if self.register.value == ABSENT else ABSENT

    def home(self, value):
        return next(r for r in self.lab.names if letters(r) == value)

    def s3(self, value, via):
        if value == ABSENT:
            self.world.s3(via, "DELETE", self.name, (204,))
        else:
            self.world.s3(via, "PUT", self.name, (200,), body=b"<CreateBucketConfiguration><LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>" % self.home(value).encode())

    def cli(self, value, via):
        if value == ABSENT:
            self.world.cli(self.home(self.register.writes[-2].value), "bucket", "delete", self.name, "--yes")
        else:
            self.world.cli(via, "bucket", "create", self.name, "--tenant", "lab", "--region", self.home(value))

    def now(self):
        r = self.lab.psql("SELECT region FROM buckets WHERE name = '%s'" % self.name)
        return letters(r) if r else ABSENT


class Policy(Thing):
    """A bucket's policy, whose text has the number of its version."""
    kind = shows = "policy"
    method = "GET"
    ways = ("s3", "s3", "cli", "sql")
    first = NONE

    def __init__(self, world, rng):
        super().__init__(world, rng)
        self.name = "policy-" + self.word()
        self.version = 0
        self.insert_bucket("lab", rng.choice(self.lab.names))

    def request(self, region):
        return self.presigned(region, self.name, query="policy")

    def next_value(self, rng):
        self.version += 1
        return NONE if rng.random() < 0.1 and self.register.value != NONE else self.version

    def document(self, value):
        return json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "v%d" % value, "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject",
                                                                  "Resource": "arn:aws:s3:::%s/*" % self.name}]}, separators=(",", ":"))

    def s3(self, value, via):
        if value == NONE:
            self.world.s3(via, "DELETE", self.name, (204,), query="policy")
        else:
            self.world.s3(via, "PUT", self.name, (204,), query="policy", body=self.document(value).encode())

    def cli(self, value, via):
        if value == NONE:
            self.world.cli(via, "bucket", "policy", self.name, "--remove")
        else:
            f = self.lab._file("run/%s.json" % self.name, self.document(value))
            self.world.cli(via, "bucket", "policy", self.name, "--document", f)

    def sql(self, value, via):
        which = "(SELECT id FROM buckets WHERE name = '%s')" % self.name
        if value == NONE:
            self.world.sql(via, "DELETE FROM bucket_configs WHERE bucket_id = %s AND kind = 'policy'" % which)
        else:
            self.world.sql(via, "INSERT INTO bucket_configs (bucket_id, kind, document) VALUES (%s, 'policy', '%s') ON CONFLICT (bucket_id, kind) DO UPDATE SET document = excluded.document" % (which, self.document(value)))

    def now(self):
        v = self.lab.psql("SELECT substring(document FROM '\"v([0-9]+)\"') FROM bucket_configs c JOIN buckets b ON b.id = c.bucket_id WHERE c.kind = 'policy' AND b.name = '%s'" % self.name)
        return int(v) if v else NONE


class Switch(Thing):
    """A key of a tenant of its own, with a bucket that it may look at, or not."""
    shows = "access"
    ways = ("cli", "sql")
    first, values = ON, (ON, OFF)
    whole = "SELECT EXISTS (SELECT FROM apps WHERE access_key = '%(key)s')"

    def __init__(self, world, rng):
        super().__init__(world, rng)
        self.name = self.kind + "-" + self.word()
        self.key = "AKIA%s" % self.word().upper()
        self.secret = "secret-%s-%s" % (self.word(), self.word())
        self.lab.psql("INSERT INTO tenants (name, canonical_id) VALUES ('%s', '%064x')" % (self.name, rng.getrandbits(256)), timeout=TIMEOUT_S)
        self.insert_bucket(self.name, rng.choice(self.lab.names))
        self.lab.app(self.name, self.key, self.secret)

    def request(self, region):
        return self.presigned(region, self.name, self.key, self.secret)

    def next_value(self, rng):
        return OFF if self.register.value == ON else ON

    def now(self):
        """None: what it stands on was lost in a promotion, just after it was made."""
        names = {"key": self.key, "name": self.name}
        if self.lab.psql(self.whole % names) != "t":
            return None
        return ON if self.lab.psql(self.state % names) == "t" else OFF


class Key(Switch):
    """An access key, enabled or disabled."""
    kind = "key"
    state = "SELECT enabled FROM apps WHERE access_key = '%(key)s'"

    def cli(self, value, via):
        self.world.cli(via, "app", "enable" if value == ON else "disable", self.key)

    def sql(self, value, via):
        self.world.sql(via, "UPDATE apps SET enabled = %s WHERE access_key = '%s'" % (value == ON, self.key))


class Tenant(Switch):
    """A tenant, enabled or disabled: what is cached of its keys says so."""
    kind = "tenant"
    state = "SELECT enabled FROM tenants WHERE name = '%(name)s'"

    def cli(self, value, via):
        self.world.cli(via, "tenant", "enable" if value == ON else "disable", self.name, *(() if value == ON else ("--yes",)))

    def sql(self, value, via):
        self.world.sql(via, "UPDATE tenants SET enabled = %s WHERE name = '%s'" % (value == ON, self.name))


class Rights(Switch):
    """A key with a policy that allows all, and with a second one that forbids all, or not."""
    kind = "rights"
    state = "SELECT NOT EXISTS (SELECT FROM app_policies ap JOIN policies p ON p.id = ap.policy_id WHERE p.name = 'nothing' AND access_key = '%(key)s')"
    whole = "SELECT EXISTS (SELECT FROM app_policies ap JOIN policies p ON p.id = ap.policy_id WHERE p.name = 'all' AND access_key = '%(key)s')"
    document = '{"Version":"2012-10-17","Statement":[{"Effect":"%s","Action":"s3:*","Resource":"*"}]}'

    def __init__(self, world, rng):
        super().__init__(world, rng)
        self.lab.psql("INSERT INTO policies (name, document) VALUES ('all', '%s'), ('nothing', '%s') ON CONFLICT DO NOTHING" % (self.document % "Allow", self.document % "Deny"), timeout=TIMEOUT_S)
        self.lab.psql(self.attach("all"), timeout=TIMEOUT_S)

    def attach(self, policy):
        return "INSERT INTO app_policies SELECT '%s', id FROM policies WHERE name = '%s'" % (self.key, policy)

    def cli(self, value, via):
        self.world.cli(via, "app", "detach" if value == ON else "attach", self.key, "nothing")

    def sql(self, value, via):
        if value == ON:
            self.world.sql(via, "DELETE FROM app_policies ap USING policies p WHERE p.id = ap.policy_id AND p.name = 'nothing' AND ap.access_key = '%s'" % self.key)
        else:
            self.world.sql(via, self.attach("nothing"))


KINDS = {c.kind: c for c in (Bucket, Policy, Key, Tenant, Rights)}


class Load:
    """load.c at work."""

    def __init__(self, lab, out, threads, rate):
        ports = [lab.region(r).port for r in lab.names]
        self.process = subprocess.Popen([lab.binary("load"), out, "3000", str(threads), str(rate), *map(str, ports)], stdin=subprocess.PIPE, start_new_session=True)
        self.lock = threading.Lock()

    def say(self, line):
        with self.lock:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
