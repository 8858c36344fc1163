#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Programs that keep backups and archives in a bucket, through the region that is not its home: pgBackRest over HTTPS, Barman, git-annex."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403

import threading  # noqa: E402


def open_dir():
    """A folder that PostgreSQL's user may write in, too."""
    d = temp_dir()
    os.chmod(d, 0o777)
    return d


class Postgres:
    """A scratch cluster, and programs run as its user."""

    def __init__(self, d, archive):
        self.dir = os.path.join(d, "pg")
        self.data = os.path.join(self.dir, "data")
        self.home = d
        self.dsn = self.sh("start", "archive_mode=on", "wal_level=replica", "archive_command=" + archive).strip()
        self.socket = self.dsn.split()[0].partition("=")[2]

    def sh(self, verb, *args):
        return run("/bin/sh", os.path.join(SOURCE, "tests", "lib", "pg.sh"), verb, self.dir, *args).out

    def sql(self, text):
        return psql(text, self.dsn)

    def fill(self, n):
        self.sql("CREATE TABLE IF NOT EXISTS t (x text); INSERT INTO t SELECT md5(i::text) FROM generate_series(1, %d) i" % n)

    def recovered(self, rows):
        """Started from what was restored; the last rows are in the log only."""
        self.sh("restart")
        until("it is recovered", lambda: self.sql("SELECT pg_is_in_recovery()") == "f", 60)
        eq("all rows are back", self.sql("SELECT count(*) FROM t"), str(rows))

    def run(self, *args, env=None):
        us = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.getuid() == 0 else ()
        return run(*us, *args, env=dict(env or {}, HOME=self.home), cwd="/")


class SecondAddress:
    """*.localhost is ::1 first, and pgBackRest knows no second address: what comes there goes to the endpoint, byte by byte."""

    def __init__(self, host, port):
        self.port, self.s = port, None
        if socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0] == socket.AF_INET6:
            self.s = socket.create_server(("::1", port), family=socket.AF_INET6)
            threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                a = self.s.accept()[0]
            except OSError:
                return
            b = socket.create_connection(("127.0.0.1", self.port))
            for x, y in ((a, b), (b, a)):
                threading.Thread(target=self.carry, args=(x, y), daemon=True).start()

    @staticmethod
    def carry(x, y):
        try:
            while True:
                data = x.recv(65536)
                if not data:
                    y.shutdown(socket.SHUT_WR)
                    return
                y.sendall(data)
        except OSError:
            pass

    def close(self):
        if self.s:
            self.s.shutdown(socket.SHUT_RDWR)
            self.s.close()


# ---- pgBackRest ----

PGBACKREST = """[global]
repo1-type=s3
repo1-path=/backup
repo1-s3-bucket=%s
repo1-s3-endpoint=%s
repo1-storage-port=%d
repo1-storage-ca-file=%s
repo1-s3-region=%s
repo1-s3-uri-style=path
repo1-s3-key=%s
repo1-s3-key-secret=%s
repo1-retention-full=1
repo1-bundle=y
start-fast=y
process-max=2
log-level-file=off
lock-path=%s
spool-path=%s
[main]
pg1-path=%s
pg1-socket-path=%s
pg1-user=postgres
"""


def test_pgbackrest():
    """A stanza, a full and an incremental backup in bundles, verified, the increment expired; restored with the log that was archived. HTTPS, path style."""
    needs("/usr/bin/pgbackrest", "package pgbackrest")
    d, n, us = open_dir(), bucket(EU), US.over_tls()
    cfg, ca = os.path.join(d, "pgbackrest.conf"), os.path.join(d, "ca.pem")
    try:
        there = SecondAddress(us.domain, us.port)
    except OSError as e:
        skip("%s:%d cannot be had on this machine: %s" % (us.domain, us.port, e))
    shutil.copy(os.environ["ANVIL_CA_FILE"], ca)
    pg = Postgres(d, "pgbackrest --config=%s --stanza=main archive-push %%p" % cfg)
    with open(cfg, "w") as f:
        f.write(PGBACKREST % (n, us.domain, us.port, ca, us.name, KEY, SECRET, os.path.join(d, "lock"), os.path.join(d, "spool"), pg.data, pg.socket))

    def tool(*args):
        return pg.run("/usr/bin/pgbackrest", "--config=" + cfg, "--stanza=main", *args).out

    try:
        tool("stanza-create")
        pg.fill(20000)
        tool("backup", "--type=full")
        pg.fill(500)
        tool("backup", "--type=incr")
        labels = [b["label"] for b in json.loads(tool("info", "--output=json"))[0]["backup"]]
        ok("an increment to the full one", len(labels) == 2 and labels[1].startswith(labels[0] + "_"), labels)
        tool("verify")
        tool("expire", "--set=" + labels[1])
        eq("nothing of it is left", S3().keys(n, prefix="backup/backup/main/%s/" % labels[1]), [])
        pg.fill(77)
        pg.sql("SELECT pg_switch_wal()")
        tool("check")
        pg.sh("stop")
        shutil.rmtree(pg.data)
        tool("restore")
        pg.recovered(20577)
    finally:
        pg.sh("stop")
        there.close()


# ---- Barman ----

def test_barman():
    """barman-cloud: the log archived, a backup in parts, listed, restored with the log; then deleted."""
    needs("/usr/bin/barman-cloud-backup", "package barman-cli-cloud")
    d, n = open_dir(), bucket(EU)
    env = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true", "AWS_DEFAULT_REGION": US.name}
    url, to = "s3://%s/barman" % n, ("--cloud-provider", "aws-s3", "--endpoint-url", US.endpoint)

    def command(name, tool, *args):
        """A script for PostgreSQL, which gives it what is of its own."""
        path = os.path.join(d, name)
        with open(path, "w") as f:
            f.write("#!/bin/sh\n%s\nexec /usr/bin/barman-cloud-%s %s %s main \"$@\"\n" % ("".join("export %s='%s'\n" % v for v in sorted(env.items())), tool, " ".join(to + args), url))
        os.chmod(path, 0o755)
        return path

    pg = Postgres(d, command("archive", "wal-archive", "--gzip") + " %p")

    def tool(what, *args):
        return pg.run("/usr/bin/barman-cloud-" + what, *to, *args, env=env).out

    try:
        tool("check-wal-archive", url, "main")
        pg.fill(20000)
        tool("backup", "--immediate-checkpoint", "--gzip", "-h", pg.socket, "-U", "postgres", url, "main")
        made = json.loads(tool("backup-list", "--format", "json", url, "main"))["backups_list"]
        eq("backups", [b["status"] for b in made], ["DONE"])
        pg.fill(77)
        last = pg.sql("SELECT pg_walfile_name(pg_switch_wal())")
        until("the log is archived", lambda: any(last in k for k in S3().keys(n)), 60)
        pg.sh("stop")
        shutil.rmtree(pg.data)
        tool("restore", url, "main", made[0]["backup_id"], pg.data)
        with open(os.path.join(pg.data, "postgresql.auto.conf"), "a") as f:
            # It need not look for newer timelines: each question is a process that loads boto3.
            f.write("restore_command = '%s %%f %%p'\narchive_mode = off\nrecovery_target_timeline = current\n" % command("fetch", "wal-restore"))
        open(os.path.join(pg.data, "recovery.signal"), "w").close()
        pg.recovered(20077)
        tool("backup-delete", "--backup-id", made[0]["backup_id"], url, "main")
        eq("nothing is left of it", [k for k in S3().keys(n) if "/base/" in k], [])
    finally:
        pg.sh("stop")


# ---- git-annex ----

def test_git_annex():
    """A special remote: copied, checked, dropped, fetched; in parts, by range, exported as a tree; and git-annex's own tests of a remote."""
    needs("/usr/bin/git-annex", "package git-annex")
    d, n = temp_dir(), bucket(EU)
    repo = os.path.join(d, "repo")
    env = {"HOME": d, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8"}  # names of an exported tree are of the locale

    def git(*args):
        return run("/usr/bin/git", *args, env=env, cwd=repo if os.path.isdir(repo) else d).out

    def remote(name, *more):
        git("annex", "initremote", name, "type=S3", "encryption=none", "bucket=" + n, "fileprefix=%s/" % name, "host=" + US.host, "port=%d" % US.port, "protocol=http",
            "requeststyle=path", "signature=v4", "datacenter=" + US.name, "partsize=6MiB", *more)

    git("init", "-q", repo)
    for k, v in (("user.name", "a"), ("user.email", "a@b"), ("annex.security.allowed-ip-addresses", "all"), ("commit.gpgsign", "false")):
        git("config", k, v)
    git("annex", "init", "-q", "here")
    want = {"empty": b"", "odd +\u00fc&": b"x", "large": random_bytes((13 << 20) + 5, 13)}
    for name, data in want.items():
        with open(os.path.join(repo, name), "wb") as f:
            f.write(data)
    git("annex", "add", "-q", ".")
    git("commit", "-q", "-m", "x")
    remote("cloud")
    git("annex", "copy", "-q", "--to", "cloud")
    eq("objects", len(S3().keys(n, prefix="cloud/SHA256E")), 3)
    parts = [k for k in S3().keys(n) if "-s%d-" % len(want["large"]) in k]
    contains("three parts", S3().head(n, parts[0]).get("etag"), "-3")
    git("annex", "fsck", "-q", "--from", "cloud")
    git("annex", "drop", "-q", ".")
    ok("dropped", not os.path.exists(os.path.join(repo, "large")))
    git("annex", "get", "-q", ".")
    for name, data in want.items():
        ok(name, open(os.path.join(repo, name), "rb").read() == data)
    contains("its own tests", git("annex", "testremote", "--fast", "cloud"), "tests passed")
    remote("tree", "exporttree=yes")
    git("annex", "export", "-q", "HEAD", "--to", "tree")
    eq("a tree", {k[5:]: S3().get(n, k).body for k in S3().keys(n, prefix="tree/") if "annex-uuid" not in k}, want)


if __name__ == "__main__":
    main()
