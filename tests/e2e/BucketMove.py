#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""anvil-admin bucket move: a bucket goes to another region while it is read and written; nothing is lost."""
import os
import signal
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from copies import SSE, customer  # noqa: E402
from quotas import usage  # noqa: E402
import anvil  # noqa: E402
import uploads  # noqa: E402

ODD = "a b/ü%2F\"\\\x01+"


def moved(name, home):
    """The test's end removes it where it is at home by then."""
    anvil._made[:] = [(n, home if n == name else h, S3(home) if n == name else s) for n, h, s in anvil._made]
    for region in (EU, US):
        eq("home, asked in %s" % region, S3(region).request("HEAD", name).get("x-amz-bucket-region"), home.name)


def move(name, to=US):
    record = admin_json(to, "bucket", "move", name, to.name)
    moved(name, to)
    return find_field(record, "move")


def rows(name, region, table="objects"):
    i = psql("SELECT id FROM buckets WHERE name = '%s'" % name)
    return int(psql("SELECT count(*) FROM %s WHERE bucket_id = '%s'" % (table, i), conf_value(region, "regional_dsn")))


class Loop(threading.Thread):
    """Calls fn(i) until it is told to stop; keeps the first failure."""
    def __init__(self, fn):
        super().__init__(daemon=True)
        self.fn, self.n, self.failure, self.ending = fn, 0, None, False
        self.start()

    def run(self):
        while not self.ending and self.failure is None:
            try:
                self.fn(self.n)
                self.n += 1
            except Exception as e:  # noqa: BLE001
                self.failure = e

    def end(self):
        self.ending = True
        self.join(30)
        if self.failure is not None:
            raise self.failure


def again(call):
    """As an SDK does: what is answered 503 is asked again."""
    r = None
    for _ in range(100):
        r = call()
        if r.status != 503:
            return r
        time.sleep(0.05)
    fail("for ever 503: %s" % r)


HEADERS = ("ETag", "Last-Modified", "Content-Length", "Content-Type", "x-amz-meta-a", "x-amz-version-id", "x-amz-storage-class", "x-amz-tagging-count", "x-amz-checksum-crc32",
           "x-amz-checksum-crc64nvme", SSE, SSE + "-customer-key-MD5", "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold", "x-amz-mp-parts-count")


def test_all_of_it():
    """Objects small and large, plain and sealed, of parts; tags, metadata; an upload that goes on elsewhere."""
    n, s3, key = bucket(EU), S3(), customer(1)
    put = {
        "small": (b"x" * 100, {"x_amz_meta_a": "1", "x_amz_tagging": "a=b&c=d", "content_type": "text/a"}),
        "large": (random_bytes(300000, 1), {"x_amz_storage_class": "STANDARD_IA", "x_amz_checksum_algorithm": "CRC32"}),
        "empty": (b"", {}),
        "sealed": (random_bytes(300000, 2), {SSE.replace("-", "_"): "AES256"}),
        "sealed small": (b"y" * 99, {SSE.replace("-", "_"): "AES256"}),
        ODD: (random_bytes(20000, 3), {}),
    }
    for k, (body, headers) in put.items():
        status(s3.put(n, k, body, **headers), 200)
    if conf_value(EU, "sse_c_without_tls") == "true":
        put["customer"] = (random_bytes(200000, 4), key)
        status(s3.put(n, "customer", put["customer"][0], **key), 200)
    bodies = [random_bytes(5 << 20, 5), random_bytes(70000, 6)]
    uploads.upload(n, "parts", bodies)
    uploads.upload(n, "sealed parts", bodies, **{SSE.replace("-", "_"): "AES256"})
    put["parts"] = put["sealed parts"] = (b"".join(bodies), {})
    u = uploads.create(n, "later", x_amz_tagging="e=f", **{SSE.replace("-", "_"): "AES256"})
    parts = [(1, uploads.put_part(n, "later", u, 1, bodies[0]).get("ETag"))]
    heads = {k: s3.head(n, k, x_amz_checksum_mode="ENABLED", **(key if k == "customer" else {})) for k in put}
    listing, tags = s3.keys(n, encoding_type="url"), tags_of(n, key="small")

    m = move(n)
    eq("said", (m["source"], m["target"]), (EU.name, US.name))
    for via in (S3(US), S3(EU)):
        for k, (body, _) in put.items():
            more = key if k == "customer" else {}
            ok("bytes of %r" % k, again(lambda: via.get(n, k, **more)).body == body)
            h = via.head(n, k, x_amz_checksum_mode="ENABLED", **more)
            eq("headers of %r" % k, [h.get(x) for x in HEADERS], [heads[k].get(x) for x in HEADERS])
    eq("keys", S3(US).keys(n, encoding_type="url"), listing)
    eq("tags", tags_of(n, key="small", s3=S3(US)), tags)
    r = S3(US).get(n, "sealed parts", range="bytes=5242870-5242889")
    eq("a range over two parts", r.body, put["parts"][0][5242870:5242890])
    # The upload has its first part from there and the second from here.
    parts.append((2, uploads.put_part(n, "later", u, 2, bodies[1], s3=S3(US)).get("ETag")))
    status(uploads.complete(n, "later", u, parts, s3=S3(US)), 200)
    ok("completed after the move", S3(EU).get(n, "later").body == put["parts"][0])
    eq("its tags", tags_of(n, key="later", s3=S3(US)), [("e", "f")])
    # A copy of sealed bytes that came from elsewhere is read by what they were sealed as.
    status(S3(US).request("PUT", n, "copy", headers={"x-amz-copy-source": n + "/sealed"}), 200)
    ok("copied", S3(US).get(n, "copy").body == put["sealed"][0])


def test_versions():
    """Versions, markers, null versions, locks; and back again."""
    n = bucket(EU)
    s3 = S3()
    status(s3.put(n, "k", b"null"), 200)
    versioned(EU, name=n)
    for i in range(3):
        s3.put(n, "k", b"v%d" % i)
    s3.delete(n, "gone")
    s3.put(n, "back", b"1")
    s3.delete(n, "back")
    versioned(EU, state=b"Suspended", name=n)
    s3.put(n, "k", b"null again")
    l = locked(EU)
    v = s3.put(l, "k", b"kept", x_amz_object_lock_mode="GOVERNANCE", x_amz_object_lock_retain_until_date=days_ahead(1), x_amz_object_lock_legal_hold="ON").get("x-amz-version-id")
    was, lock = versions(n), [s3.head(l, "k").get(x) for x in HEADERS]
    for to in (US, EU):
        move(n, to)
        eq("versions", versions(n, region=to), was)
        eq("versioning", S3(to).request("GET", n, query="versioning").text("Status"), "Suspended")
    move(l)
    eq("lock", [S3(US).head(l, "k").get(x) for x in HEADERS], lock)
    error(S3(US).request("DELETE", l, "k", query="versionId=" + v), 403, "AccessDenied")
    put_hold(l, "OFF", s3=S3(US))
    status(S3(US).request("DELETE", l, "k", query="versionId=" + v, headers={"x-amz-bypass-governance-retention": "true"}), 204)
    status(S3(EU).put(n, "k", b"new"), 200)
    eq("null stays one", (S3(US).head(n, "k").get("x-amz-version-id"), len(versions(n))), ("null", len(was)))


def test_while_in_use():
    """Readers see nothing of it; every write that was acknowledged is there, in its last state."""
    n, other = bucket(EU), bucket(EU)
    big = random_bytes(400000, 7)
    for i in range(150):
        S3().put(n, "still/%d" % i, b"%d" % i)
    S3().put(n, "still/big", big)
    last, lock = {}, threading.Lock()

    def read(via):
        def one(i):
            r = again(lambda: via.get(n, "still/big")) if i % 5 == 0 else again(lambda: via.get(n, "still/%d" % (i % 150)))
            ok("read: %s" % r, r.status == 200 and r.body == (big if i % 5 == 0 else b"%d" % (i % 150)))
        return one

    def write(via, who):
        def one(i):
            key, body = "w%s/%d" % (who, i % 7), b"%s %d" % (who.encode(), i)
            if i % 3 == 2:
                status(again(lambda: via.delete(n, key)), 204)
                body = None
            else:
                status(again(lambda: via.request("PUT", n, key, body=body if i % 3 else body * 4000)), 200)
            with lock:
                last[key] = body if i % 3 else body * 4000
            if body is not None:  # what was acknowledged is there at once, wherever it is asked for
                r = again(lambda: S3(US if via.region is EU else EU).get(n, key))
                ok("read your writes: %s" % r, r.status == 200 and r.body == last[key])
        return one

    loops = [Loop(read(S3(EU))), Loop(read(S3(US))), Loop(write(S3(EU), "e")), Loop(write(S3(US), "u"))]
    try:
        until("the loops run", lambda: all(x.n > 3 or x.failure for x in loops))
        m = move(n)
        ok("how long writes waited is said", m["paused_us"] > 0, m["paused_us"])
        done = [x.n for x in loops]
        until("they go on", lambda: all(x.n > d + 2 or x.failure for x, d in zip(loops, done)))
    finally:
        for x in loops:
            x.ending = True
    for x in loops:
        x.end()
    for k, body in last.items():
        r = S3(US).get(n, k)
        eq("the last write of %s" % k, (r.status, r.body if body is not None else None), (404, None) if body is None else (200, body))
    eq("keys", sorted(S3(US).keys(n, **{"prefix": "w"})), sorted(k for k, b in last.items() if b is not None))
    eq("another bucket stays", S3(US).request("HEAD", other).get("x-amz-bucket-region"), EU.name)


def test_resume():
    """Killed at some point, it goes on; a mover of the same move waits for its turn."""
    n = bucket(EU)
    for i in range(40):
        S3().put(n, "k%d" % i, random_bytes(30000, i))
    p = subprocess.Popen(["anvil-admin", "-c", US.conf, "bucket", "move", n, US.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until("it has begun", lambda: psql("SELECT 1 FROM bucket_moves WHERE bucket = '%s'" % n) == "1", 10)
    p.send_signal(signal.SIGKILL)
    p.wait()
    status(again(lambda: S3().request("PUT", n, "k0", body=b"between")), 200)
    status(again(lambda: S3().delete(n, "k1")), 204)
    if S3().request("HEAD", n).get("x-amz-bucket-region") == EU.name:
        move(n)
    else:
        moved(n, US)
    eq("changed between", (S3(US).get(n, "k0").body, S3(US).get(n, "k1").status), (b"between", 404))
    ok("all there", all(S3(US).get(n, "k%d" % i).body == random_bytes(30000, i) for i in range(2, 40)))
    eq("listed", [x["state"] for x in find_field(admin_json(EU, "bucket", "moves", "--all", "--bucket", n), "moves")], ["done"])
    # What the source still has goes with maintain, and only that.
    admin(EU, "maintain")  # where nobody had asked for it since, it is gone from now, and its grace begins
    eq("rows are left", rows(n, EU) > 0, True)
    psql("UPDATE bucket_moving SET since = since - interval '1 day'", conf_value(EU, "regional_dsn"))
    admin(EU, "maintain")
    eq("rows in both", (rows(n, EU), rows(n, US)), (0, 39))
    ok("read after it", S3(EU).get(n, "k2").body == random_bytes(30000, 2))


def test_frozen():
    """A freeze whose mover died ends by itself; until then writes wait, or are told to come back. Cancel; then again."""
    n = bucket(EU)
    S3().put(n, "k", b"1")
    dsn = conf_value(EU, "regional_dsn")
    psql("INSERT INTO bucket_moves (id, bucket_id, bucket, source, target, state, freeze_no, frozen_until) "
         "SELECT gen_random_uuid(), id, name, 'eu', 'us', 'frozen', 1, clock_timestamp() + interval '0.2 s' FROM buckets WHERE name = '%s'".replace("'eu'", "'%s'" % EU.name).replace("'us'", "'%s'" % US.name) % n)
    move_id, bucket_id = psql("SELECT id, bucket_id FROM bucket_moves WHERE bucket = '%s'" % n).split("|")
    psql("INSERT INTO bucket_moving (bucket_id, move_id, state, freeze_no) VALUES ('%s', '%s', 'frozen', 1)" % (bucket_id, move_id), dsn)
    psql("SELECT setval('bucket_moving_on', 1, true)", dsn)
    eq("read", S3().get(n, "k").body, b"1")
    status(S3().put(n, "k", b"2"), 200)
    eq("thawed", psql("SELECT state FROM bucket_moving WHERE bucket_id = '%s'" % bucket_id, dsn), "out")
    eq("noted", psql("SELECT count(*) FROM bucket_changes WHERE bucket_id = '%s'" % bucket_id, dsn), "1")
    contains("shown", admin(EU, "bucket", "show", n).out, "to %s: copying" % US.name)
    psql("UPDATE bucket_moves SET state = 'frozen', freeze_no = 2, frozen_until = clock_timestamp() + interval '1 hour' WHERE id = '%s'" % move_id)
    psql("UPDATE bucket_moving SET state = 'frozen', freeze_no = 2 WHERE bucket_id = '%s'" % bucket_id, dsn)
    r = tagging("PUT", n, [("a", "b")])
    error(r, 503, "SlowDown")
    eq("when to come back", r.get("Retry-After"), "1")
    admin(US, "bucket", "move", n, "--cancel")
    status(S3().put(n, "k", b"3"), 200)
    eq("no traces", (psql("SELECT count(*) FROM bucket_moving WHERE bucket_id = '%s'" % bucket_id, dsn), psql("SELECT count(*) FROM bucket_changes WHERE bucket_id = '%s'" % bucket_id, dsn)), ("0", "0"))
    move(n)
    eq("moved after all", S3(US).get(n, "k").body, b"3")


def test_cancel():
    """What was copied goes away again, and the bucket stays."""
    n = bucket(EU)
    for i in range(3):
        S3().put(n, "k%d" % i, random_bytes(30000, i))
    p = admin(US, "bucket", "move", n, "--cancel", check=False)
    ok("nothing to cancel", p.returncode not in (0, 2), p.err)
    contains("says so", p.err, "none is under way")
    p = subprocess.Popen(["anvil-admin", "-c", US.conf, "bucket", "move", n, US.name], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until("it has begun", lambda: psql("SELECT 1 FROM bucket_moves WHERE bucket = '%s'" % n) == "1")
    p.send_signal(signal.SIGSTOP)
    p2 = admin(EU, "bucket", "move", n, "--cancel", check=False)
    p.send_signal(signal.SIGCONT)
    p.wait(30)
    if p2.returncode == 0:
        ok("the mover stops", p.returncode != 0)
        admin(US, "maintain")
        psql("UPDATE bucket_moving SET since = since - interval '1 day'", conf_value(US, "regional_dsn"))
        admin(US, "maintain")
        eq("rows in both", (rows(n, EU), rows(n, US)), (3, 0))
        eq("home", S3(US).request("HEAD", n).get("x-amz-bucket-region"), EU.name)
        status(S3().put(n, "k0", b"x"), 200)
        move(n)
    else:
        moved(n, US)
    ok("there", S3(US).get(n, "k1").body == random_bytes(30000, 1))


def blob_path(n, key, region=EU):
    """The file of an object, or of its first part."""
    i = psql("SELECT id FROM buckets WHERE name = '%s'" % n)
    blob = psql("SELECT replace(coalesce(o.blob_id, p.blob_id)::text, '-', '') FROM objects o LEFT JOIN parts p ON p.upload_id = o.parts_id AND p.part_no = 1 "
                "WHERE o.bucket_id = '%s' AND o.key = '%s'" % (i, key), conf_value(region, "regional_dsn"))
    return os.path.join(conf_value(region, "store_dir"), blob[:3], blob)


def damage(path, at):
    with open(path, "r+b") as f:
        f.seek(at)
        was = f.read(1)
        f.seek(at)
        f.write(bytes([was[0] ^ 1]))


def test_damaged():
    """Bytes that are not what their row says are not moved: that is said, and the bucket stays; mended, it goes."""
    n, s3, sse = bucket(EU), S3(), {SSE.replace("-", "_"): "AES256"}
    bodies = [random_bytes(5 << 20, 1), random_bytes(10, 2)]
    put = {"plain": random_bytes(300000, 3), "sealed": random_bytes(300000, 4), "parts": b"".join(bodies), "sealed parts": b"".join(bodies)}
    s3.put(n, "plain", put["plain"])
    s3.put(n, "sealed", put["sealed"], **sse)
    uploads.upload(n, "parts", bodies)
    uploads.upload(n, "sealed parts", bodies, **sse)
    i = psql("SELECT id FROM buckets WHERE name = '%s'" % n)

    def refused():
        # Nobody waits for the lease of the one that failed.
        psql("UPDATE bucket_moving SET seen_at = seen_at - interval '1 minute' WHERE bucket_id = '%s'" % i, conf_value(US, "regional_dsn"))
        p = admin(US, "--verbose", "bucket", "move", n, US.name, check=False)
        eq("it fails: %s" % p.err, p.returncode, 1)
        contains("logged", p.err, "move.damaged")
        return p.err

    s3.put(n, "short", random_bytes(100000))
    with open(blob_path(n, "short"), "r+b") as f:
        f.truncate(50000)
    contains("a short one", refused(), "it has not as many bytes as its row says; it has bytes of \"short\"")
    status(s3.delete(n, "short"), 204)
    for key, at, says in (("plain", 200000, "its MD5 is not its row's"), ("sealed", 100000, "its sealed bytes are not what was sealed"),
                          ("parts", 4 << 20, "its MD5 is not its row's"), ("sealed parts", 1, "its sealed bytes are not what was sealed")):
        path = blob_path(n, key)
        damage(path, at)
        contains("what it is", refused(), "%s; it has bytes of \"%s\"" % (says, key))
        eq("home", S3(US).request("HEAD", n).get("x-amz-bucket-region"), EU.name)
        status(s3.put(n, "written", b"meanwhile"), 200)
        damage(path, at)
    # What the row holds itself: of a small object, and of a small part.
    put.update({"small": b"bytes in a row", "small sealed": b"sealed bytes in a row"})
    s3.put(n, "small", put["small"])
    s3.put(n, "small sealed", put["small sealed"], **sse)

    def change(rows, what):
        psql("UPDATE %s SET data = %s WHERE bucket_id = '%s' AND data IS NOT NULL AND %s" % (rows[0], what, i, rows[1]), conf_value(EU, "regional_dsn"))

    flip = "set_byte(data, 3, get_byte(data, 3) # 1)"
    small = ("objects", "key = 'small'")
    for rows, key, there, back, says in ((small, "small", flip, flip, "its MD5 is not its row's"),
                                         (small, "small", "data || '.'", "substr(data, 1, length(data) - 1)", "it has not as many bytes as its row says"),
                                         (("objects", "key = 'small sealed'"), "small sealed", flip, flip, "its sealed bytes are not what was sealed"),
                                         (("parts", "part_no = 2"), "parts", flip, flip, "its MD5 is not its row's")):
        change(rows, there)
        contains("what it is", refused(), "what the row of \"%s\" holds is damaged in region \"%s\": %s" % (key, EU.name, says))
        eq("home", S3(US).request("HEAD", n).get("x-amz-bucket-region"), EU.name)
        change(rows, back)
    move(n)
    for key in put:
        ok("moved: " + key, S3(US).get(n, key).body == put[key])
    eq("and nothing else", S3(US).keys(n), ["parts", "plain", "sealed", "sealed parts", "small", "small sealed", "written"])


def test_deleted_meanwhile():
    """DeleteBucket ends a move; a bucket that moved is deleted in its new home."""
    n = bucket(EU)
    psql("INSERT INTO bucket_moves (id, bucket_id, bucket, source, target) SELECT gen_random_uuid(), id, name, '%s', '%s' FROM buckets WHERE name = '%s'" % (EU.name, US.name, n))
    status(S3().request("DELETE", n), 204)
    eq("ended", psql("SELECT state FROM bucket_moves WHERE bucket = '%s'" % n), "cancelled")
    n = bucket(EU)
    S3().put(n, "k", b"x")
    move(n)
    error(S3(EU).request("DELETE", n), 409, "BucketNotEmpty")
    S3(EU).delete(n, "k")
    status(S3(EU).request("DELETE", n), 204)
    status(S3(US).request("HEAD", n), 404)


def test_refused():
    """What cannot be moved, and who may not ask."""
    n = bucket(EU)
    for args, code, says in ((("no-such-bucket", US.name), 3, "there is no bucket"), ((n, "mars"), 3, "there is no active region"), ((n, EU.name), 4, "already"), ((n,), 2, "say to which region")):
        for region in (EU, US):
            p = admin(region, "bucket", "move", *args, check=False)
            if args[-1] == US.name and region is EU:
                continue
            ok("%s in %s: %d" % (args, region, p.returncode), p.returncode not in (0,), p.err)
            contains("says why", p.err, says)
    p = admin(EU, "bucket", "move", n, US.name, check=False)
    ok("in the wrong region", p.returncode != 0)
    contains("says where", p.err, "run this with region")
    eq("nothing was begun", psql("SELECT count(*) FROM bucket_moves WHERE bucket = '%s'" % n), "0")
    for question in ("out", "page", "changes", "freeze", "settle", "blob?id=00000000-0000-0000-0000-000000000000"):
        error(S3().send("GET", "/-/move/" + question), 404, "NoSuchKey")
    error(S3().send("GET", "/-/move/page", {"x-anvil-hop": "AAAA"}), 403, "AccessDenied")


def test_events():
    """What waits for a webhook is delivered from where it happened; what happens later from there, with greater sequencers."""
    from webhook import Receiver, configuration, queue
    n, w = bucket(EU), Receiver(listen=False)
    status(S3().request("PUT", n, query="notification", body=configuration(queue(w.queue, "s3:ObjectCreated:*"))), 200)
    for i in range(3):
        S3().put(n, "k", b"%d" % i)
    move(n)
    for i in range(3):
        S3(US).put(n, "k", b"%d" % i)
    w.start()
    until("all of them", lambda: len(w.told()) == 6, 60)
    records = sorted(w.records(), key=lambda r: r["s3"]["object"]["sequencer"])
    eq("before, then after", [r["awsRegion"] for r in records], [EU.name] * 3 + [US.name] * 3)
    w.close(n, s3=S3(US))


def test_quota():
    """It goes with the bucket: in force in the new home when the move is done, and no account is left in the old one."""
    n = bucket(EU)
    admin(EU, "bucket", "quota", n, "--bytes", "100K", "--objects", "9")
    for i in range(8):
        status(S3().request("PUT", n, "k%d" % i, body=b"x" * (100 if i else 50000)), 200)
    move(n)
    eq("counted there", usage(n, US), (50700, 8))
    status(again(lambda: S3(US).request("PUT", n, "k8", body=b"x" * 100)), 200)
    error(again(lambda: S3(EU).request("PUT", n, "k9", body=b"x")), 403, "QuotaExceeded")
    admin(EU, "maintain")
    i = psql("SELECT id FROM buckets WHERE name = '%s'" % n)
    eq("no account", psql("SELECT count(*) FROM bucket_quotas WHERE bucket_id = '%s'" % i, conf_value(EU, "regional_dsn")), "0")
    move(n, EU)
    eq("and back", usage(n, EU), (50800, 9))
    error(again(lambda: S3(US).request("PUT", n, "k9", body=b"x")), 403, "QuotaExceeded")


if __name__ == "__main__":
    main()
