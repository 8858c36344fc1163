# SPDX-License-Identifier: Apache-2.0
"""The AWS SDK for JavaScript (javascript.mjs) and MinIO's client (minio.mjs): a Node process a bucket, told one thing at a time."""
import select

from common import *  # noqa: F403
from common import KEY, NODE, SECRET, Driver, fail, json, os, shutil, subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


def node():
    own = os.path.join(NODE, "node_modules", ".bin", "node")
    return own if os.path.exists(own) else "node"


class Node(Driver):
    script = package = ""
    follow = False

    @classmethod
    def version(cls):
        return json.load(open(os.path.join(NODE, "node_modules", *cls.package.split("/"), "package.json")))["version"]

    @classmethod
    def needs(cls):
        if not os.path.isdir(os.path.join(NODE, "node_modules", *cls.package.split("/"))):
            fail("ANVIL_NODE_DIR has no node_modules/%s (contrib/test installs it)" % cls.package)

    def __init__(self, at):
        super().__init__(at)
        told = {"endpoint": at.endpoint, "host": at.host, "port": at.port, "tls": at.tls, "region": at.region.name, "pathStyle": at.path_style,
                "bucket": at.bucket, "key": KEY, "secret": SECRET, "follow": self.follow}
        for name in (self.script, "node_loop.mjs"):  # there it finds node_modules
            new = os.path.join(NODE, "%s.%d" % (name, id(self)))
            shutil.copy(os.path.join(HERE, name), new)
            os.replace(new, os.path.join(NODE, name))
        self.p = subprocess.Popen([node(), os.path.join(NODE, self.script), json.dumps(told)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=NODE,
                                  env=dict(os.environ, NODE_EXTRA_CA_CERTS=at.ca, NODE_NO_WARNINGS="1"))

    def ask(self, do, key=None, path=None):
        self.p.stdin.write(json.dumps({"do": do, "key": key, "path": path}).encode() + b"\n")
        self.p.stdin.flush()
        if not select.select([self.p.stdout], [], [], 120)[0]:
            fail("%s %s: no answer within 120 s" % (self.script, do))
        line = self.p.stdout.readline()
        if not line:
            fail("%s %s: it ended: %s" % (self.script, do, self.p.stderr.read().decode()[-1000:]))
        a = json.loads(line)
        if "error" in a:
            fail("%s %s: %s" % (self.script, do, a["error"]))
        return a.get("value")

    def head_bucket(self):
        self.ask("headBucket")

    def list(self):
        return self.ask("list")

    def put(self, key, path):
        self.ask("put", key, path)

    def get(self, key, path):
        self.ask("get", key, path)

    def head(self, key):
        return self.ask("head", key)

    def delete(self, key):
        self.ask("delete", key)

    def close(self):
        self.p.kill()
        self.p.wait()
        for f in (self.p.stdin, self.p.stdout, self.p.stderr):
            f.close()


class Sdk(Node):
    name = "AWS SDK for JavaScript"
    script, package = "javascript.mjs", "@aws-sdk/client-s3"


class SdkFollows(Sdk):
    name = "the same, followRegionRedirects"
    follow = True


class Minio(Node):
    name = "minio (JavaScript)"
    script, package = "minio.mjs", "minio"


DRIVERS = [Sdk, SdkFollows, Minio]
