#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What breaks and what does not: workers, memcached, invalidators, memory. Runs alone."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403

import contextlib  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import threading  # noqa: E402


def s3_workers(region):
    """The workers of a region: children of the supervisor."""
    pid = int(open(os.path.join(DIR, "run", region.name + "-s3.pid")).read().split()[0])
    return [int(x) for x in open("/proc/%d/task/%d/children" % (pid, pid)).read().split()]


def kill(pid, sig=9):
    run("sh", "-c", "kill -%d %d" % (sig, pid), check=False)


def files_of(region):
    out = []
    for base, _, names in os.walk(os.path.join(region.dir, "blobs")):
        out += [os.path.join(base, x) for x in names]
    return out


def rss(pid):
    for line in open("/proc/%d/status" % pid):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024


def test_worker_killed_during_put():
    """kill -9 of every worker while bodies come: no key, the old object stays, new workers serve."""
    n = bucket(EU)
    S3().put(n, "old", b"o" * 100000)

    def slow():
        for _ in range(200):
            yield b"x" * 65536
            if stop.is_set():
                time.sleep(0.005)

    for attempt in range(3):
        stop = threading.Event()
        results = []

        def put(key):
            try:
                results.append((key, S3(timeout=60).request("PUT", n, key, body=slow(), headers={"Content-Length": str(200 * 65536)}).status))
            except (OSError, http.client.HTTPException) as e:
                results.append((key, repr(e)))

        threads = [threading.Thread(target=put, args=(k,)) for k in ("new%d" % attempt, "old", "other%d" % attempt)]
        for t in threads:
            t.start()
        old = s3_workers(EU)
        time.sleep(0.05)
        for pid in old:
            kill(pid)
        stop.set()
        for t in threads:
            t.join(90)
        until("new workers", lambda: len(s3_workers(EU)) >= len(old) and not set(s3_workers(EU)) & set(old), 20)
        until("they serve", lambda: S3().send("GET", "/-/health").status == 200, 20)
        got = {k: v for k, v in results}
        keys = S3().keys(n)
        for k, v in got.items():
            if k != "old":
                eq("%s is listed only if its put said 200 (%s)" % (k, v), k in keys, v == 200)
        body = S3().get(n, "old").body
        ok("old is whole: one or the other", body == b"o" * 100000 or (got["old"] == 200 and body == b"x" * 200 * 65536), (len(body), got))
        S3().put(n, "old", b"o" * 100000)


def test_one_of_many_wins_while_workers_die():
    """64 writers say If-None-Match: * of one key at both regions, over and over, while workers are killed: never two are told 200, and
    what is there is of the one that was, or of one that got no answer. ANVIL_RACE_ROUNDS for more rounds."""
    import concurrent.futures
    n, over = bucket(EU), threading.Event()
    rounds, told = int(os.environ.get("ANVIL_RACE_ROUNDS", "10")), {"won": 0, "refused": 0, "cut off": 0, "killed": 0, "none won": 0}

    def reaper():
        seen = dict.fromkeys(s3_workers(EU), 0)
        while not over.wait(0.2):
            pids = s3_workers(EU)
            for pid in pids:
                seen.setdefault(pid, time.monotonic())
            old = [pid for pid in pids if time.monotonic() - seen[pid] > 2]  # one that dies young is replaced ever later
            if len(pids) > 1 and old:
                kill(old[0])
                told["killed"] += 1

    def write(job):
        key, i = job
        try:
            return S3((EU, US)[i % 2], timeout=30).request("PUT", n, key, body=b"%d" % i, headers={"If-None-Match": "*"}).status
        except (OSError, http.client.HTTPException):
            return 0

    def check(key, answers):
        won = [i for i, s in enumerate(answers) if s == 200]
        lost = [i for i, s in enumerate(answers) if s == 0 or s >= 500]
        told["won"] += len(won)
        told["refused"] += sum(s in (409, 412) for s in answers)
        told["cut off"] += len(lost)
        told["none won"] += not won
        ok("%s: one winner at most, no other answer: %s" % (key, answers), len(won) <= 1 and len(lost) + len(won) + sum(s in (409, 412) for s in answers) == len(answers))
        r = until("%s can be read" % key, lambda: next((r for r in [read(key)] if r is not None and r.status in (200, 404)), None))
        if r.status == 404:
            ok("%s: nobody was told that it is there: %s" % (key, answers), not won and 412 not in answers)
        else:
            ok("%s is whose it may be: %s of %s, %s" % (key, r.body, won, lost), int(r.body) in (won or lost))

    def read(key):
        try:
            return S3(EU).request("GET", n, key)
        except (OSError, http.client.HTTPException):
            return None

    killer = threading.Thread(target=reaper)
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        killer.start()
        try:
            turn = 0
            while turn < rounds or told["killed"] < 3:
                key = "race-%d" % turn
                turn += 1
                check(key, list(pool.map(write, [(key, i) for i in range(64)])))
        finally:
            over.set()
            killer.join()
    ok("most rounds had a winner: %s" % told, told["won"] > turn // 2)
    print("# %d rounds: %s" % (turn, told))
    until("well again", lambda: health(EU)[1]["status"] == "ok", 30)


def test_client_gone_leaves_no_file():
    """A client that goes away in the middle of a large body: the file goes, too."""
    n = bucket(EU)
    S3().put(n, "first", b"x" * 100000)
    before = set(files_of(EU))
    for _ in range(5):
        headers = {"host": EU.netloc}
        sigv4.sign("PUT", "/%s/gone" % n, headers, "UNSIGNED-PAYLOAD", KEY, SECRET, EU.name)
        s = socket.create_connection((EU.host, EU.port))
        s.sendall(("PUT /%s/gone HTTP/1.1\r\nContent-Length: 50000000\r\n" % n + "".join("%s: %s\r\n" % kv for kv in headers.items()) + "\r\n").encode() + b"x" * 1000000)
        s.close()
    until("no new file stays", lambda: not set(files_of(EU)) - before, 60)
    eq("keys", S3().keys(n), ["first"])


def test_bad_sum_leaves_no_file():
    n = bucket(EU)
    before = set(files_of(EU))
    for _ in range(3):
        r = S3().request("PUT", n, "bad", body=b"x" * 500000, headers={"x-amz-checksum-crc32": sigv4.checksum("crc32", b"y")})
        error(r, 400, "BadDigest")
    until("no new file stays", lambda: not set(files_of(EU)) - before, 30)


def test_memory_is_bounded():
    """A body of 300 MB up and down, also relayed: the workers do not grow with it."""
    n = bucket(EU)
    size = 300 << 20
    piece = random_bytes(1 << 20, 8)
    S3(EU).put(n, "warm", piece)
    S3(US).get(n, "warm")
    peak = {}
    done = threading.Event()

    def watch():
        while not done.is_set():
            for region in (EU, US):
                for pid in s3_workers(region):
                    try:
                        peak[region.name, pid] = max(peak.get((region.name, pid), 0), rss(pid) or 0)
                    except OSError:
                        pass
            time.sleep(0.05)

    t = threading.Thread(target=watch)
    t.start()
    try:
        for via in (EU, US):
            r = S3(via).request("PUT", n, "big", body=(piece for _ in range(300)), headers={"Content-Length": str(size)}, payload="UNSIGNED-PAYLOAD")
            status(r, 200)
            headers = {"host": via.netloc}
            sigv4.sign("GET", "/%s/big" % n, headers, sigv4.EMPTY, KEY, SECRET, via.name)
            c = http.client.HTTPConnection(via.host, via.port, timeout=120)
            c.request("GET", "/%s/big" % n, headers=headers)
            g = c.getresponse()
            eq("status", g.status, 200)
            total, md5 = 0, hashlib.md5()
            while True:
                b = g.read(1 << 20)
                if not b:
                    break
                total += len(b)
                md5.update(b)
            c.close()
            eq("length", total, size)
            eq("its MD5 is the ETag", '"%s"' % md5.hexdigest(), g.getheader("ETag"))
    finally:
        done.set()
        t.join()
    limit = 64 << 20 if "asan" not in os.environ.get("ANVIL_BUILD_KIND", "") else 1 << 40
    eq("workers above 64 MiB", {k: "%d MiB" % (v >> 20) for k, v in peak.items() if v > limit}, {})


def test_memcached_restarted():
    """memcached starts anew, empty: requests go on, nothing is stale, trust comes back."""
    n = bucket(EU)
    S3(EU).put(n, "k", b"x")
    for region in (EU, US):
        status(S3(region).get(n, "k"), 200)
    quickstart("--restart", US.name + "/memcached")
    for _ in range(20):
        status(S3(US).get(n, "k"), 200)
    made = admin_json(EU, "app", "create", "demo", "e2e-fault")
    key, secret = find_field(made, "access_key"), find_field(made, "secret")
    status(S3(US, key, secret).get(n, "k"), 200)
    admin(EU, "app", "disable", key)
    eq("seen at once", S3(US, key, secret).get(n, "k").status, 403)
    admin(EU, "app", "delete", key, "--yes")
    until("trusted again", lambda: json.loads(S3(US).send("GET", "/-/health").body)["cache_trusted"], 20)


def test_memcached_stopped():
    """Without memcached: slower, and right."""
    n = bucket(EU)
    S3(EU).put(n, "k", b"x")
    quickstart("--stop", US.name + "/memcached")
    try:
        for _ in range(5):
            status(S3(US).get(n, "k"), 200)
        error(S3(US).get(n, "none"), 404, "NoSuchKey")
    finally:
        quickstart("--start", US.name + "/memcached")
    until("trusted again", lambda: json.loads(S3(US).send("GET", "/-/health").body)["cache_trusted"], 20)


def test_invalidator_restarted():
    """An invalidator that was away catches up."""
    quickstart("--stop", US.name + "/invalidator")
    try:
        n = bucket(EU)  # its maker waits W at most
        eq("us asks the database", S3(US).get(n, "none").status, 404)
    finally:
        quickstart("--start", US.name + "/invalidator")
    until("trusted again", lambda: json.loads(S3(US).send("GET", "/-/health").body)["cache_trusted"], 20)
    status(S3(US).request("HEAD", n), 200)


def test_home_killed_during_relays():
    """kill -9 of the home's workers, then of its web server too, while large bodies are relayed both ways: every client gets an
    error or the right bytes; then a quick 503 with Retry-After, and by itself all is well again when the home is."""
    n = bucket(EU)
    old = random_bytes(6 << 20, 1)
    S3(EU).put(n, "old", old)
    new = {"new%d" % i: random_bytes(4 << 20, 10 + i) for i in range(3)}

    def ask(fn):
        try:
            return fn()
        except (OSError, http.client.HTTPException) as e:
            return repr(e)

    def pieces(data):
        for i in range(0, len(data), 65536):
            yield data[i:i + 65536]
            time.sleep(0.002)

    def put(key):
        r = ask(lambda: S3(US, timeout=60).request("PUT", n, key, body=pieces(new[key]), payload="UNSIGNED-PAYLOAD", headers={"Content-Length": str(len(new[key]))}))
        said.append((key, getattr(r, "status", r)))

    def get():
        while not over.is_set():
            r = ask(lambda: S3(US, timeout=60).get(n, "old"))
            if not isinstance(r, str):
                if r.status == 200:
                    ok("a get that said 200 has the right bytes, or was broken off", r.body == old, len(r.body))
                else:
                    error(r, 503, "ServiceUnavailable", Region=EU.name)
                    ok("Retry-After", int(r.get("Retry-After")) >= 1, r.headers)
            said.append(("old", getattr(r, "status", r)))

    def guarded(fn, *args):
        try:
            fn(*args)
        except Failed as e:
            wrong.append(e)

    wrong = []
    for web in (False, True):
        said, over = [], threading.Event()
        threads = [threading.Thread(target=guarded, args=(put, k)) for k in new] + [threading.Thread(target=guarded, args=(get,)) for _ in range(3)]
        for t in threads:
            t.start()
        until("relays are under way", lambda: len([x for x in said if x == ("old", 200)]) >= 2 and metric(US, "anvil_relays_active") > 0)
        if web:
            os.killpg(int(open(os.path.join(DIR, "run", EU.name + "-web.pid")).read().split()[0]), signal.SIGKILL)
        for pid in s3_workers(EU):
            kill(pid)
        try:
            if web:  # nobody is there: the breakers open, and nobody waits
                r = until("refused", lambda: next((r for r in [ask(lambda: S3(US).get(n, "old"))] if getattr(r, "status", 0) == 503), None))
                error(r, 503, "ServiceUnavailable", Region=EU.name)
                ok("Retry-After", int(r.get("Retry-After")) >= 1, r.headers)
                until("a worker says that eu is down", lambda: S3(US).get(n, "old").status == 503 and metric(US, "anvil_relay_down", of=EU.name) == 1)
                refused = metric(US, "anvil_relay_refused_total", reason="down")
                for _ in range(10):
                    eq("refused", S3(US).get(n, "old").status, 503)
                ok("at once, by the breaker", metric(US, "anvil_relay_refused_total", reason="down") > refused)
        finally:
            over.set()
            for t in threads:
                t.join(90)
            if web:
                quickstart("--start", EU.name + "/web")
        if wrong:
            raise wrong[0]
        until("served again", lambda: getattr(ask(lambda: S3(US).get(n, "old")), "status", 0) == 200)
        until("every worker says so", lambda: S3(US).get(n, "old").status == 200 and all(metric(US, "anvil_relay_down", of=EU.name) == 0 for _ in range(6)))
        keys = S3(EU).keys(n)
        for k, v in said:
            if k != "old" and v == 200:
                ok("%s is whole" % k, S3(EU).get(n, k).body == new[k])
        for k in new:  # what was not acknowledged is whole or is not there
            ok("%s is whole or not there" % k, k not in keys or S3(EU).get(n, k).body == new[k])
            S3(EU).delete(n, k)


def stalled(n, key, size, sent):
    """The answer to a client of us that announces so many bytes, sends some and then none: status line, headers and body."""
    target = S3(US).presigned("PUT", n, key)
    with socket.create_connection((US.host, US.port), timeout=60) as s:
        s.sendall(b"PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n" % (target.encode(), US.netloc.encode(), size) + b"x" * sent)
        out = b""
        while b"</Error>" not in out:
            more = s.recv(65536)
            if not more:
                break
            out += more
    return out.decode("latin-1")


def test_client_stalls_in_a_relayed_body():
    """It is told so, wherever in the body it stopped, as S3 tells it; the home is not blamed, and nothing is stored."""
    if SERVER != "nginx":
        skip("lighttpd takes a body whole before a worker sees it, Apache waits for its end before it passes an answer on")
    n = bucket(EU)
    with more_settings(US, "relay_idle_ms = 1000"):
        for size, sent in ((1000000, 0), (1000000, 300000), (1000000, 999000), (5, 4), (5, 0)):
            answer = stalled(n, "k", size, sent)
            contains("%d of %d" % (sent, size), answer, "HTTP/1.1 400 ")
            contains("%d of %d" % (sent, size), answer, "<Code>RequestTimeout</Code>")
        eq("not blamed", metric(US, "anvil_relay_down", of=EU.name), 0)
        S3(US).put(n, "whole", b"x")
    eq("nothing is stored", S3(EU).keys(n), ["whole"])


def test_home_of_a_copy_is_away():
    """A copy whose source's home cannot be reached: 503 at once, and nothing is left; it works when the home is back."""
    n, m = bucket(US), bucket(EU)
    S3(US).put(n, "k", random_bytes(100000))
    ask = lambda: S3(EU).request("PUT", m, "copy", headers={"x-amz-copy-source": "%s/k" % n})
    quickstart("--stop", US.name + "/web")
    try:
        for _ in range(3):
            error(ask(), 503, "ServiceUnavailable", Region=US.name)
        eq("nothing is left", S3(EU).keys(m), [])
    finally:
        quickstart("--start", US.name + "/web")
    until("copied", lambda: ask().status == 200, 20)


def test_postgres_restarted():
    """PostgreSQL starts anew under the workers: they find it again by themselves."""
    n = bucket(EU)
    S3(EU).put(n, "k", b"x")
    quickstart("--restart", "postgres")
    until("served again", lambda: S3(EU).get(n, "k").status == 200 and S3(US).get(n, "k").status == 200, 20)
    S3(US).put(n, "k2", b"y")
    eq("both", S3(EU).keys(n), ["k", "k2"])


def test_graceful_restart_of_workers():
    """Workers are told to end while a body comes: the request under way is served to its end."""
    n = bucket(EU)
    data = random_bytes(3 << 20, 3)
    started = threading.Event()

    def slow():
        for i in range(0, len(data), 65536):
            yield data[i:i + 65536]
            started.set()
            time.sleep(0.02)

    result = []
    t = threading.Thread(target=lambda: result.append(S3(timeout=60).request("PUT", n, "k", body=slow(), headers={"Content-Length": str(len(data))})))
    t.start()
    started.wait(10)
    time.sleep(0.3)
    quickstart("--restart", EU.name + "/s3")
    t.join(60)
    ok("an answer came", result)
    until("served again", lambda: S3().request("GET", n).status == 200)  # lighttpd passes over a worker for a second
    if result[0].status == 200:
        ok("and what it says is true", S3().get(n, "k").body == data)
    else:
        ok("or a 5xx, and nothing is left", result[0].status >= 500 and S3().keys(n) == [], result)


# ---- when the global database is away ----

def health(region):
    r = S3(region).send("GET", "/-/health")
    return r.status, json.loads(r.body)


@contextlib.contextmanager
def more_settings(region, *lines):
    """The region's workers have these lines of anvil.conf, too."""
    before = open(region.conf).read()
    with open(region.conf, "a") as f:
        f.write("\n".join(lines) + "\n")
    try:
        quickstart("--restart", region.name + "/s3")
        until("%s serves" % region, lambda: S3(region).send("GET", "/").status != 500, 20)
        yield
    finally:
        with open(region.conf, "r+") as f:
            f.write(before)
            f.truncate()
        quickstart("--restart", region.name + "/s3")


@contextlib.contextmanager
def no_global_database(region, invalidator, *lines):
    """The region's workers do not reach the global database, and do not hear of it either when `invalidator` is false.
    More lines of anvil.conf may follow."""
    until("well before", lambda: health(region)[1]["status"] == "ok", 30)
    try:
        if not invalidator:
            quickstart("--stop", region.name + "/invalidator")
        with more_settings(region, 'global_dsn = "host=/nonexistent dbname=none"', *lines):
            yield
    finally:
        if not invalidator:
            quickstart("--start", region.name + "/invalidator")
        until("well again", lambda: health(region)[1]["status"] == "ok", 30)


def s3_log(region):
    return open(os.path.join(DIR, "log", region.name + "-s3.log"), errors="replace").read()


def hot_bucket(home, via):
    """A bucket with an object, asked for so that its metadata is in memcached there; and its policy's reader."""
    n = bucket(home)
    S3(home).put(n, "k", b"x")
    for _ in range(3):
        status(S3(via).get(n, "k"), 200)
    return n


def no_change_is_half_done(region, n):
    """Every kind of change is refused, and nothing of it is seen once the database is back."""
    new = "t-" + secrets.token_hex(8)
    policy = b'{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}]}' % n.encode()
    for method, name, query, body in (("PUT", new, None, b""), ("PUT", n, "policy", policy), ("DELETE", n, "policy", b""), ("DELETE", n, None, b"")):
        r = S3(region).request(method, name, query=query, body=body)
        error(r, 503, "SlowDown")
        ok("Retry-After", int(r.get("Retry-After")) >= 1, r.headers)
    return new


def test_cut_off_refuses():
    """Neither the primary nor beats: 503 SlowDown with Retry-After for all that needs metadata, and the other region goes on."""
    n = hot_bucket(US, US)
    with no_global_database(US, False):
        r = until("refused", lambda: next((r for r in [S3(US).get(n, "k")] if r.status == 503), None), 20)
        error(r, 503, "SlowDown")
        ok("Retry-After", int(r.get("Retry-After")) >= 1, r.headers)
        line = log_line(US, r.get("x-amz-request-id"))
        contains("the log says so", line, "err=SlowDown")
        contains("and nothing was handed out unproved", line, "unproved=0")
        status(S3(US).request("HEAD", n), 503)
        code, h = health(US)
        eq("health", (code, h["status"], h["metadata"], h["regional_database"], h["cache_trusted"]), (503, "failing", "unknown", True, False))
        new = no_change_is_half_done(US, n)
        S3(EU).put(bucket(EU), "k", b"y")
        eq("trusted since", metric(US, "anvil_metadata_trusted_since_timestamp_seconds"), 0)
        st = admin(US, "cache", "status", "--watch-ms", "0")
        contains("an operator is told", st.out + st.err, "the global database does not answer")
        contains("and what the region knows of itself", st.out, "memcached")
    status(S3(US).get(n, "k"), 200)
    error(S3(EU).request("GET", n, query="policy"), 404, "NoSuchBucketPolicy")
    status(S3(EU).request("HEAD", new), 404)
    S3(US).put(n, "k2", b"z")


def test_cut_off_serves_old():
    """metadata_when_cut_off = serve: what lies in memcached serves for a while, and log, metrics and health say so."""
    n = hot_bucket(US, US)
    served = metric(US, "anvil_cache_served_old_total")
    began = len(s3_log(US))
    with no_global_database(US, False, "metadata_when_cut_off = serve", "metadata_cache_ttl_secs = 25"):
        r = until("served", lambda: next((r for r in [S3(US).get(n, "k")] if r.status == 200), None), 20)
        eq("the object", r.body, b"x")
        eq("the key and the bucket were not proved", re.search(r" unproved=(\d+)", log_line(US, r.get("x-amz-request-id"))).group(1), "2")
        S3(US).put(n, "written", b"w")
        code, h = health(US)
        eq("health", (code, h["status"], h["metadata"]), (200, "degraded", "unproved"))
        ok("counted", metric(US, "anvil_cache_served_old_total") >= served + 2)
        ok("and when", metric(US, "anvil_metadata_served_old_timestamp_seconds") > time.time() - 60)
        contains("an event says when it began", s3_log(US)[began:], " ev=serve.old ")
        error(S3(US).get("t-" + secrets.token_hex(8), "k"), 503, "SlowDown")
        no_change_is_half_done(US, n)
        # What serve means: a change elsewhere is not seen here, until what is cached is too old.
        status(S3(EU).request("PUT", n, query="policy", body=b'{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}]}' % n.encode()), 204)
        eq("eu knows", S3(EU).request("GET", n, query="policy").status, 200)
        until("what is cached is too old", lambda: S3(US).get(n, "k").status == 503, 40)
    error(S3(US).get(n, "k"), 403, "AccessDenied")
    status(S3(US).request("DELETE", n, query="policy"), 204)


def test_only_the_database_is_away():
    """Beats come (the invalidator reaches a source), the workers reach no primary: what is proved is served, the rest is 503."""
    n = hot_bucket(US, US)
    with no_global_database(US, True):
        r = until("hot requests go on", lambda: next((r for r in [S3(US).get(n, "k")] if r.status == 200), None), 30)
        line = log_line(US, r.get("x-amz-request-id"))
        contains("proved", line, "unproved=0")
        contains("without the database", line, "global_queries=0")
        S3(US).put(n, "written", b"w")
        code, h = health(US)
        eq("health", (code, h["status"], h["metadata"], h["cache_trusted"]), (200, "degraded", "cache only", True))
        error(S3(US).get("t-" + secrets.token_hex(8), "k"), 503, "SlowDown")
        no_change_is_half_done(US, n)
        status(S3(US).get(n, "k"), 200)
        status(S3(EU).request("PUT", n, query="policy", body=b'{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}]}' % n.encode()), 204)
        error(S3(US).get(n, "k"), 503, "SlowDown")
    error(S3(US).get(n, "k"), 403, "AccessDenied")
    status(S3(US).request("DELETE", n, query="policy"), 204)
    status(S3(US).get(n, "k"), 200)


def test_writers_say_whom_they_waited_for():
    """A region whose invalidator is down: a writer waits W for it, and its log line names it."""
    quickstart("--stop", US.name + "/invalidator")
    try:
        n = bucket(EU)
        r = S3(EU).request("PUT", n, query="policy", body=b'{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}]}' % n.encode())
        status(r, 204)
        line = log_line(EU, r.get("x-amz-request-id"))
        waited = int(re.search(r" ack_us=(\d+)", line).group(1))
        ok("named when it was waited for in vain", (" ack_silent=us" in line) == (waited > 3000000), line)
        ok("the distribution has it", metric(EU, "anvil_metadata_ack_wait_seconds_count") > 0)
    finally:
        quickstart("--start", US.name + "/invalidator")
    until("trusted again", lambda: health(US)[1]["cache_trusted"], 20)


def test_workers_killed_while_they_deliver():
    """kill -9 of every worker while webhooks are called, and right after writes: every event of every write that was answered comes."""
    import webhook
    n, w = bucket(EU), webhook.Receiver()
    w.hold = threading.Event()
    status(S3().request("PUT", n, query="notification", body=webhook.configuration(webhook.queue(w.queue, "s3:ObjectCreated:*"))), 200)
    keys = ["k%d" % i for i in range(20)]
    for k in keys:
        S3().put(n, k, b"x")
    until("a call is under way", lambda: w.calls)
    for pid in s3_workers(EU):
        kill(pid)
    w.hold.set()
    psql("UPDATE webhook_queues SET held_until = 'epoch' WHERE webhook = '%s'" % w.name, EU.dsn)  # as if what the dead held it for was over
    until("they serve", lambda: S3().send("GET", "/-/health").status == 200, 20)
    w.wait_for(*[("ObjectCreated:Put", k) for k in keys], seconds=60)
    ok("the call that was cut off was made again", len(w.tests()) >= 2, w.tests())
    w.close(n, s3=S3())


if __name__ == "__main__":
    main()
