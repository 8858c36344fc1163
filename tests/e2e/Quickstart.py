#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""contrib/quickstart as a stranger runs it, in a folder and on ports of its own. Runs alone."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403

BUILD = os.environ.get("ANVIL_BUILD_DIR", "")
PORT = EU.port + 200
SCRIPT = os.path.join(SOURCE, "contrib", "quickstart")
state = {}


def quick(*args, check=True):
    return run(SCRIPT, "--dir", folder(), *args, check=check, timeout=300, cwd="/")


def folder():
    if "dir" not in state:
        state["dir"] = os.path.join(os.path.dirname(DIR), "quickstart-test") if DIR else os.path.join(temp_dir(), "q")
    return state["dir"]


def build_option():
    return ["--build", BUILD] if BUILD else []


def sourced():
    p = run("sh", "-c", ". %s/env && env" % folder())
    return dict(x.split("=", 1) for x in p.out.splitlines() if "=" in x)


def files():
    """Every file that a run could change, with its time; what runs writes its own."""
    out = {}
    for base, dirs, names in os.walk(os.path.realpath(folder())):
        dirs[:] = [d for d in dirs if d not in ("pg", "log", "run", "build", "blobs", "state")]
        for n in names:
            if not n.startswith("web."):
                out[os.path.join(base, n)] = os.stat(os.path.join(base, n)).st_mtime_ns
    return out


def pids():
    return {x.split()[0]: x.split()[2] for x in quick("--status").out.splitlines()[1:]}


def test_whole_life():
    """First run with its demonstration, second run, stop, start, restart of a part, stale pid files, destroy."""
    quick("--destroy", check=False)
    p = quick("--port", str(PORT), "--regions", "north,south", *build_option())
    for part in ("A demonstration", "hello.txt", "Anvil is running", "http://127.0.0.1:%d" % PORT, "/-/admin/", "Three commands to try", "password"):
        contains("what it shows", p.out, part)
    env = sourced()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "ANVIL_ENDPOINT_NORTH", "ANVIL_ENDPOINT_SOUTH", "ANVIL_CONF_NORTH", "ANVIL_CONF_SOUTH", "ANVIL_GLOBAL_DSN",
                 "ANVIL_OWNER_ID", "ANVIL_KEY2", "ANVIL_SECRET2", "ANVIL_OWNER_ID2", "ANVIL_ADMIN_URL", "ANVIL_ADMIN_USER", "ANVIL_ADMIN_PASSWORD"):
        ok("env has " + name, env.get(name), sorted(env))
    eq("endpoint", env["ANVIL_ENDPOINT_SOUTH"], "http://127.0.0.1:%d" % (PORT + 1))
    eq("anvil-admin on PATH", run("sh", "-c", ". %s/env && anvil-admin region list --json" % folder()).returncode, 0)
    run("sh", "-c", '. %s/env && psql -XAtc "SELECT count(*) FROM buckets" -d "$ANVIL_GLOBAL_DSN"' % folder())

    aws = '. %s/env && /usr/bin/aws --endpoint-url $ANVIL_ENDPOINT_%s ' % (folder(), "%s")
    run("sh", "-c", aws % "SOUTH" + "s3 mb s3://kept-bucket")
    run("sh", "-c", aws % "NORTH" + "s3 cp - s3://kept-bucket/kept", stdin=b"kept\n")

    def kept():
        return run("sh", "-c", aws % "SOUTH" + "s3 cp s3://kept-bucket/kept -").out

    eq("nobody is root", [x for x in pids().values() if os.stat("/proc/" + x).st_uid == 0 and os.geteuid() == 0], [])
    before, running = files(), pids()
    quick(*build_option())
    eq("a second run changes no file", {k for k in set(files()) | set(before) if files().get(k) != before.get(k)}, set())
    eq("and restarts nothing", pids(), running)
    eq("kept", kept(), "kept\n")

    quick("--restart", "south/memcached")
    now = pids()
    eq("one part is new", {k for k in now if now[k] != running[k]}, {"south/memcached"})
    ok("an unknown part", "no part" in quick("--restart", "west/memcached", check=False).err)

    quick("--stop")
    p = quick("--status", check=False)
    eq("status when stopped", (p.returncode != 0, p.out.count("stopped")), (True, p.out.count("\n") - 1))
    # As after a reboot: pid files that name others' processes.
    open(os.path.join(folder(), "run", "postgres.pid"), "w").write("1 1\n")
    open(os.path.join(folder(), "run", "north-s3.pid"), "w").write("%d 5\n" % os.getpid())
    quick(*build_option())
    eq("kept after stop and start", kept(), "kept\n")
    eq("the same keys", sourced(), env)

    # kill -9 of everything, as a power cut would do it
    for pid in pids().values():
        run("sh", "-c", "kill -9 -%s" % pid, check=False)
    quick(*build_option())
    eq("kept after kill -9", kept(), "kept\n")

    quick("--destroy")
    ok("gone", not os.path.lexists(folder()))


def test_errors():
    """Each: status not 0, one line, which says what to do."""
    d = temp_dir()
    os.chmod(d, 0o755)
    for args, words in ((["--port", str(EU.port)], "in use"), (["--regions", "Not A Region"], "cannot be a region"), (["--server", "iis"], "lighttpd, apache or nginx"), (["--nonsense"], "--help"),
                        (["--port", "80"], "--port"), (["--dir", "/proc/no"], "--dir"), (["--dir", d + "/with blank"], "character"), (["--dir", d + "/" + "x" * 90], "shorter"), (["--status", "--dir", d + "/none"], "--dir"),
                        (["--regions", "a,a"], "twice")):
        p = run(SCRIPT, *(["--dir", d + "/q"] if "--dir" not in args else []), *build_option(), *args, check=False, cwd="/")
        ok("%s fails" % args, p.returncode != 0, p.out)
        eq("%s: one line" % args, p.err.count("\n"), 1)
        contains("%s says" % args, p.err, words)


if __name__ == "__main__":
    main()
