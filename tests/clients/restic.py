# SPDX-License-Identifier: Apache-2.0
"""restic: a repository in the bucket. A put is a backup, a get a restore, a delete a forget with prune."""
from common import *  # noqa: F403
from common import Driver, json, os, run, shutil


class Restic(Driver):
    name = "restic"
    objects = False

    @staticmethod
    def version():
        return run("/usr/bin/restic", "version").out.split()[1]

    def restic(self, *args):
        return run("/usr/bin/restic", "--no-cache", "--cacert", self.at.ca, "-o", "s3.region=" + self.at.region.name, "-o", "s3.bucket-lookup=" + ("path" if self.at.path_style else "dns"),
                   "-r", "s3:%s/%s/repository" % (self.at.endpoint, self.at.bucket), *args, env={"RESTIC_PASSWORD": "of-the-matrix"}).out

    def head_bucket(self):
        self.restic("init")

    def list(self):
        return self.restic("list", "keys").split() and ["before"]  # it made one key with init

    def put(self, key, path):
        self.restic("backup", "--tag", key.replace("/", "-"), path)

    def snapshots(self, key):
        return json.loads(self.restic("snapshots", "--json", "--tag", key.replace("/", "-"))) or []

    def get(self, key, path):
        s = self.snapshots(key)[0]
        out = path + ".d"
        self.restic("restore", s["id"], "--target", out)
        shutil.move(out + s["paths"][0], path)

    def head(self, key):
        lines = [json.loads(x) for x in self.restic("ls", "--json", self.snapshots(key)[0]["id"]).splitlines()]
        return next(x["size"] for x in lines if x.get("type") == "file")

    def delete(self, key):
        self.restic("forget", "--prune", *[s["id"] for s in self.snapshots(key)])
        if self.snapshots(key):
            raise AssertionError("the snapshot is still there")


DRIVERS = [Restic]
