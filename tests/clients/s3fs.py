# SPDX-License-Identifier: Apache-2.0
"""s3fs: the bucket as a file system. Mounting asks for the bucket; the rest is ls, cp, stat and rm."""
from common import *  # noqa: F403
from common import KEY, SECRET, Driver, fail, os, re, run, skip, subprocess, until


class S3fs(Driver):
    name = "s3fs"

    @staticmethod
    def version():
        return re.search(r"V([\d.]+)", run("/usr/bin/s3fs", "--version").out).group(1)

    @staticmethod
    def needs():
        try:
            os.close(os.open("/dev/fuse", os.O_RDWR))
        except OSError as e:
            skip("this machine has no /dev/fuse to mount with (%s)" % e.strerror)

    def __init__(self, at):
        super().__init__(at)
        self.p = None
        self.mount = os.path.join(at.dir, "mnt")
        os.mkdir(self.mount)
        self.password = at.file("passwd-s3fs", "%s:%s\n" % (KEY, SECRET))

    def head_bucket(self):
        at = self.at
        opts = ["url=" + at.endpoint, "endpoint=" + at.region.name, "passwd_file=" + self.password, "retries=3", "max_stat_cache_size=0", "sigv4"]
        if at.path_style:
            opts.append("use_path_request_style")
        # In the foreground: a daemon ends without a word when it cannot have the bucket. It takes CURL_CA_BUNDLE at its second try only.
        self.p = subprocess.Popen(["/usr/bin/s3fs", at.bucket, self.mount, "-f", *[x for o in opts for x in ("-o", o)]], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(os.environ, CURL_CA_BUNDLE=at.ca))
        until("it is mounted, or has ended", lambda: os.path.ismount(self.mount) or self.p.poll() is not None, 60)
        if self.p.poll() is not None:
            fail("s3fs ended: " + self.p.stdout.read().decode()[-800:])

    def path(self, key):
        if self.p.poll() is not None:
            fail("s3fs ended: " + self.p.stdout.read().decode()[-800:])
        return os.path.join(self.mount, key)

    def list(self):
        return run("ls", self.path("")).out.split()

    def put(self, key, path):
        run("mkdir", "-p", os.path.dirname(self.path(key)))
        run("cp", path, self.path(key))

    def get(self, key, path):
        run("cp", self.path(key), path)

    def head(self, key):
        return int(run("stat", "-c", "%s", self.path(key)).out)

    def delete(self, key):
        run("rm", self.path(key))

    def close(self):
        run("fusermount", "-u", "-z", self.mount, check=False)
        if self.p is not None:
            try:
                self.p.wait(10)
            except subprocess.TimeoutExpired:
                self.p.kill()
                self.p.wait()
            self.p.stdout.close()


DRIVERS = [S3fs]
