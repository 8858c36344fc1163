# SPDX-License-Identifier: Apache-2.0
"""rclone."""
from common import *  # noqa: F403
from common import KEY, SECRET, Driver, json, run


class Rclone(Driver):
    name = "rclone"

    @staticmethod
    def version():
        return run("/usr/bin/rclone", "version").out.split()[1].lstrip("v")

    def __init__(self, at):
        super().__init__(at)
        self.conf = at.file("rclone.conf", "[r]\ntype = s3\nprovider = Other\naccess_key_id = %s\nsecret_access_key = %s\nendpoint = %s\nregion = %s\nforce_path_style = %s\nupload_cutoff = 5M\n"
                            % (KEY, SECRET, at.endpoint, at.region.name, "true" if at.path_style else "false"))

    def rclone(self, *args):
        return run("/usr/bin/rclone", "--config", self.conf, "--retries", "1", "--low-level-retries", "1", "--ca-cert", self.at.ca, *args).out

    def url(self, key=""):
        return "r:%s/%s" % (self.at.bucket, key)

    def head_bucket(self):
        self.rclone("lsd", self.url())

    def list(self):
        return self.rclone("lsf", "--recursive", "--files-only", self.url()).splitlines()

    def put(self, key, path):
        self.rclone("copyto", path, self.url(key))

    def get(self, key, path):
        self.rclone("copyto", "--ignore-times", self.url(key), path)

    def head(self, key):
        return json.loads(self.rclone("lsjson", "--stat", self.url(key)))["Size"]

    def delete(self, key):
        self.rclone("deletefile", self.url(key))


DRIVERS = [Rclone]
