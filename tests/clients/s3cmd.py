# SPDX-License-Identifier: Apache-2.0
"""s3cmd."""
from common import *  # noqa: F403
from common import KEY, SECRET, Driver, re, run


class S3cmd(Driver):
    name = "s3cmd"

    @staticmethod
    def version():
        return run("/usr/bin/s3cmd", "--version").out.split()[-1]

    def __init__(self, at):
        super().__init__(at)
        self.conf = at.file("s3cfg", "[default]\naccess_key = %s\nsecret_key = %s\nhost_base = %s\nhost_bucket = %s\nuse_https = %s\nca_certs_file = %s\nbucket_location = %s\n"
                            "signature_v2 = False\nmax_retries = 1\n" % (KEY, SECRET, at.netloc, at.netloc if at.path_style else "%(bucket)s." + at.netloc, at.tls, at.ca if at.tls else "", at.region.name))

    def s3cmd(self, *args):
        return run("/usr/bin/s3cmd", "-c", self.conf, "--no-progress", *args).out

    def url(self, key=""):
        return "s3://%s/%s" % (self.at.bucket, key)

    def head_bucket(self):
        self.s3cmd("info", "s3://" + self.at.bucket)

    def list(self):
        return [x.split(None, 3)[3][len(self.url()):] for x in self.s3cmd("ls", "--recursive", self.url()).splitlines()]

    def put(self, key, path):
        self.s3cmd("put", path, self.url(key))

    def get(self, key, path):
        self.s3cmd("get", "--force", self.url(key), path)

    def head(self, key):
        return int(re.search(r"File size:\s*(\d+)", self.s3cmd("info", self.url(key))).group(1))

    def delete(self, key):
        self.s3cmd("del", self.url(key))


DRIVERS = [S3cmd]
