# SPDX-License-Identifier: Apache-2.0
"""A lab: regions on loopback whose every part can be killed, paused and started again,
and whose every link can be cut, stalled and delayed.

    from lab import *                # also all of tests/lib/anvil.py
    with Lab() as lab:               # three regions, well
        lab.link("us/*>pg").cut()
        ...

Parts, by name (REGION is eu, us, ap):
    pg, pg2            the global database, and its standby with standby="async" or "sync"; lab.primary says which is which
    REGION/pg          the regional database
    REGION/mc0 ...     memcached
    REGION/inv0 ...    invalidators
    REGION/s3          workers (lab.workers(REGION) are the processes that serve); REGION/web the web server
Links, by name (patterns of the shell; see proxy.c for what can be done with them):
    REGION/s3>pg       workers and anvil-admin to the global database        REGION/inv>pg    its invalidators
    REGION/s3>mc0      the same to memcached                                 REGION/inv>mc0
    REGION/inv0>OTHER/inv0    one invalidator to another: what is published, and questions
    relay>REGION/web   with relay_links: other regions, and a bucket's mover, to its endpoint
    pg2>pg             the standby's replication; pg>pg2 once the roles have changed

Programs are those of a finished build, $ANVIL_BUILD (the folder of a quick start's
build is one), with --enable-faults when `faults` or `env` is to have an effect.
$ANVIL_LAB_PORT is the first of the 200 ports that a lab takes.

As root everything runs as an unprivileged user. When the Python process ends, however
it ends, everything is stopped; when it ends well, the folder goes, else logs stay."""
import atexit
import glob
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(_HERE, "..", "lib"))
_PORT = int(os.environ.get("ANVIL_LAB_PORT", "21000"))
NAMES = ("eu", "us", "ap")

# anvil.py reads its surroundings when it is imported: a lab fills in the rest.
os.environ["ANVIL_REGIONS"] = " ".join(NAMES)
for _i, _r in enumerate(NAMES):
    os.environ["ANVIL_ENDPOINT_" + _r.upper()] = "http://127.0.0.1:%d" % (_PORT + _i)
    os.environ["ANVIL_CONF_" + _r.upper()] = "/nonexistent/%s/anvil.conf" % _r
    os.environ["ANVIL_REGIONAL_DSN_" + _r.upper()] = ""
os.environ.update(AWS_ACCESS_KEY_ID="AKIALABLABLABLABLAB1", AWS_SECRET_ACCESS_KEY="lab-secret-one-0123456789-0123456789-abc",
                  ANVIL_KEY2="AKIALABLABLABLABLAB2", ANVIL_SECRET2="lab-secret-two-0123456789-0123456789-abc",
                  ANVIL_OWNER_ID="1" * 64, ANVIL_OWNER_ID2="2" * 64, ANVIL_SERVER="lighttpd")

import anvil  # noqa: E402
from anvil import *  # noqa: E402,F403
from anvil import EU, US, KEY, SECRET, KEY2, SECRET2, OWNER, OWNER2, SOURCE, Failed, Region, fail, until  # noqa: E402,F401

AP = anvil.REGIONS[2]
PG_BIN = os.environ.get("PG_BIN") or os.path.dirname(sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))[-1])
FAST = {"metadata_trust_ms": 600, "metadata_beat_ms": 100, "metadata_ack_ms": 900, "cache_retry_ms": 100,
        "db_timeout_ms": 2000, "db_connect_timeout_s": 1, "threads": 8, "db_connections": 8, "db_global_connections": 4}


def build_dir():
    for d in (os.environ.get("ANVIL_BUILD"), os.path.join(SOURCE, "build"), SOURCE):
        if d and os.path.exists(os.path.join(d, "anvil-s3.fcgi")):
            return d
    sys.exit("lab: set ANVIL_BUILD to the folder of a finished build (configure --enable-faults)")


def binary(build, name):
    for d in ("", "admin", "bin", "sbin", "libexec", "tests/faults"):
        path = os.path.join(build, d, name)
        if os.path.isfile(path):
            return path
    sys.exit("lab: %s has no %s: make it" % (build, name))


def health(region, timeout=10):
    """What /-/health says, with the status and which process says it; {} when there is no answer."""
    try:
        c = http.client.HTTPConnection(region.host, region.port, timeout=timeout)
        c.request("GET", "/-/health")
        a = c.getresponse()
        body = a.read()
        c.close()
        # x-amz-id-2 is what a worker process calls itself.
        return dict(json.loads(body), status=a.status, process=a.getheader("x-amz-id-2")) if body[:1] == b"{" else {}
    except (OSError, ValueError, http.client.HTTPException):
        return {}


class Part:
    """One program; `argv` starts it, `ready` tells that it serves."""

    def __init__(self, lab, name, argv, ready, env=None, stop=signal.SIGTERM):
        self.lab, self.name, self.argv, self.ready, self.stop_signal = lab, name, argv, ready, stop
        self.env = dict(env or {})
        self.process = None
        self.paused = False
        self.lock = threading.RLock()

    @property
    def pid(self):
        return self.process.pid if self.process and self.process.poll() is None else None

    def tree(self):
        """Every process of it, children last."""
        out, new = [], [self.pid] if self.pid else []
        while new:
            out += new
            new = [c for p in new for c in children(p)]
        return out

    def signal(self, sig, pids=None):
        for p in pids if pids is not None else self.tree():
            try:
                os.kill(p, sig)
            except ProcessLookupError:
                pass

    def start(self, wait=True):
        with self.lock:
            if self.pid:
                return
            log = open(self.lab.log(self.name), "ab")
            env = {"PATH": os.environ["PATH"], "HOME": self.lab.dir, "LANG": "C.UTF-8", "TZ": "UTC"}
            env.update(self.env)
            env.update({k: v for k, v in os.environ.items() if k in ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")})
            for d in self.lab.before.get(self.name, ()):
                d()
            self.process = subprocess.Popen([str(a) for a in self.argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=env, start_new_session=True, **self.lab.user)
            log.close()
            self.paused = False
            self.lab.proxy.say("own %d %s" % (self.process.pid, self.name))
        if wait:
            self.wait()

    def wait(self, seconds=20):
        end = time.monotonic() + seconds
        while not self.ready():
            if self.process is None or self.process.poll() is not None or time.monotonic() > end:
                fail("%s did not start: %s" % (self.name, self.lab.tail(self.name)))
            time.sleep(0.01)

    def gone(self):
        if self.process is not None:
            self.process.wait(15)
            self.lab.proxy.say("disown %d" % self.process.pid)
            self.process = None
        self.paused = False

    def kill(self):
        """kill -9, of all its processes at once."""
        with self.lock:
            pids = self.tree()
            self.signal(signal.SIGKILL, pids)
            self.gone()
            wait_gone(pids)

    def end(self, seconds=10):
        """As an operator ends it."""
        with self.lock:
            pids = self.tree()
            if not pids:
                return
            self.resume()
            self.signal(self.stop_signal, pids[:1])
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
            self.signal(signal.SIGKILL, pids)
            self.gone()
            wait_gone(pids)

    def restart(self, wait=True):
        with self.lock:
            self.kill()
            self.start(wait)

    def pause(self):
        with self.lock:
            self.signal(signal.SIGSTOP)
            self.signal(signal.SIGSTOP)  # those that were forked meanwhile
            self.paused = True

    def resume(self):
        with self.lock:
            self.signal(signal.SIGCONT)
            self.paused = False


def children(pid):
    try:
        return [int(c) for t in os.listdir("/proc/%d/task" % pid) for c in open("/proc/%d/task/%s/children" % (pid, t)).read().split()]
    except OSError:
        return []


def wait_gone(pids, seconds=15):
    """Children of a killed one are reaped by somebody else, in a moment."""
    def left():
        return [p for p in pids if os.path.exists("/proc/%d" % p) and open("/proc/%d/stat" % p).read().rsplit(")", 1)[1].split()[0] not in "ZX"]

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if not left():
                return
        except OSError:
            continue
        time.sleep(0.005)


def port_open(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Link:
    """Those links whose name matches a pattern."""

    def __init__(self, proxy, pattern):
        self.proxy, self.pattern = proxy, pattern

    def _rule(self, mode, way="both", ms=0):
        self.proxy.say("rule %s %s %s %d" % (self.pattern, way, mode, ms))
        return self

    def cut(self):
        """Nothing passes; what is open ends when it heals. A partition."""
        return self._rule("cut")

    def stall(self, way="both"):
        """Nothing passes; it goes on when it heals. way: "there" (as it was connected), "back"."""
        return self._rule("stall", way)

    def refuse(self):
        """Connections end at once, and new ones too."""
        return self._rule("refuse")

    def delay(self, ms, way="both"):
        """Each way takes ms longer."""
        return self._rule("delay", way, ms)

    def heal(self):
        self.proxy.say("heal " + self.pattern)
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.heal()


class Proxy:
    def __init__(self, path, log):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(log, "ab"), start_new_session=True)
        self.lock = threading.Lock()

    def say(self, line):
        with self.lock:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline().decode().strip()
        if answer != "ok":
            fail("proxy: %s: %s" % (line, answer or "it ended"))

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


class Lab:
    """
    settings   of anvil.conf, added to FAST; {"eu": {...}} inside for one region
    faults     {"rules_off": "stamp,cas", "points": "beat_after_read=20%:0-800", "seed": 7}: for workers and invalidators
    straight   no links: everything is reached at its own port (for measuring)
    relay_links  what regions ask of each other's endpoints goes by links
    well       regions that must be well when it has started; all when not given
    env        more environment of a part: {"us/inv0": {...}, "*/s3": {...}}
    memcached  servers a region; with mc_memory (MiB) and mc_options. spare: one more, REGION/spare, for swap()
    """

    def __init__(self, dir=None, port=None, regions=NAMES, settings=None, faults=None, env=None, memcached=1, invalidators=1,
                 standby=None, processes=2, mc_memory=16, mc_options=(), spare=False, web=True, well=None, keep=False, relay_links=False, straight=False):
        self.build = build_dir()
        self.port = port or _PORT
        self.keep, self.standby, self.web, self.spare, self.relay_links, self.straight = keep, standby, web, spare, relay_links, straight
        self.names = tuple(regions)
        self.well_names = tuple(regions if well is None else well)
        self.user, self.owner = {}, None
        if os.geteuid() == 0:
            p = pwd.getpwnam(os.environ.get("ANVIL_LAB_USER", "daemon"))
            self.user = {"user": p.pw_uid, "group": p.pw_gid, "extra_groups": []}
            self.owner = (p.pw_uid, p.pw_gid)
        self.dir = dir or tempfile.mkdtemp(prefix="anvil-lab-", dir=None if len(tempfile.gettempdir()) < 50 else "/tmp")  # sockets' paths are short
        self.made_dir = dir is None
        self.run = os.path.join(self.dir, "run")
        self.proxy, self.parts, self.before, self.clocks = None, {}, {}, {}
        self._settings = dict(FAST, **{k: v for k, v in (settings or {}).items() if not isinstance(v, dict)})
        self._region_settings = {k: v for k, v in (settings or {}).items() if isinstance(v, dict)}
        self.faults, self.more_env = dict(faults or {}), dict(env or {})
        self.n_mc, self.n_inv, self.processes, self.mc_memory, self.mc_options = memcached, invalidators, processes, mc_memory, mc_options
        self.primary, self.running = "pg", False
        self._next_port = self.port + 10
        self.ports = {}

    # ---- small things ----

    def log(self, name):
        return os.path.join(self.dir, "log", name.replace("/", "-") + ".log")

    def tail(self, name, n=3):
        try:
            return " | ".join(open(self.log(name), errors="replace").read().strip().splitlines()[-n:])
        except OSError:
            return "no log"

    def _port(self, name):
        if self.straight and ">" in name:
            by, to = name.split(">")
            name = by.split("/")[0] + "/" + to if to.startswith("mc") else to
        if name not in self.ports:
            self.ports[name] = self._next_port
            self._next_port += 1
        return self.ports[name]

    def _folder(self, *path, mode=0o700):
        d = os.path.join(self.dir, *path)
        os.makedirs(d, exist_ok=True)
        os.chmod(d, mode)
        if self.owner:
            os.chown(d, *self.owner)
        return d

    def _file(self, path, text):
        path = os.path.join(self.dir, path)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o600)
        if self.owner:
            os.chown(path, *self.owner)
        return path

    def program(self, *argv, check=True, timeout=60):
        p = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/", timeout=timeout,
                           env={"PATH": os.environ["PATH"], "HOME": self.dir, "LANG": "C.UTF-8"}, **self.user)
        p.out = p.stdout.decode("utf-8", "replace")
        if check and p.returncode != 0:
            fail("%s: exit status %d\n%s" % (" ".join(map(str, argv))[:200], p.returncode, p.out[-1500:]))
        return p

    def region(self, name):
        return next(r for r in anvil.REGIONS if r.name == name)

    def dsn(self, part=None, user="postgres"):
        """Straight to a database, by no link."""
        part = part or self.primary
        return "host=%s port=%d user=%s dbname=anvil" % (self.run, self.ports[part], user)

    def binary(self, name):
        return binary(self.build, name)

    def psql(self, sql, part=None, check=True, timeout=60):
        p = self.program(os.path.join(PG_BIN, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.dsn(part), "-c", sql, check=check, timeout=timeout)
        return p.out.strip() if check else p

    def admin(self, region, *args, check=True, timeout=60):
        return self.program(self.binary("anvil-admin"), "-c", os.path.join(self.dir, region, "anvil.conf"), *args, check=check, timeout=timeout)

    def app(self, tenant, key, secret, *args):
        """An access key of a tenant, with a secret that we choose."""
        f = self._file("secrets/" + key, secret + "\n")
        self._patiently(self.names[0], "app", "create", tenant, "lab", "--import-key", key, "--import-secret-file", f, *args)

    def __getitem__(self, name):
        return self.parts[name]

    def of(self, pattern):
        import fnmatch
        return [p for n, p in self.parts.items() if fnmatch.fnmatchcase(n, pattern)]

    def workers(self, region):
        pid = self.parts[region + "/s3"].pid
        return children(pid) if pid else []

    def link(self, pattern):
        return Link(self.proxy, pattern)

    def heal(self):
        self.proxy.say("heal *")

    def clock(self, part, ms):
        """Steps the wall clock of a part (of a build with --enable-faults)."""
        with open(self.clocks[part], "w") as f:
            f.write("%d\n" % ms)

    # ---- what is configured ----

    def _env(self, name):
        import fnmatch
        env = {}
        if name.endswith("/s3") or "/inv" in name:
            for k, v in (("RULES_OFF", "rules_off"), ("POINTS", "points"), ("SEED", "seed")):
                if self.faults.get(v):
                    env["ANVIL_FAULT_" + k] = str(self.faults[v])
            self.clocks[name] = self._file("run/%s.clock" % name.replace("/", "-"), "0\n")
            env["ANVIL_FAULT_CLOCK"] = self.clocks[name]
        for pattern, more in self.more_env.items():
            if fnmatch.fnmatchcase(name, pattern):
                env.update({k: str(v) for k, v in more.items()})
        return env

    def _conf(self, r, kind):
        """kind: "s3" (also anvil-admin) or "inv", whose links are their own; or "inv1", whose addresses are."""
        group = "s3" if kind == "s3" else "inv"
        s = {
            "region": r, "default_region": self.names[0], "domains": [r + ".localhost"],
            "global_dsn": "host=127.0.0.1 port=%d user=anvil dbname=anvil" % self._port("%s/%s>pg" % (r, group)),
            "regional_dsn": self.dsn(r + "/pg", "anvil"),
            "memcached": ["127.0.0.1:%d" % self._port("%s/%s>mc%d" % (r, group, i)) for i in range(self.n_mc)],
            "cluster_secret_file": self.dir + "/secrets/cluster.key", "master_key_file": self.dir + "/secrets/master.key",
            "store_dir": "%s/%s/blobs" % (self.dir, r), "state_dir": "%s/%s/state" % (self.dir, r),
        }
        if kind != "s3":
            s["invalidator_listen"] = ["tcp://127.0.0.1:%d" % self._port("%s/%s:%s" % (r, kind, x)) for x in ("pub", "rep")]
        s.update(self._settings)
        s.update(self._region_settings.get(r, {}))
        lines = []
        for k, v in s.items():
            if isinstance(v, (list, tuple)):
                v = "{%s}" % ", ".join('"%s"' % x for x in v)
            elif isinstance(v, bool):
                v = "true" if v else "false"
            elif not isinstance(v, int):
                v = '"%s"' % v
            lines.append("%s = %s" % (k, v))
        return self._file("%s/%s" % (r, "anvil.conf" if kind == "s3" else kind + ".conf"), "\n".join(lines) + "\n")

    def _addresses(self, r, which):
        """What other invalidators connect to: the proxy's ports."""
        return " ".join("tcp://127.0.0.1:%d" % self._port("?>%s/inv%d:%s" % (r, i, which)) for i in range(self.n_inv))

    def _pg(self, name, data):
        port = self._port(name)
        ready = lambda: self.program(os.path.join(PG_BIN, "pg_isready"), "-q", "-h", self.run, "-p", port, check=False).returncode == 0  # noqa: E731
        part = Part(self, name, [os.path.join(PG_BIN, "postgres"), "-D", data, "-p", port], ready, stop=signal.SIGINT)
        self.before[name] = [lambda: [os.unlink(f) for f in (data + "/postmaster.pid",) if os.path.exists(f)]]
        self.parts[name] = part
        return part

    def _parts_of(self, r):
        for name in ["%s/mc%d" % (r, i) for i in range(self.n_mc)] + [r + "/spare"] * self.spare:
            port = self._port(name)
            self.parts[name] = Part(self, name, ["memcached", "-l", "127.0.0.1", "-p", port, "-U", "0", "-m", self.mc_memory, "-c", "1024", "-t", "2", *self.mc_options], lambda port=port: port_open(port))
        for i in range(self.n_inv):
            name = "%s/inv%d" % (r, i)
            conf = self._conf(r, "inv%d" % i)
            ports = [self._port("%s:%s" % (name, x)) for x in ("pub", "rep")]
            self.parts[name] = Part(self, name, [self.binary("anvil-invalidator"), "-c", conf, "--foreground"], lambda ports=ports: all(map(port_open, ports)), self._env(name))
        sock = os.path.join(self.run, r + "-s3.sock")
        conf = self._conf(r, "s3")
        self.parts[r + "/s3"] = Part(self, r + "/s3", [self.binary("anvil-s3.fcgi"), "-c", conf, "--foreground", "--socket", sock, "--processes", self.processes], lambda: os.path.exists(sock), self._env(r + "/s3"))
        self.before[r + "/s3"] = [lambda: os.path.exists(sock) and os.unlink(sock)]
        if self.web:
            port = self.port + self.names.index(r)
            text = open(os.path.join(SOURCE, "contrib/lighttpd/anvil.conf.in")).read()
            text = re.sub(r"^# HTTPS as well.*?^# end of HTTPS\n", "", text, flags=re.M | re.S)
            for k, v in {"ADDRESS": "127.0.0.1", "PORT": port, "S3_SOCKET": sock, "ADMIN_CGI": self.binary("anvil-admin.cgi"), "CONF": conf,
                         "STORE": "%s/%s/blobs" % (self.dir, r), "TMP": "%s/%s/tmp" % (self.dir, r), "RUN": "%s/%s/state" % (self.dir, r), "LOG": "%s/%s" % (self.dir, r)}.items():
                text = text.replace("@%s@" % k, str(v))
            text = text.replace("server.max-keep-alive-requests = 10000", "server.max-keep-alive-requests = 1000000000")
            web = self._file(r + "/lighttpd.conf", text.replace('accesslog.filename = "%s/%s/web.access.log"' % (self.dir, r), 'accesslog.filename = "/dev/null"'))
            self.parts[r + "/web"] = Part(self, r + "/web", [shutil.which("lighttpd", path="/usr/sbin:" + os.environ["PATH"]), "-D", "-f", web], lambda: port_open(port), stop=signal.SIGINT)

    def _listen(self):
        if self.straight:
            return
        say = self.proxy.say
        for r in self.names:
            for group in ("s3", "inv"):
                say("listen %s/%s>pg %d %d" % (r, group, self._port("%s/%s>pg" % (r, group)), self._port("pg")))
                for i in range(self.n_mc):
                    say("listen %s/%s>mc%d %d %d" % (r, group, i, self._port("%s/%s>mc%d" % (r, group, i)), self._port("%s/mc%d" % (r, i))))
            if self.relay_links:
                say("listen relay>%s/web %d %d" % (r, self._port("relay>" + r), self.port + self.names.index(r)))
            for i in range(self.n_inv):
                for x in ("pub", "rep"):
                    say("listen ?>%s/inv%d %d %d" % (r, i, self._port("?>%s/inv%d:%s" % (r, i, x)), self._port("%s/inv%d:%s" % (r, i, x))))
        if self.standby:
            say("listen pg2>pg %d %d" % (self._port("pg2>pg"), self._port("pg")))
            say("listen pg>pg2 %d %d" % (self._port("pg>pg2"), self._port("pg2")))

    # ---- up and down ----

    _template = None  # a cluster that all labs of this process are copied from

    def _make_template(self):
        Lab._template = tempfile.mkdtemp(prefix="anvil-lab-pg-", dir=os.path.dirname(self.dir))
        atexit.register(shutil.rmtree, Lab._template, True)
        if self.owner:
            os.chown(Lab._template, *self.owner)
        data = Lab._template + "/data"
        self.program(os.path.join(PG_BIN, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.program("sh", "-c", "printf 'CREATE ROLE anvil LOGIN\nCREATE DATABASE anvil OWNER anvil\n' | %s/postgres --single -F -D %s postgres >/dev/null" % (PG_BIN, data))
        return data

    def _make_databases(self):
        template = Lab._template + "/data" if Lab._template else self._make_template()
        names = ["pg"] + [r + "/pg" for r in self.names]
        for n in names:
            data = "%s/data-%s" % (self.dir, n.replace("/", "-"))
            self.program("cp", "-r", template, data)
            with open(data + "/postgresql.conf", "a") as f:
                f.write("\n".join((
                    "", "listen_addresses = '127.0.0.1'", "unix_socket_directories = '%s'" % self.run, "fsync = off", "shared_buffers = 32MB", "max_connections = 200",
                    "dynamic_shared_memory_type = mmap", "max_wal_size = 256MB", "log_line_prefix = '%m [%p] %a '", "timezone = 'UTC'", "wal_level = replica",
                    "wal_keep_size = 64MB", "max_wal_senders = 4", "hot_standby = on", "wal_receiver_timeout = 5s", "wal_retrieve_retry_interval = 100ms", "tcp_user_timeout = 5000",
                    "autovacuum_naptime = 10s", "")))
            self._pg(n, data).start(wait=False)
        for n in names:
            self.parts[n].wait()

    def _patiently(self, *args):
        """anvil-admin, when a busy machine may make it wait too long."""
        until("anvil-admin " + " ".join(args[1:4]), lambda: self.admin(*args, check=False).returncode in (0, 4), 60)

    def start(self):
        began = time.monotonic()
        os.makedirs(self.dir, exist_ok=True)
        os.chmod(self.dir, 0o755)
        if self.owner:
            os.chown(self.dir, *self.owner)
        for d in ("run", "log", "secrets", *self.names):
            self._folder(d)
        for r in self.names:
            for d in ("blobs", "state", "tmp"):
                self._folder(r, d)
        atexit.register(self.stop, False)
        self.running = True
        self.proxy = Proxy(self.binary("proxy"), self.log("proxy"))
        self._surroundings()
        self._make_databases()
        for r in self.names:
            self._parts_of(r)
        self._listen()
        first = self.names[0]
        for kind in ("master", "cluster"):
            self.admin(first, "keys", "new", kind, "%s/secrets/%s.key" % (self.dir, kind))
        self._patiently(first, "db", "init")
        for r in self.names[1:]:
            self._patiently(r, "db", "init", "--only", "regional")
        self.psql("INSERT INTO regions (name, endpoint, domains, inv_pub, inv_rep) VALUES " + ", ".join(
            "('%s', 'http://127.0.0.1:%d', '{%s.localhost}', '%s', '%s')" % (r, self._port("relay>" + r) if self.relay_links else self.port + i, r, self._addresses(r, "pub"), self._addresses(r, "rep")) for i, r in enumerate(self.names)))
        if self.standby:
            self.make_standby()
        for p in self.parts.values():
            p.start(wait=False)
        for p in self.parts.values():
            p.wait()
        for name, owner, key, secret in (("lab", OWNER, KEY, SECRET), ("other", OWNER2, KEY2, SECRET2)):
            self._patiently(first, "tenant", "create", name, "--owner-id", owner)
            self.app(name, key, secret)
        self.wait_well()
        self.took = time.monotonic() - began
        return self

    def _surroundings(self):
        """anvil.py's regions become this lab's."""
        have = {r.name: r for r in anvil.REGIONS}
        for i, r in enumerate(self.names):
            up = r.upper().replace("-", "_")
            os.environ["ANVIL_ENDPOINT_" + up] = "http://127.0.0.1:%d" % (self.port + i)
            os.environ["ANVIL_CONF_" + up] = "%s/%s/anvil.conf" % (self.dir, r)
            os.environ["ANVIL_REGIONAL_DSN_" + up] = "host=%s port=%d user=postgres dbname=anvil" % (self.run, self._port(r + "/pg"))
            have.setdefault(r, Region(r)).__init__(r)
        anvil.REGIONS[:] = [have[r] for r in self.names]
        anvil.DIR = self.dir
        os.environ["ANVIL_GLOBAL_DSN"] = "host=%s port=%d user=postgres dbname=anvil" % (self.run, self._port("pg"))
        os.environ["ANVIL_DIR"] = self.dir
        where = os.path.dirname(self.binary("anvil-admin"))
        if where not in os.environ["PATH"].split(":"):
            os.environ["PATH"] = where + ":" + os.environ["PATH"]

    def every_process(self, region, holds):
        """Does it hold of what each process of a region says of itself? Their threads take turns, often all of one process before the next one's."""
        said = set()
        for _ in range(256 * self.processes):
            h = health(self.region(region), timeout=2)
            if not holds(h):
                return False
            said.add(h["process"])
            if len(said) == self.processes:
                return True
        return False

    def wait_database(self, regions, seconds=30):
        """Requests are served, and what is not cached is known: each process tries a database that was away after a pause of its own."""
        for r in regions:
            until("each process of %s has the global database" % r,
                  lambda r=r: self.every_process(r, lambda h: h.get("status") == 200 and h.get("global_database")), seconds)

    def wait_well(self, seconds=30):
        """The same of all regions, and their caches are trusted."""
        if self.web:
            for r in self.well_names:
                until("region %s is well" % r, lambda r=r: self.every_process(
                    r, lambda h: h.get("status") == 200 and h.get("global_database") and h.get("cache_trusted")), seconds)

    def mend(self, seconds=30):
        """Whatever was broken is whole again: links, parts, clocks."""
        self.heal()
        for name in self.clocks:
            self.clock(name, 0)
        for n, p in self.parts.items():
            if p.paused:
                p.resume()
            if not p.pid and not (n in ("pg", "pg2") and n != self.primary):
                p.start(wait=False)
        for n, p in self.parts.items():
            if p.pid:
                p.wait()
        self.wait_well(seconds)

    def stop(self, well=True):
        """well: the folder goes; else it stays without the data."""
        if not self.running:
            return
        self.running = False
        atexit.unregister(self.stop)
        pids = []
        for p in self.parts.values():
            tree = p.tree()
            pids += tree
            pg = p.name.endswith("pg") or p.name == "pg2"
            p.signal(signal.SIGCONT, tree)
            p.signal(signal.SIGQUIT if pg else signal.SIGKILL, tree[:1] if pg else tree)
        for p in self.parts.values():
            try:
                p.gone()
            except subprocess.TimeoutExpired:
                p.signal(signal.SIGKILL, pids)
        wait_gone(pids, 5)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.proxy.close()
        if self.keep:
            print("lab: kept %s" % self.dir)
        elif well:
            shutil.rmtree(self.dir, ignore_errors=True)
        else:
            for d in glob.glob(self.dir + "/data-*") + glob.glob(self.dir + "/*/blobs") + [self.run]:
                shutil.rmtree(d, ignore_errors=True)
            print("lab: logs are in %s/log" % self.dir)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop(False)
            raise

    def __exit__(self, kind, *_):
        self.stop(kind is None)

    def swap(self, region, name):
        """Another memcached ("mc0" or "spare") stands at the address of mc0, with what it has."""
        self.proxy.say("target %s/*>mc0 %d" % (region, self.ports["%s/%s" % (region, name)]))
        self.link(region + "/*>mc0").refuse().heal()

    # ---- the standby ----

    def make_standby(self):
        """Makes the other one of pg and pg2 a standby of the primary, anew."""
        other = "pg2" if self.primary == "pg" else "pg"
        data = "%s/data-%s" % (self.dir, other)
        if other in self.parts:
            self.parts[other].kill()
        shutil.rmtree(data, ignore_errors=True)
        self.program(os.path.join(PG_BIN, "pg_basebackup"), "-D", data, "-h", self.run, "-p", self.ports[self.primary], "-U", "postgres", "-c", "fast", "--no-sync", "-X", "stream")
        with open(data + "/postgresql.auto.conf", "w") as f:
            f.write("primary_conninfo = 'host=127.0.0.1 port=%d user=postgres application_name=%s'\n" % (self._port("%s>%s" % (other, self.primary)), other))
        open(data + "/standby.signal", "w").close()
        if self.owner:
            for f in ("postgresql.auto.conf", "standby.signal"):
                os.chown(os.path.join(data, f), *self.owner)
        if other not in self.parts:
            self._pg(other, data)
        self.parts[other].start()
        until("%s follows" % other, lambda: self.psql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1", 20)
        if self.standby == "sync":
            self.psql("ALTER SYSTEM SET synchronous_standby_names = '%s'" % other)
            self.psql("SELECT pg_reload_conf()")
        return other

    def promote(self):
        """The primary is killed (so it is fenced), the standby takes its place, and every link leads there.
        What it had not received is lost: cut "pg2>pg" before, to be sure of that."""
        old, new = self.primary, "pg2" if self.primary == "pg" else "pg"
        self.parts[old].kill()
        self.primary = new
        os.environ["ANVIL_GLOBAL_DSN"] = self.dsn()
        self.program(os.path.join(PG_BIN, "pg_ctl"), "-D", "%s/data-%s" % (self.dir, new), "-w", "-t", "30", "promote")
        if self.standby == "sync":
            self.psql("ALTER SYSTEM RESET synchronous_standby_names")
            self.psql("SELECT pg_reload_conf()")
        self.proxy.say("target */*>pg %d" % self.ports[new])
        return new


def main():
    """Runs the test_* functions of a file; a lab they left is stopped, and its logs stay when one failed."""
    anvil.main()
