# SPDX-License-Identifier: Apache-2.0
"""The AWS CLI: s3 and s3api."""
from common import *  # noqa: F403
from common import Driver, json, run


class AwsCli(Driver):
    name = "AWS CLI"

    @staticmethod
    def version():
        return run("/usr/bin/aws", "--version").out.split()[0].split("/")[1]

    def __init__(self, at):
        super().__init__(at)
        self.env = {"AWS_CONFIG_FILE": at.file("config", "[default]\ns3 =\n  addressing_style = %s\n" % at.style), "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
                    "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1", "AWS_CA_BUNDLE": at.ca}

    def aws(self, *args):
        return run("/usr/bin/aws", "--endpoint-url", self.at.endpoint, "--region", self.at.region.name, *args, env=self.env).out

    def url(self, key=""):
        return "s3://%s/%s" % (self.at.bucket, key)

    def head_bucket(self):
        self.aws("s3api", "head-bucket", "--bucket", self.at.bucket)

    def list(self):
        return [x.split(None, 3)[3] for x in self.aws("s3", "ls", "--recursive", self.url()).splitlines()]

    def put(self, key, path):
        self.aws("s3", "cp", "--no-progress", path, self.url(key))

    def get(self, key, path):
        self.aws("s3", "cp", "--no-progress", self.url(key), path)

    def head(self, key):
        return json.loads(self.aws("s3api", "head-object", "--output", "json", "--bucket", self.at.bucket, "--key", key))["ContentLength"]

    def delete(self, key):
        self.aws("s3", "rm", self.url(key))


DRIVERS = [AwsCli]
