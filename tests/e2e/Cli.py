#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""anvil-admin as scripts and people use it."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from uploads import *  # noqa: E402,F403

import csv  # noqa: E402


def test_help_at_every_level():
    top = run("anvil-admin", "--help").out
    for noun in ("db", "region", "tenant", "app", "policy", "bucket", "operator", "cache", "doctor", "maintain"):
        contains("--help", top, noun)
        text = run("anvil-admin", noun, "--help").out
        ok("%s --help" % noun, len(text) > 80, text)
        for verb in re.findall(r"^\s+(?:anvil-admin )?%s ([a-z]+)" % noun, text, re.M):
            ok("%s %s --help" % (noun, verb), len(run("anvil-admin", noun, verb, "--help").out) > 60)


def test_wrong_usage():
    """Exit status and one line that says what is wrong."""
    for args in (("nonsense",), ("tenant", "nonsense"), ("tenant", "create"), ("tenant", "create", "a\x01b"), ("bucket", "create", "x", "--tenant", "demo"), ("app", "list", "--limit", "0"), ("tenant", "list", "--nonsense")):
        p = admin(EU, *args, check=False)
        eq("status of %s" % (args,), p.returncode, 2)
        ok("says why", p.err.strip(), p.err)


def test_json_and_tables():
    for args in (("region", "list"), ("tenant", "list"), ("app", "list"), ("bucket", "list"), ("policy", "list"), ("operator", "list"), ("cache", "status"), ("db", "status"), ("audit", "list"),
                 ("region", "show", EU.name), ("tenant", "show", "demo")):
        json.loads(admin(EU, "--json", *args).out)
        ok("a table: %s" % (args,), admin(EU, *args).out.strip())


def test_not_there():
    for args in (("tenant", "show", "nobody"), ("app", "show", "AKIANOTHERE000000000"), ("bucket", "show", "no-such-bucket"), ("region", "show", "mars"), ("policy", "show", "none")):
        p = admin(EU, *args, check=False)
        ok("status of %s" % (args,), p.returncode not in (0, 2), p.returncode)
        ok("says what", p.err.strip(), p.err)


def test_destroying_asks():
    """Without a terminal and without --yes nothing is destroyed."""
    name = "cli-" + secrets.token_hex(4)
    admin(EU, "tenant", "create", name)
    ok("refused", admin(EU, "tenant", "delete", name, check=False).returncode != 0)
    admin(US, "tenant", "show", name)
    admin(EU, "tenant", "delete", name, "--yes")
    ok("gone", admin(EU, "tenant", "show", name, check=False).returncode != 0)


def test_bucket_by_cli():
    """Made in us by eu's CLI, used by S3 at once, deleted in its home."""
    n = "t-" + secrets.token_hex(8)
    admin(EU, "bucket", "create", n, "--tenant", "demo", "--region", US.name)
    for region in (EU, US):
        eq("there", S3(region).request("HEAD", n).get("x-amz-bucket-region"), US.name)
    S3(EU).put(n, "k", b"x")
    ok("not empty: kept", admin(US, "bucket", "delete", n, "--yes", check=False).returncode != 0)
    S3(EU).delete(n, "k")
    admin(US, "bucket", "delete", n, "--yes")
    for region in (EU, US):
        status(S3(region).request("HEAD", n), 404)


def test_dns_zone():
    """A line for each bucket, at its home; a file that follows changes, replaced whole."""
    here, there = bucket(EU), bucket(US)
    zone = admin(EU, "dns", "zone", "--domain", "s3.example.com", "--ttl", "30").out
    contains("origin", zone, "$ORIGIN s3.example.com.\n$TTL 30\n")
    for name in ("*", here, there):
        contains("an address is no alias", zone, "%s\tIN\tA\t%s\n" % (name, EU.host))
    path = os.path.join(temp_dir(), "zone")
    p = subprocess.Popen(["anvil-admin", "-c", EU.conf, "dns", "zone", "--domain", "s3.example.com", "--file", path, "--follow"])
    try:
        until("the file is there", lambda: os.path.exists(path))
        later = bucket(US)
        until("a new bucket is in it", lambda: later in open(path).read())
        status(S3(US).request("DELETE", later), 204)
        until("and goes with it", lambda: later not in open(path).read())
        ok("the others stay", here in open(path).read())
    finally:
        p.kill()
        p.wait()
    ok("without a file nothing can be followed", admin(EU, "dns", "zone", "--domain", "x.org", "--follow", check=False).returncode != 0)


def test_bucket_export():
    """A line an object, as S3's inventory has them; versions and markers when asked; over more than a page."""
    s3, n = S3(), versioned(EU)
    s3.put(n, "p/0000", b"x")
    of_bucket = "bucket_id = '%s'" % find_field(admin_json(EU, "bucket", "show", n), "id")
    # Rows as that one; a page has a thousand.
    psql("INSERT INTO objects SELECT (jsonb_populate_record(o, jsonb_build_object('key', 'p/' || lpad(i::text, 4, '0')))).*"
         " FROM objects o, generate_series(1, 1002) i WHERE " + of_bucket, EU.dsn)
    ids = [s3.put(n, "a \"ü+.txt", body).get("x-amz-version-id") for body in (b"x", b"yy")]
    ids.append(s3.delete(n, "a \"ü+.txt").get("x-amz-version-id"))

    def export(*options):
        return list(csv.reader(admin(EU, "bucket", "export", n, *options).out.splitlines()))
    lines = export()
    eq("current ones, in order", [x[1] for x in lines], ["p/%04d" % i for i in range(1003)])
    h = s3.head(n, "p/0000")
    eq("each", (lines[0][0], lines[0][2], lines[0][4], lines[0][5]), (n, h.get("Content-Length"), h.get("ETag").strip('"'), "STANDARD"))
    ok("a time", re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", lines[0][3]), lines[0])
    lines = export("--versions")
    eq("versions", [x[1:6] for x in lines[:3]], [["a%20%22%C3%BC%2B.txt", v, latest, marker, size] for v, latest, marker, size in
                                                   zip(reversed(ids), ("true", "false", "false"), ("true", "false", "false"), ("", "2", "1"))])
    eq("all", len(lines), 1006)
    path = os.path.join(temp_dir(), "list.csv")
    admin(EU, "bucket", "export", n, "--prefix", "p/10", "--file", path)
    eq("below a prefix, in a file", [x[1] for x in csv.reader(open(path))], ["p/1000", "p/1001", "p/1002"])
    ok("nothing is left beside it", os.listdir(os.path.dirname(path)) == ["list.csv"])
    ok("only in its home", admin(US, "bucket", "export", n, check=False).returncode != 0)
    psql("DELETE FROM objects WHERE key LIKE 'p/%' AND " + of_bucket, EU.dsn)


def test_secret_once():
    """A key's secret is shown when it is made, and never again."""
    made = admin_json(EU, "app", "create", "demo", "cli-once")
    key, secret = find_field(made, "access_key"), find_field(made, "secret")
    for args in (("app", "show", key), ("app", "list"), ("audit", "list")):
        ok("not in %s" % (args,), secret not in admin(EU, *args).out and secret not in admin(EU, "--json", *args).out)
    admin(EU, "app", "delete", key, "--yes")


def test_doctor():
    for region in (EU, US):
        p = admin(region, "doctor", check=False)
        eq("all well at %s\n%s%s" % (region, p.out, p.err), p.returncode, 0)
    p = admin(EU, "doctor", "--endpoint", EU.endpoint, "--key", KEY, "--bucket", bucket(EU), check=False)
    eq("with an object\n%s%s" % (p.out, p.err), p.returncode, 0)


def test_cache_status():
    st = admin_json(EU, "cache", "status")
    text = json.dumps(st)
    for region in (EU, US):
        contains("regions", text, region.name)
    for r in st["regions"]:
        ok("behind, in events and in time: %s" % r, r["behind"] is not None and r["behind_us"] is not None)
    for s in st["servers"]:
        ok("the beat's age: %s" % s, s["beat_age_us"] is not None)
    ok("an invalidator says what it does", st["invalidators"] and all(i["state"] == "beating" and i["since"] for i in st["invalidators"]), text)
    ok("values refused, and why", all(k in st["values"] for k in ("refused_stamp", "refused_epoch", "refused_untrusted", "waits", "wait_mean_us")), text)
    shown = admin(EU, "cache", "status").out
    for word in ("Behind for", "Oldest beat", "Events applied", "Mean wait"):
        contains("the table", shown, word)
    admin(EU, "cache", "flush")
    n = bucket(EU)
    status(S3(US).request("HEAD", n), 200)


def test_audit():
    """What was done is in the audit log."""
    name = "cli-" + secrets.token_hex(4)
    admin(EU, "tenant", "create", name)
    contains("audit", admin(US, "audit", "list", "--limit", "50").out, name)
    admin(EU, "tenant", "delete", name, "--yes")


def test_completion():
    """bash completion loads and knows the nouns."""
    found = [os.path.join(b, x) for b, _, names in os.walk(os.path.join(DIR, "inst", "share")) for x in names if x.startswith("anvil-admin") and "completion" in b]
    ok("installed", found, os.path.join(DIR, "inst", "share"))
    p = run("bash", "-c", "source %s; COMP_WORDS=(anvil-admin ten); COMP_CWORD=1; COMP_LINE='anvil-admin ten'; COMP_POINT=15; f=$(complete -p anvil-admin | sed 's/.*-F \\([^ ]*\\).*/\\1/'); $f anvil-admin ten anvil-admin; echo ${COMPREPLY[@]}" % found[0])
    contains("completes", p.out, "tenant")


def test_upload_list():
    """Uploads under way with what they hold, the oldest first, page by page; of an age; one is aborted."""
    n, other, key = bucket(EU), bucket(EU), " a\tb \u00e9/x"
    ids = [create(n, key), create(n, "later"), create(n, "empty")]
    for upload_id, k, sizes in ((ids[0], key, (20000, 7)), (ids[1], "later", (5,))):
        for number, size in enumerate(sizes, 1):
            status(put_part(n, k, upload_id, number, b"x" * size), 200)
    status(upload(n, "whole", [b"y"])[0], 200)
    # Younger than what another test's maintain would give up. An id begins with the time, too, and so goes the list of a bucket.
    for i, days in ((0, 5), (1, 2)):
        was, began = ids[i], time.time() - days * 86400
        ids[i] = "%012x" % int(began * 1000) + was[12:]
        psql("UPDATE parts SET upload_id = '%s' WHERE upload_id = '%s'; UPDATE uploads SET upload_id = '%s', started_at = to_timestamp(%f)"
             " WHERE upload_id = '%s'" % (ids[i], was, ids[i], began, was), EU.dsn)

    def uploads(*args):
        return admin_json(EU, "upload", "list", *args)["uploads"]
    rows = uploads(n)
    eq("the oldest first; what became an object is none", [(r["key"], r["upload_id"], r["parts"], r["bytes"]) for r in rows],
       [(key, ids[0], 2, 20007), ("later", ids[1], 1, 5), ("empty", ids[2], 0, 0)])
    eq("of the bucket, by whom", {(r["bucket"], r["initiator"]) for r in rows}, {(n, "demo")})
    for older, want in (("5", [key]), ("3d", [key]), ("47h", [key, "later"]), ("2880m", [key, "later"]), ("6", []), ("0s", [key, "later", "empty"])):
        eq("older than " + older, [r["key"] for r in uploads(n, "--older", older)], want)
    ok("in the region's", key in [r["key"] for r in uploads("--older", "4d", "--limit", "1000") if r["bucket"] == n])
    eq("another bucket's", uploads(other), [])
    text = admin(EU, "upload", "list", n).out
    ok("a table, a control byte made visible", ids[0] in text and "19 KiB" in text and " a\\x09b " in text, text)
    seen, args = [], []
    while args is not None:
        page = admin_json(EU, "upload", "list", n, "--limit", "1", *args)
        seen += [r["upload_id"] for r in page["uploads"]]
        args = ["--after", page["next"]] if page.get("next") else None
    eq("page by page", seen, ids)
    for args in (("--after", "x"), ("--after", "1.x"), ("--older", "soon")):
        ok("refused: %s" % (args,), admin(EU, "upload", "list", *args, check=False).returncode != 0)
    ok("elsewhere it is told where", EU.name in admin(US, "upload", "list", n, check=False).err)

    ok("not without being sure", admin(EU, "upload", "abort", n, key, ids[0], check=False).returncode != 0)
    for args in ((n, "later", ids[0]), (n, key, "0" * 32), (n, key, "x"), (other, key, ids[0])):
        ok("no such upload: %s" % (args,), admin(EU, "upload", "abort", *args, "--yes", check=False).returncode not in (0, 2))
    admin(EU, "upload", "abort", n, key, ids[0], "--yes")
    error(S3().request("GET", n, key, query={"uploadId": ids[0]}), 404, "NoSuchUpload")
    eq("the others go on", [r["upload_id"] for r in uploads(n)], ids[1:])
    contains("audited", admin(EU, "audit", "list", "--limit", "50").out, ids[0])
    eq("the object stays", S3().get(n, "whole").body, b"y")


def test_maintain():
    """A deleted object's file goes after its grace time; maintain says what it did."""
    admin(EU, "maintain", "--dry-run")
    admin(EU, "maintain")


if __name__ == "__main__":
    main()
