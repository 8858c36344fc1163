# SPDX-License-Identifier: Apache-2.0
"""What the drivers of the matrix share.

A driver is a class a client: version() of its program, and for one bucket, endpoint and
style head_bucket(), list() -> keys, put(key, path), get(key, path), head(key) -> size,
delete(key). Each fails when the client says that it failed; whether it did what it said
is looked at by the runner, at the bucket's home."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from anvil import KEY, SECRET, os, run, sigv4, skip  # noqa: E402,F401

NODE = os.environ.get("ANVIL_NODE_DIR", "")


class At:
    """Where a client is told to go (always a region that is not the bucket's home), and its style."""

    def __init__(self, region, style, bucket, folder):
        self.region, self.style, self.bucket, self.dir = region, style, bucket, folder
        self.path_style = style == "path"
        self.tls = region.tls is not None
        self.scheme = "https" if self.tls else "http"
        self.host = region.host if self.path_style else region.domain
        self.port = region.port
        self.netloc = "%s:%d" % (self.host, self.port)
        self.endpoint = "%s://%s" % (self.scheme, self.netloc)
        self.bucket_host = self.netloc if self.path_style else "%s.%s" % (bucket, self.netloc)
        self.ca = os.environ["ANVIL_CA_FILE"]

    def target(self, key=None):
        """Of a request to the bucket, or an object of it."""
        return sigv4.path_of(self.bucket, key) if self.path_style else "/" + (sigv4.path_of(key)[1:] if key else "")

    def url(self, target):
        return "%s://%s%s" % (self.scheme, self.bucket_host, target)

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o600)
        return path


class Driver:
    objects = True  # what is put under a key is an object of that key

    def __init__(self, at):
        self.at = at

    @staticmethod
    def needs():
        """Skips when this machine cannot run it."""

    def close(self):
        pass
