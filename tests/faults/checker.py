# SPDX-License-Identifier: Apache-2.0
"""What may be read, and was it? The judge of tests/faults/consistency.

Each thing whose metadata changes is a *register*: a bucket that is or is not, a
bucket's policy, whether a key, a tenant or a key's policies let somebody in. One writer
at a time changes it; each write has its value and two times:

    begin   before the first byte of the request left the writer
    ack     after the writer was told that it is done; none: refused, timed out,
            connection lost, and whether it took effect, or will, nobody knows

A read, from `begin` to `end`, of value v is RIGHT if one of these is true:

 1. v is the value of the last write that was acknowledged before the read began;
 2. v is the value of a write that had begun before the read ended, and was not
    acknowledged before the read began: it may have taken effect at any time since
    its own begin, and stays possible whatever is acknowledged after it.

Every other value is STALE (somebody was told of a newer one before the read began),
or from the future (nobody had begun to write it: a fault of this program or of the
system's, and as bad).

This is the promise and no more than that: while a change is not acknowledged,
two reads may see it in either order. A register that has a write of unknown outcome is
given up for a new one, since rule 2 makes it a weak witness; what was read of it
before and after is judged all the same.

Losing the last commits on purpose (a standby that is promoted while it lags) is
a write, too: of the value that the new primary has, begun before the old one was
killed, acknowledged when `anvil-admin cache wait` said that every region knows it.

Answers that tell nothing (503, 500, 504, time-outs, lost connections) are right, and
counted: a system that only refuses would be consistent."""
import bisect
import os
import struct
import threading
import time

RECORD = struct.Struct("<QIHBBHHI")
LAG_US = 1000000  # a record is judged so long after its end, when every acknowledgement before it is noted

ABSENT, NONE, ON, OFF = 900001, 900002, 900003, 900004  # values that are no numbers of versions
NAMES = {ABSENT: "absent", NONE: "none", ON: "on", OFF: "off"}


def letters(region):
    """As load.c reads a region's name from a header."""
    return int.from_bytes(region.encode()[:4], "little")


def value_name(v):
    if v in NAMES:
        return NAMES[v]
    text = v.to_bytes(4, "little").rstrip(b"\0")
    return text.decode() if len(text) >= 2 and text.isalpha() else "v%d" % v


def now_us():
    return time.monotonic_ns() // 1000


class Write:
    __slots__ = ("value", "begin", "ack", "how", "failed")

    def __init__(self, value, begin, how):
        self.value, self.begin, self.ack, self.how, self.failed = value, begin, None, how, None


class Register:
    """Writes are in the order of their begins, which is that of their acknowledgements: there is one writer."""

    def __init__(self, id, kind, name, value):
        self.id, self.kind, self.name = id, kind, name
        self.lock = threading.Lock()
        self.writes, self.acks, self.acked, self.open = [], [], [], []
        self.reads = 0
        first = Write(value, 0, "made so")
        self.writes.append(first)
        self._ack(first, now_us())

    @property
    def value(self):
        return self.writes[-1].value

    @property
    def uncertain(self):
        return bool(self.open)

    def begin(self, value, how):
        w = Write(value, now_us(), how)
        with self.lock:
            self.writes.append(w)
            self.open.append(w)
        return w

    def _ack(self, w, at):
        w.ack = at
        self.acks.append(at)
        self.acked.append(w)

    def done(self, w):
        at = now_us()
        with self.lock:
            self._ack(w, at)
            self.open.remove(w)

    def failed(self, w, why):
        w.failed = why

    def give_up(self, w, values):
        """From w on it may be any of these, for good: it witnesses nothing more."""
        with self.lock:
            w.value, w.failed = values[0], "what it stands on was lost"
            for v in values[1:]:
                other = Write(v, w.begin, w.how)
                other.failed = w.failed
                self.writes.append(other)
                self.open.append(other)

    def judge(self, begin, end, v):
        """None when v may be read; else why not."""
        with self.lock:
            k = bisect.bisect_left(self.acks, begin) - 1
            if k < 0 or self.acked[k].value == v:
                return None
            for w in self.open:
                if w.value == v and w.begin <= end:
                    return None
            for w in self.acked[k + 1:]:
                if w.begin > end:
                    break
                if w.value == v:
                    return None
            last = self.acked[k]
            older = any(w.value == v for w in self.writes if w.begin <= end)
        return "%s %s in %s: %s, but %s was acknowledged %.1f ms before the read began (%s)" % (
            "STALE" if older else "NEVER WRITTEN", self.kind, self.name, value_name(v), value_name(last.value), (begin - last.ack) / 1000, last.how)

    def history(self, begin, n=5):
        """The writes about a read."""
        k = bisect.bisect_left([w.begin for w in self.writes], begin)
        return "\n".join("      %-8s begun %9.1f ms before the read, %s: %s" % (
            value_name(w.value), (begin - w.begin) / 1000, "acknowledged %.1f ms before it" % ((begin - w.ack) / 1000) if w.ack else w.failed or "under way", w.how)
            for w in self.writes[max(1, k - n):k + 1])


def observed(kind, status, value):
    """What an answer says of a register; None: nothing."""
    if kind == "bucket":
        return value if status == 200 and value else ABSENT if status == 404 else None
    if kind == "policy":
        return value if status == 200 and value else NONE if status == 404 else None
    return ON if status == 200 else OFF if status == 403 else None


# Answers that tell nothing. Any other that observed() does not know is a fault of somebody's.
REFUSALS = (0, 500, 502, 503, 504)


class Checker:
    """Follows the file of records that load.c writes, and judges them as they become old enough."""

    def __init__(self, path, regions):
        self.path, self.regions = path, regions
        self.registers = {}
        self.file = None
        self.rest = []
        self.barrier = None  # what ended later is not judged yet: somebody is about to say what was written
        self.total = self.answered = 0
        self.refused, self.stale = {}, []
        self.n_stale = self.odd = 0
        self.by_region = {r: [0, 0] for r in regions}

    def add(self, register):
        self.registers[register.id] = register

    def look(self, until_us=None):
        """Judges all records that ended before until_us (LAG_US ago)."""
        until_us = min(until_us or now_us() - LAG_US, self.barrier or 1 << 62)
        if self.file is None:
            if not os.path.exists(self.path):
                return
            self.file = open(self.path, "rb")
            self.part = b""
        data = self.part + self.file.read()
        whole = len(data) - len(data) % RECORD.size
        self.part = data[whole:]
        later = []
        for r in self.rest:
            self._one(r, until_us, later)
        for r in RECORD.iter_unpack(data[:whole]):
            self._one(r, until_us, later)
        self.rest = later

    def _one(self, r, until_us, later):
        begin, took, target, region, thread, status, why, value = r
        end = begin + took
        if end > until_us:
            later.append(r)
            return
        reg = self.registers[target]
        v = observed(reg.kind, status, value)
        self.total += 1
        counts = self.by_region[self.regions[region]]
        counts[0] += 1
        if v is None:
            k = str(status) if status else os.strerror(why)
            self.refused[k] = self.refused.get(k, 0) + 1
            self.odd += status not in REFUSALS
            return
        self.answered += 1
        counts[1] += 1
        reg.reads += 1
        bad = reg.judge(begin, end, v)
        if bad:
            self.n_stale += 1
            if len(self.stale) < 20:
                self.stale.append((begin, end, self.regions[region], reg, bad))

    def report(self):
        share = 100.0 * self.answered / self.total if self.total else 0
        return "%d reads, %d answered and checked (%.2f %%: %s), %d stale, %d odd; refused: %s" % (
            self.total, self.answered, share, ", ".join("%s %.1f %%" % (r, 100.0 * a / t if t else 0) for r, (t, a) in self.by_region.items()), self.n_stale, self.odd,
            ", ".join("%s %d" % kv for kv in sorted(self.refused.items())) or "none")
