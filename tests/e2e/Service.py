#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What an operator sees of the workers: log lines, metrics, health."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from uploads import *  # noqa: E402,F403


FIELDS = ("ts", "lvl", "ev", "rid", "method", "op", "bucket", "key", "st", "in", "out", "us", "db_us", "cache_us", "store_us")


def fields(line):
    return dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)', line))


def test_log_line():
    """One line a request, with its id, operation, bucket, status, bytes and times."""
    n = bucket(EU)
    r = S3().put(n, "dir/k", b"x" * 100000)
    f = fields(log_line(EU, r.get("x-amz-request-id")))
    eq("all fields", [x for x in FIELDS if x not in f], [])
    eq("what it was", (f["op"], f["bucket"], f["st"], f["in"], f["rid"], f["method"]), ("PutObject", n, "200", "100000", r.get("x-amz-request-id"), "PUT"))
    ok("times are told", int(f["us"]) > 0 and int(f["db_us"]) > 0 and int(f["store_us"]) > 0, f)
    r = S3().get(n, "dir/k")
    f = fields(log_line(EU, r.get("x-amz-request-id")))
    eq("bytes out", (f["op"], f["out"]), ("GetObject", "100000"))


def test_refused_and_failed_are_logged():
    n = bucket(EU)
    for r, st, op in ((S3(EU, KEY, "wrong").get(n, "k"), "403", "GetObject"), (S3().get(n, "none"), "404", "GetObject"), (S3().request("PUT", n, query="inventory"), "501", "PutBucketInventoryConfiguration"),
                      (S3().send("GET", "/%s/k" % n), "403", "GetObject")):
        f = fields(log_line(EU, r.get("x-amz-request-id")))
        eq("status and operation", (f["st"], f["op"]), (st, op))


def test_log_cannot_be_forged():
    """Line ends, quotes and control bytes in a key stay in their value."""
    n = bucket(EU)
    key = 'a\nts=1 lvl=info ev=request rid=FORGED" b\x1b[31m'
    r = S3().put(n, key, b"x")
    line = log_line(EU, r.get("x-amz-request-id"))
    ok("one line, quoted", "\x1b" not in line and "FORGED" in line and line.startswith("ts=2"), line)


def test_no_secrets_in_logs():
    """Neither secrets nor signatures that could be used again."""
    n = bucket(EU)
    s3 = S3()
    r = s3.send("GET", s3.presigned("GET", n, "k"))
    log_line(EU, r.get("x-amz-request-id"))
    text = open(os.path.join(DIR, "log", EU.name + "-s3.log"), errors="replace").read()
    ok("no secret", SECRET not in text and SECRET2 not in text)
    ok("no presigned signature", "X-Amz-Signature" not in text)


def test_relayed_line():
    """A relayed request has a line in both regions with one id."""
    n = bucket(EU)
    r = S3(US).put(n, "k", b"x")
    rid = r.get("x-amz-request-id")
    here = fields(log_line(US, rid))
    contains("route", here.get("route", ""), "relay")
    home = [x for x in open(os.path.join(DIR, "log", EU.name + "-s3.log"), errors="replace") if " ev=request " in x and ("from=" + US.name) in x and n in x]
    ok("eu's line says from where", len(home) >= 1, home[-3:])


def test_metrics():
    """Prometheus text: every line is one, counters by operation and status grow."""
    n = bucket(EU)
    before = metric(EU, "anvil_requests_total", operation="HeadObject", status="4xx")
    for _ in range(3):
        S3().head(n, "none")
    ok("counted", metric(EU, "anvil_requests_total", operation="HeadObject", status="4xx") >= before + 3)
    r = S3().send("GET", "/-/metrics")
    contains("content type", r.get("Content-Type"), "text/plain; version=0.0.4")
    for line in r.body.decode().splitlines():
        ok("a line of the format: " + line, re.fullmatch(r'(# (HELP|TYPE) \w+ .*|\w+(\{(\w+="[^"]*",?)*\})? [-+0-9.eEInfNa]+|)', line))
    for name in ("anvil_cache_hits_total", "anvil_db_queries_total", "anvil_request_seconds_bucket", "anvil_relayed_total"):
        contains("has " + name, r.body.decode(), name)


def test_uploads_metrics():
    """Unfinished uploads: how many, what they hold, since when; and no more when they are over."""
    n, size = bucket(EU), 1 << 20
    i = create(n, "k")
    status(put_part(n, "k", i, 1, b"x" * size), 200)
    # Younger than what another test's maintain would give up; older than what other tests have begun.
    psql("UPDATE uploads SET started_at = now() - interval '6 days' WHERE bucket_id = '%s'" % find_field(admin_json(EU, "bucket", "show", n), "id"), EU.dsn)

    def oldest():
        return int(psql("SELECT coalesce(floor(extract(epoch FROM min(started_at))), 0)::bigint FROM uploads", EU.dsn))
    until("the oldest", lambda: 0 < metric(EU, "anvil_uploads_oldest_timestamp_seconds") == oldest() < time.time() - 5 * 86400, 90)
    ok("counted", metric(EU, "anvil_uploads_unfinished") >= 1 and metric(EU, "anvil_uploads_parts") >= 1)
    ok("its bytes", metric(EU, "anvil_uploads_bytes") >= size)
    ok("not long ago", time.time() - metric(EU, "anvil_uploads_counted_timestamp_seconds") < 90)
    shown = find_field(admin_json(EU, "status"), "unfinished")
    ok("status says the same", shown["uploads"] >= 1 and shown["parts"] >= 1 and shown["bytes"] >= size, shown)
    status(abort(n, "k", i), 204)
    until("it is told no more", lambda: metric(EU, "anvil_uploads_oldest_timestamp_seconds") == oldest(), 90)


def test_health():
    for region in (EU, US):
        r = S3(region).send("GET", "/-/health")
        eq("status", r.status, 200)
        h = until("cache is trusted", lambda: next((x for x in [json.loads(S3(region).send("GET", "/-/health").body)] if x["cache_trusted"]), None), 20)
        eq("region", h["region"], region.name)
        eq("well", (h["status"], h["metadata"], h["regional_database"], h["global_database"], h["store"]), ("ok", "well", True, True, True))
        ok("trusted since", 0 < metric(region, "anvil_metadata_trusted_since_timestamp_seconds") <= time.time() + 1)
    error(S3().send("GET", "/-/nothing"), 404, "NoSuchKey")
    eq("only read", S3().send("DELETE", "/-/health").status, 405)


def test_invalidators_metrics():
    """The invalidators beat and apply events, as the region's metrics tell."""
    before = metric(EU, "anvil_invalidator_beats_total")
    until("beats go on", lambda: metric(EU, "anvil_invalidator_beats_total") > before, 10)
    applied = metric(US, "anvil_invalidator_events_total")
    bucket(EU)
    until("events are applied", lambda: metric(US, "anvil_invalidator_events_total") > applied, 10)
    eq("a source", metric(EU, "anvil_invalidator_is_source"), 1)
    ok("beating, under whichever number", metric(EU, "anvil_invalidator_beating") >= 1)
    until("every region is current", lambda: sum(metric(EU, "anvil_metadata_behind_events", of=r.name) for r in (EU, US)) == 0, 10)
    ok("trusted, and since when", metric(EU, "anvil_cache_trusted", server="0") == 1 and metric(EU, "anvil_cache_trust_changed_timestamp_seconds") > 0)
    ok("the beat's age", 0 <= metric(EU, "anvil_cache_beat_age_seconds", server="0") < 3)


if __name__ == "__main__":
    main()
