# SPDX-License-Identifier: Apache-2.0
"""curl: signing by itself (--aws-sigv4), and with presigned URLs; with and without -L."""
from common import *  # noqa: F403
from common import ET, KEY, SECRET, Driver, hashlib, re, run, sigv4
from anvil import strip_ns


class Curl(Driver):
    name = "curl"
    follow = []

    @staticmethod
    def version():
        return run("/usr/bin/curl", "--version").out.split()[1]

    def curl(self, method, key=None, *args, query=None, sha=sigv4.EMPTY):
        target = self.at.target(key) + ("?" + query if query else "")
        return run("/usr/bin/curl", "-sS", "--fail", *self.follow, "--cacert", self.at.ca, *self.sign(method, target, sha), *args).out

    def sign(self, method, target, sha):
        return ["--aws-sigv4", "aws:amz:%s:s3" % self.at.region.name, "-u", "%s:%s" % (KEY, SECRET), "-H", "x-amz-content-sha256: " + sha, self.at.url(target)]

    def head_bucket(self):
        self.curl("HEAD", None, "-I")

    def list(self):
        return [x.text for x in strip_ns(ET.fromstring(self.curl("GET", query="list-type=2"))).findall("Contents/Key")]

    def put(self, key, path):
        with open(path, "rb") as f:
            self.curl("PUT", key, "-T", path, sha=hashlib.sha256(f.read()).hexdigest())

    def get(self, key, path):
        self.curl("GET", key, "-o", path)

    def head(self, key):
        return int(re.search(r"(?i)^content-length:\s*(\d+)", self.curl("HEAD", key, "-I"), re.M).group(1))

    def delete(self, key):
        self.curl("DELETE", key, "-X", "DELETE")


class CurlL(Curl):
    name = "curl -L"
    follow = ["-L"]


class Presigned(Curl):
    name = "presigned, curl"

    def sign(self, method, target, sha):
        return [self.at.url(sigv4.presign(method, target, self.at.bucket_host, KEY, SECRET, self.at.region.name))]


class PresignedL(Presigned):
    name = "presigned, curl -L"
    follow = ["-L"]


DRIVERS = [Curl, CurlL, Presigned, PresignedL]
