#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The regional fence: whatever anybody believes of a bucket, no object is lost, misplaced, or answered from another's."""
import os
import random
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import *  # noqa: E402,F403

SLOW = "put_before_row=30%:0-60,fence_before_open=40%:0-60,delete_before_close=40%:0-40,delete_after_close=40%:0-60,create_before_commit=30%:0-60"


def lab():
    # Patient, so that a busy machine is not one of the faults.
    return shared(env={"*/s3": {"ANVIL_FAULT_POINTS": SLOW}}, settings={"db_timeout_ms": 15000, "db_connect_timeout_s": 5, "cache_timeout_ms": 200})


def calm(lab, region="eu"):
    points(lab, region + "/s3")
    lab.wait_well()


def test_delete_against_many_writers():
    """32 puts and a delete at once: an acknowledged object's bucket is there, or was never deleted."""
    the = lab()
    ends = {204: 0, 409: 0}
    for i in range(6):
        n = bucket(EU)
        if i % 2:  # the fence is open already; else the first write opens it
            S3().put(n, "first", b"x")
            status(S3().delete(n, "first"), 204)
        regions = (EU, US, AP)

        def put(k):
            time.sleep(random.random() * 0.05)
            return S3(regions[k % 3]).request("PUT", n, "k%d" % k, body=b"x" * (20000 if k % 4 == 0 else 10)).status

        def delete():
            time.sleep(random.random() * 0.04)
            return S3(regions[i % 3]).request("DELETE", n)

        answers = in_threads([delete] + [lambda k=k: put(k) for k in range(32)])
        gone, puts = answers[0], answers[1:]
        ok("puts end in 200 or 404, or are not begun", set(puts) <= {200, 404, 503}, puts)
        ends[gone.status] += 1
        if gone.status == 204:
            eq("deleted: no put was acknowledged", puts.count(200), 0)
            eq("deleted: it is nowhere", [home_seen(r, n) for r in regions], [None] * 3)
        else:
            error(gone, 409, "BucketNotEmpty")
            eq("kept: what was acknowledged is there, and nothing else", S3(US).keys(n), sorted("k%d" % k for k, s in enumerate(puts) if s == 200))
    ok("both ends were seen, or this tells little", ends[409] > 0 or ends[204] > 0, ends)
    nothing_misplaced(the)


def test_bucket_of_busy_writers():
    """Writers put and delete their own keys, a deleter goes on until it finds the bucket empty: nobody's object was in it then."""
    the = lab()
    for _ in range(2):
        n, gone = bucket(EU), threading.Event()
        lost = []

        def writer(i):
            s3, puts = S3((EU, US, AP)[i % 3]), 0
            for k in range(200):
                key = "w%d-%d" % (i, k)
                began_after = gone.is_set()
                a = s3.request("PUT", n, key, body=b"x")
                if a.status == 404:
                    return puts
                status(a, 200)
                puts += 1
                if began_after:
                    lost.append("%s was put after the bucket's end" % key)
                d = s3.delete(n, key)
                if d.status != 204:
                    lost.append("%s was in the bucket when it ended: %r" % (key, d))
                    return puts
            return puts

        def deleter():
            for i in range(2000):
                a = S3((EU, US, AP)[i % 3]).request("DELETE", n)
                if a.status == 204:
                    gone.set()
                    return
                error(a, 409, "BucketNotEmpty")
            fail("the bucket was never found empty")

        in_threads([deleter] + [lambda i=i: writer(i) for i in range(6)])
        eq("objects lost or put too late", lost, [])
    nothing_misplaced(the)


def test_one_name_made_at_once():
    """One name in three regions by two tenants, all at once: one winner, and all regions name it."""
    the = lab()
    for _ in range(5):
        n = name_of_bucket()
        who = [(S3(via, k, s), home) for via in (EU, US, AP) for k, s in ((KEY, SECRET), (KEY2, SECRET2)) for home in random.sample((EU, US, AP), 2)]
        answers = in_threads([lambda s3=s3, home=home: create(n, home, s3.region, s3) for s3, home in who])
        winners = [w for w, a in zip(who, answers) if a.status == 200]
        eq("winners", len(winners), 1)
        winner, home = winners[0]
        for (s3, _), a in zip(who, answers):
            if a.status != 200:
                error(a, 409, "BucketAlreadyOwnedByYou" if s3.key == winner.key else "BucketAlreadyExists")
        for r in (EU, US, AP):
            eq("%s knows its home" % r, winner.at(r).request("HEAD", n).get("x-amz-bucket-region"), home.name)
        eq("rows", the.psql("SELECT count(*) FROM buckets WHERE name = '%s'" % n), "1")
        status(winner.at(home).request("DELETE", n), 204)


def test_name_made_and_deleted_at_once():
    """Three regions make and delete one name all the time: what each is told can follow one after the other."""
    lab()
    n = name_of_bucket()
    made, gone = [], []
    left = [3]

    def churn(region):
        for _ in range(12):
            a = create(n, region)
            if a.status == 200:
                made.append(region)
            else:
                error(a, 409, "BucketAlreadyOwnedByYou")
            a = S3(region).request("DELETE", n)
            if a.status == 204:
                gone.append(region)
            else:
                error(a, 404, "NoSuchBucket")
        left[0] -= 1

    in_threads([lambda r=r: churn(r) for r in (EU, US, AP)])
    there = home_seen(EU, n)
    eq("made as often as deleted, and once more if it is there", len(made) - len(gone), 0 if there is None else 1)
    eq("all regions say the same", [home_seen(r, n) for r in (US, AP)], [there] * 2)
    if there is not None:
        status(S3().request("DELETE", n), 204)


def late_put(n, key, result, via=EU):
    t = threading.Thread(target=lambda: result.append(attempt(S3(via, timeout=60).request, "PUT", n, key, body=b"late")))
    t.start()
    return t


def test_late_writer_opens_no_closed_fence():
    """A writer pauses between what it believes and its row, a bucket's first and a later one; meanwhile the bucket goes, and is made again elsewhere."""
    the = lab()
    for point in ("put_before_row", "fence_before_open"):
        points(the, "eu/s3", point + "=100%:1500")
        the.wait_well()
        for written in (False, True):
            n, result = bucket(EU), []
            if written:
                if point == "fence_before_open":
                    continue  # it is opened once
                S3().put(n, "first", b"x")
                status(S3().delete(n, "first"), 204)
            t = late_put(n, "late", result)
            time.sleep(0.4)  # it pauses by now; if it does not, this is another order, and as right
            gone = S3(US).request("DELETE", n)
            if gone.status == 204:
                status(create(n, US, AP), 200)
                S3(US).put(n, "new", b"new")
            t.join()
            if gone.status == 204:
                error(result[0], 404, "NoSuchBucket")
                for r in (EU, US, AP):
                    eq("%s: the new bucket's keys" % r, S3(r).keys(n), ["new"])
                    error(S3(r).get(n, "late"), 404, "NoSuchKey")
            else:
                status(result[0], 200)
            nothing_misplaced(the)
            for k in ("new", "late"):
                attempt(S3(US).delete, n, k)
            attempt(S3(US).request, "DELETE", n)
    calm(the)


def test_writer_stopped_and_resumed():
    """All workers of the home region are stopped in the middle of puts, for longer than any trust; the bucket goes meanwhile and is another region's."""
    the = lab()
    points(the, "eu/s3", "put_before_row=100%:500,fence_before_open=100%:300")
    the.wait_well()
    for written in (False, True):
        n, results = bucket(EU), []
        if written:
            S3().put(n, "first", b"x")
            status(S3().delete(n, "first"), 204)
        threads = [late_put(n, "late%d" % i, results, (EU, US)[i % 2]) for i in range(4)]
        time.sleep(0.3)
        the["eu/s3"].pause()
        gone = the.admin("eu", "bucket", "delete", n, "--yes", check=False)
        if gone.returncode == 0:
            status(create(n, US, AP), 200)
            S3(AP).put(n, "new", b"new")
        time.sleep(0.7)
        the["eu/s3"].resume()
        for t in threads:
            t.join()
        if gone.returncode == 0:
            # Those through us may have asked it anew, after the bucket became its own.
            late = [a for a in results if a is not None and a.status == 200]
            eq("acknowledged, and of eu", [a for a in late if a.said.endswith("at eu")], [])
            keys = S3(AP).keys(n)
            ok("the new bucket has its own keys alone", set(keys) <= {"new", "late1", "late3"} and len(keys) == len(late) + 1, (keys, results))
        nothing_misplaced(the)
        for k in S3(US).keys(n):
            S3(US).delete(n, k)
        attempt(S3(US).request, "DELETE", n)
    calm(the)


KILLS = ("delete_before_close", "delete_after_close", "write_after_commit", "write_before_wait", "delete_before_end")


def test_delete_killed_at_each_step():
    """kill -9 at each step of DeleteBucket; a retry ends it, and so does maintain."""
    the = lab()
    calm(the)
    for point in KILLS:
        for heal in ("retry", "maintain"):
            n = bucket(EU)
            S3().put(n, "k", b"x")
            status(S3().delete(n, "k"), 204)
            admin_dies(the, "eu", point, "bucket", "delete", n, "--yes")
            begun = point != "delete_before_close"
            a = S3(US).request("PUT", n, "k", body=b"x")
            if begun:
                error(a, 404, "NoSuchBucket")
            else:
                status(a, 200)
                status(S3(AP).delete(n, "k"), 204)
            if heal == "retry":
                a = S3(US).request("DELETE", n)
                ok("%s: the retry ends it: %r" % (point, a), a.status == 204 or (a.status == 404 and begun))
                seen = [home_seen(r, n) for r in (EU, US, AP)]
                eq("%s: and it is nowhere" % point, seen, [None] * 3)
            the.admin("eu", "maintain")
            eq("%s: half done" % point, the.psql("SELECT count(*) FROM bucket_fences WHERE closed_at IS NOT NULL AND ended_at IS NULL", "eu/pg"), "0")
            if not begun and heal == "maintain":
                S3().put(n, "k", b"x")  # it was not begun: the bucket is as it was
                status(S3().delete(n, "k"), 204)
                status(S3(AP).request("DELETE", n), 204)
            status(create(n, US, EU), 200)
            S3(EU).put(n, "new", b"y")
            eq("%s: a new one elsewhere" % point, [S3(r).keys(n) for r in (EU, US, AP)], [["new"]] * 3)
            status(S3(US).delete(n, "new"), 204)
            status(S3(US).request("DELETE", n), 204)
    nothing_misplaced(the)


def test_create_killed_at_each_step():
    """kill -9 at each step of CreateBucket: it is there or not, and a retry from another region is told so, and may rely on it."""
    the = lab()
    calm(the)
    for point in ("create_before_commit", "write_after_commit", "write_before_wait"):
        n = name_of_bucket()
        for r in (EU, US, AP):
            eq("before", home_seen(r, n), None)
        admin_dies(the, "eu", point, "bucket", "create", n, "--tenant", "lab", "--region", "ap")
        a = create(n, AP, US)
        if point == "create_before_commit":
            status(a, 200)
        else:
            error(a, 409, "BucketAlreadyOwnedByYou")
        eq("%s: seen" % point, [home_seen(r, n) for r in (EU, US, AP)], ["ap"] * 3)
        S3(EU).put(n, "k", b"x")
        eq("%s: used" % point, S3(AP).get(n, "k").body, b"x")
        S3(AP).delete(n, "k")
        status(S3(AP).request("DELETE", n), 204)


def test_workers_killed_in_delete():
    """Workers die in the middle of DeleteBucket and come back: asked again, it ends."""
    the = lab()
    points(the, "eu/s3", "delete_after_close=40%:kill,write_after_commit=30%:kill,delete_before_end=40%:kill")
    the.wait_well()
    for _ in range(4):
        n, regions = bucket(EU, US), (EU, US, AP)
        S3(AP).put(n, "k", b"x")
        status(S3(AP).delete(n, "k"), 204)
        last = []

        def ended():
            a = attempt(S3(random.choice(regions)).request, "DELETE", n)
            last[:] = [a]
            return a is not None and a.status in (204, 404)

        until("it is deleted", ended, 30)
        eq("it is nowhere", [home_seen(r, n) for r in regions], [None] * 3)
        status(create(n, US), 200)
        eq("a new one elsewhere", [home_seen(r, n) for r in regions], ["us"] * 3)
        status(S3(US).request("DELETE", n), 204)
    calm(the)
    the.admin("eu", "maintain")
    eq("half done", the.psql("SELECT count(*) FROM bucket_fences WHERE closed_at IS NOT NULL AND ended_at IS NULL", "eu/pg"), "0")


class Nomad:
    """A bucket that wanders from region to region while writers write."""

    def __init__(self):
        self.name, self.over = name_of_bucket(), threading.Event()
        self.acknowledged, self.emptied, self.wrong, self.moves = {}, {}, [], 0

    def writer(self, i):
        k = 0
        while not self.over.is_set():
            key, via = "w%d-%d" % (i, k), random.choice(anvil.REGIONS)
            k += 1
            a = attempt(S3(via, timeout=30).request, "PUT", self.name, key, body=key.encode())
            if a is not None and a.status == 200:
                self.acknowledged[key] = time.monotonic()
            elif a is not None and a.status not in (404, 409) and a.status < 500:
                self.wrong.append(a)
            time.sleep(random.random() * 0.3)

    def reader(self, _):
        while not self.over.is_set():
            gone = list(self.emptied.items())
            live = list(self.acknowledged)
            if not live:
                time.sleep(0.01)
                continue
            key, via = random.choice(live), random.choice(anvil.REGIONS)
            a = attempt(S3(via, timeout=30).get, self.name, key)
            if a is not None and a.status == 200 and (a.body != key.encode() or key in dict(gone)):
                self.wrong.append("%s was deleted before: %r" % (key, a))
            time.sleep(0.005)

    def empty(self, home):
        """All keys deleted and then the bucket, however often writers come between."""
        until("the nomad leaves %s" % home, lambda: self.one_try(home), 60)

    def one_try(self, home):
        listed = attempt(S3(home).list, self.name)
        if listed is None:
            return False
        for key in [e.text for e in listed.xml.findall("Contents/Key")]:
            a = attempt(S3(home).delete, self.name, key)
            if a is None or a.status != 204:
                return False
            self.emptied[key] = time.monotonic()
        a = attempt(S3(home).request, "DELETE", self.name)
        return a is not None and a.status in (204, 404)


def test_bucket_wanders_while_writers_go_on():
    """Deleted and made again in another region, again and again, with old homes cut off, stopped and killed: every acknowledged object is where one order explains."""
    the = lab()
    for r in the.names:
        points(the, r + "/s3", "put_before_row=15%:0-700,fence_before_open=30%:0-700,delete_after_close=20%:0-100,fill_before_set=20%:0-400")
    the.wait_well()
    nomad = Nomad()
    status(create(nomad.name, EU), 200)
    threads = [threading.Thread(target=f, args=(i,)) for i in range(6) for f in (nomad.writer,)] + [threading.Thread(target=nomad.reader, args=(i,)) for i in range(2)]
    for t in threads:
        t.start()
    faults = (
        lambda r: the.link("%s/inv*>*" % r).cut(),                       # its cache grows old
        lambda r: [the.link("*>%s/inv*" % r).cut(), the.link("%s/inv*>pg" % r).stall()],
        lambda r: the["%s/s3" % r].pause(),                              # writers in the middle
        lambda r: the["%s/inv0" % r].kill(),
        lambda r: [os.kill(p, 9) for p in the.workers(r)],
        lambda r: the["%s/mc0" % r].restart(),
    )
    home = EU
    try:
        for fault in faults:
            time.sleep(0.4)
            nomad.empty(home)
            old, home = home, random.choice([r for r in (EU, US, AP) if r is not home])
            fault(old.name)
            until("it is made in %s" % home, lambda: (attempt(create, nomad.name, home, home) or fail("no answer")).status in (200, 409), 20)
            until("and written", lambda: (attempt(S3(home).request, "PUT", nomad.name, "moved", body=b"moved") or fail("no answer")).status == 200, 20)
            nomad.moves += 1
            time.sleep(0.8)
            the.mend()
    finally:
        nomad.over.set()
        the.mend()
        for t in threads:
            t.join(60)
    eq("wrong answers", nomad.wrong, [])
    left = set()
    page = S3(home).list(nomad.name, encoding_type="url")
    while True:
        left |= {e.text for e in page.xml.findall("Contents/Key")}
        if page.text("IsTruncated") != "true":
            break
        page = S3(home).list(nomad.name, continuation_token=page.text("NextContinuationToken"))
    lost = [k for k in nomad.acknowledged if k not in left and k not in nomad.emptied]
    eq("acknowledged and lost, of %d" % len(nomad.acknowledged), lost, [])
    for key in left:
        a = S3(random.choice((EU, US, AP))).get(nomad.name, key)
        ok("%s reads as it was written: %r" % (key, a), a.status == 200 and a.body in (key.encode(), b"moved"))
    nothing_misplaced(the)
    nomad.empty(home)
    for r in the.names:
        the.admin(r, "maintain")
        eq("%s: half done" % r, the.psql("SELECT count(*) FROM bucket_fences WHERE closed_at IS NOT NULL AND ended_at IS NULL", r + "/pg"), "0")
    nothing_misplaced(the)


if __name__ == "__main__":
    main()
