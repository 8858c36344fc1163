#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Applications that keep what they have in a bucket, through the region that is not its home: backups, a mounted file system, a registry of images, a Debian archive, uploads of streams, and Hadoop's S3A as it uses the API."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def stop(p):
    p.terminate()
    try:
        p.wait(20)
    except subprocess.TimeoutExpired:
        p.kill()
        p.wait()
    p.stdout.close()


def tree(d):
    """{path: bytes} below a folder; a folder ends in / and has None."""
    out = {}
    for where, folders, names in os.walk(d):
        rel = os.path.relpath(where, d)
        for n in folders:
            out[os.path.normpath(os.path.join(rel, n)) + "/"] = None
        for n in names:
            with open(os.path.join(where, n), "rb") as f:
                out[os.path.normpath(os.path.join(rel, n))] = f.read()
    return out


def plant(d):
    os.makedirs(os.path.join(d, "deep", "er"))
    os.mkdir(os.path.join(d, "hollow"))
    for name, size in (("empty", 0), ("deep/one", 1), ("deep/er/b +%\u00e9", 70001), ("large", 7 << 20)):
        with open(os.path.join(d, name), "wb") as f:
            f.write(random_bytes(size, size))
    return tree(d)


# ---- duplicity ----

def test_duplicity():
    """A full backup, an increment, the state, both restored, verified, old sets removed: by its boto3 backend, in volumes that are parts."""
    needs("/usr/bin/duplicity", "package duplicity")
    d, n = temp_dir(), bucket(EU)
    src = os.path.join(d, "src")
    os.mkdir(src)
    first = plant(src)
    url = "boto3+s3://%s/host/home" % n

    def duplicity(*args, check=True):
        return run("/usr/bin/duplicity", *args, "--no-encryption", "--no-print-statistics", "--s3-endpoint-url", US.endpoint, "--s3-region-name", US.name, "--archive-dir", os.path.join(d, "cache"), "--tempdir", d,
                   env={"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_EC2_METADATA_DISABLED": "true", "HOME": d}, check=check, timeout=240)

    duplicity("full", "--volsize", "3", src, url)
    keys = S3().keys(n)
    ok("volumes, signatures and a manifest", sum(".difftar" in k for k in keys) >= 3 and sum("full-signatures" in k for k in keys) == 1 and sum("manifest" in k for k in keys) == 1, keys)
    ok("below the path", all(k.startswith("host/home/") for k in keys), keys)
    then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    time.sleep(1.1)  # its times are whole seconds
    os.unlink(os.path.join(src, "deep/one"))
    with open(os.path.join(src, "new"), "wb") as f:
        f.write(b"of the second day")
    second = tree(src)
    shutil.rmtree(os.path.join(d, "cache"))  # on another machine: it reads what the bucket has
    duplicity("incremental", src, url)
    contains("the state", duplicity("collection-status", url).out, "Incremental")
    duplicity("verify", "--compare-data", url, src)
    duplicity("restore", url, os.path.join(d, "now"))
    eq("the newest", tree(os.path.join(d, "now")), second)
    duplicity("restore", "--time", then, url, os.path.join(d, "then"))
    eq("as it was at the first", tree(os.path.join(d, "then")), first)
    duplicity("full", src, url)
    duplicity("remove-all-but-n-full", "1", "--force", url)
    left = S3().keys(n)
    ok("one full set is left", sum("full-signatures" in k for k in left) == 1 and not any("inc." in k for k in left), left)


# ---- a mounted bucket ----

def exercise(root, settle):
    """What programs do to a file system, beside the same on the machine's own; the two must end alike. settle(): what was written is in the bucket."""
    def p(*names):
        return os.path.join(root, *names)

    plant(root)
    with open(p("log"), "wb") as f:
        f.write(b"one\n")
    with open(p("log"), "ab") as f:  # an append is read, and written anew
        f.write(b"two\n")
    with open(p("large"), "r+b") as f:
        f.seek(3 << 20)
        f.write(b"in the middle")
        f.seek(0, 2)
        f.write(b"at the end")
    with open(p("large"), "r+b") as f:
        f.truncate(6 << 20)
    os.rename(p("deep", "one"), p("deep", "uno"))
    os.rename(p("log"), p("hollow", "log"))
    os.rename(p("deep"), p("moved"))
    with open(p("tmp"), "wb") as f:  # as editors save
        f.write(b"edited")
    settle()  # rclone 1.60 forgets a replacement while it uploads
    os.replace(p("tmp"), p("empty"))
    for i in range(20):
        os.makedirs(p("many", "%02d" % i))
        with open(p("many", "%02d" % i, "f"), "wb") as f:
            f.write(b"%d" % i)
    for i in range(0, 20, 2):
        os.unlink(p("many", "%02d" % i, "f"))
        os.rmdir(p("many", "%02d" % i))
    try:
        os.rmdir(p("moved"))
        fail("a folder with files in it was removed")
    except OSError:
        pass
    shutil.rmtree(p("moved", "er"))
    with open(p("open"), "w+b") as f:  # read through the handle that writes
        f.write(random_bytes(100000, 1))
        f.seek(99990)
        ok("what was written is read", f.read() == random_bytes(100000, 1)[99990:])


def test_rclone_mount():
    """rclone mount: files are made, appended to, changed in the middle, cut, renamed, replaced and removed; then read by the API and by a second mount."""
    needs("/usr/bin/rclone", "package rclone")
    needs("/usr/bin/fusermount3", "package fuse3")
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as e:
        skip("this machine has no /dev/fuse to mount with (%s)" % e.strerror)
    d, n = temp_dir(), bucket(EU)
    cfg = os.path.join(d, "rclone.conf")
    with open(cfg, "w") as f:
        for r in (EU, US):
            f.write("[%s]\ntype = s3\nprovider = Other\naccess_key_id = %s\nsecret_access_key = %s\nendpoint = %s\nregion = %s\nforce_path_style = true\n\n" % (r.name, KEY, SECRET, r.endpoint, r.name))

    def mounted(region, do):
        where, port = os.path.join(d, "mnt-" + region.name), free_port()
        os.mkdir(where)
        p = subprocess.Popen(["/usr/bin/rclone", "--config", cfg, "mount", "%s:%s/vol" % (region.name, n), where, "--vfs-cache-mode", "writes", "--vfs-write-back", "0s", "--log-level", "ERROR",
                              "--cache-dir", os.path.join(d, "cache-" + region.name), "--s3-upload-cutoff", "5M", "--rc", "--rc-no-auth", "--rc-addr", "127.0.0.1:%d" % port],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

        def settle():
            def busy():
                c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                c.request("POST", "/vfs/stats")
                s = json.loads(c.getresponse().read())["diskCache"]
                c.close()
                return s["uploadsInProgress"] + s["uploadsQueued"]

            until("nothing is to be uploaded", lambda: busy() == 0, 60)

        try:
            until("it is mounted, or has ended", lambda: os.path.ismount(where) or p.poll() is not None, 60)
            if p.poll() is not None:
                said = p.stdout.read().decode()
                if "not permitted" in said:
                    skip("this machine does not let rclone mount: " + said[-200:].strip())
                fail("rclone mount ended: " + said[-800:])
            return do(where, settle)
        finally:
            run("fusermount3", "-u", "-z", where, check=False)
            stop(p)

    def files_of(where):
        return {k: v for k, v in tree(where).items() if v is not None}  # S3 has no folders but by their files

    def work(where, settle):
        exercise(where, settle)
        settle()
        return files_of(where)

    def differ(a, b):
        return sorted(k for k in set(a) | set(b) if a.get(k) != b.get(k))

    own = os.path.join(d, "own")
    os.mkdir(own)
    exercise(own, lambda: None)
    want = files_of(own)
    eq("the mount beside this machine's own", differ(mounted(US, work), want), [])
    there = S3()
    eq("in the bucket", differ({k[4:]: there.get(n, k).body for k in there.keys(n) if not k.endswith("/")}, want), [])
    eq("through a second mount, at home", differ(mounted(EU, lambda where, _: files_of(where)), want), [])


# ---- a Debian archive ----

def package_of(d, version, content):
    """A package that dpkg would install."""
    at = os.path.join(d, "build-" + version)
    os.makedirs(os.path.join(at, "DEBIAN"))
    os.makedirs(os.path.join(at, "usr/share/anvil-e2e"))
    with open(os.path.join(at, "DEBIAN/control"), "w") as f:
        f.write("Package: anvil-e2e\nVersion: %s\nArchitecture: all\nMaintainer: A <a@example.com>\nDescription: of a test\n" % version)
    with open(os.path.join(at, "usr/share/anvil-e2e/data"), "wb") as f:
        f.write(content)
    deb = os.path.join(d, "anvil-e2e_%s_all.deb" % version)
    run("dpkg-deb", "--root-owner-group", "-Znone", "-b", at, deb)
    return deb


def test_debian_archive():
    """aptly publishes into the bucket, apt fetches out of it through apt-transport-s3 (HTTPS, virtual hosts); then a newer version; then it is dropped."""
    needs("/usr/bin/aptly", "package aptly")
    needs("/usr/lib/apt/methods/s3", "package apt-transport-s3")
    d, n, us = temp_dir(), bucket(EU), US.over_tls()
    try:
        socket.getaddrinfo("x." + us.domain, us.port)
    except OSError as e:
        skip("this machine does not know *.%s (%s)" % (us.domain, e))
    with open(os.path.join(d, "aptly.conf"), "w") as f:
        json.dump({"rootDir": os.path.join(d, "aptly"), "architectures": ["all"], "gpgDisableSign": True, "gpgDisableVerify": True, "S3PublishEndpoints": {
            "anvil": {"region": US.name, "bucket": n, "endpoint": US.endpoint, "prefix": "debian", "acl": "private", "awsAccessKeyID": KEY, "awsSecretAccessKey": SECRET}}}, f)

    def aptly(*args):
        return run("/usr/bin/aptly", "-config=" + os.path.join(d, "aptly.conf"), *args, env={"HOME": d}).out

    for x in ("apt/methods", "apt/state/lists/partial", "apt/cache/archives/partial", "apt/etc/preferences.d", "apt/etc/trusted.gpg.d", "got"):
        os.makedirs(os.path.join(d, x))
    for m in os.listdir("/usr/lib/apt/methods"):
        if m != "s3":
            os.symlink("/usr/lib/apt/methods/" + m, os.path.join(d, "apt/methods", m))
    auth, method = os.path.join(d, "s3auth.conf"), os.path.join(d, "apt/methods/s3")
    with open(auth, "w") as f:
        f.write("AccessKeyId = %s\nSecretAccessKey = %s\nToken = ''\nRegion = %s\nEndpoint = %s:%d\n" % (KEY, SECRET, us.name, us.domain, us.port))
    with open(method, "w") as f:
        f.write("#!/bin/sh\nSSL_CERT_FILE=%s exec /usr/lib/apt/methods/s3 %s\n" % (os.environ["ANVIL_CA_FILE"], auth))
    os.chmod(method, 0o755)
    with open(os.path.join(d, "apt/etc/sources.list"), "w") as f:
        f.write("deb [trusted=yes] s3://%s/debian stable main\n" % n)
    with open(os.path.join(d, "apt/status"), "w"):
        pass
    with open(os.path.join(d, "apt.conf"), "w") as f:
        f.write("".join('%s "%s";\n' % v for v in (
            ("Dir::Etc", d + "/apt/etc"), ("Dir::Etc::Parts", "/dev/null"), ("Dir::Etc::SourceParts", "/dev/null"), ("Dir::State", d + "/apt/state"), ("Dir::State::Status", d + "/apt/status"),
            ("Dir::Cache", d + "/apt/cache"), ("Dir::Bin::Methods", d + "/apt/methods"), ("APT::Sandbox::User", ""), ("Acquire::Retries", "0"), ("Acquire::Languages", "none"))))

    def fetched(version, content):
        for args in (("update",), ("download", "anvil-e2e=" + version)):
            run("/usr/bin/apt-get", "-q", *args, env={"APT_CONFIG": os.path.join(d, "apt.conf")}, cwd=os.path.join(d, "got"))
        p = run("dpkg-deb", "--fsys-tarfile", os.path.join(d, "got", "anvil-e2e_%s_all.deb" % version))
        ok("what was packed", content in p.stdout)

    contents = {"1.0+a~1": random_bytes(6 << 20, 1), "2.0": random_bytes(1000, 2)}
    aptly("repo", "create", "-distribution=stable", "main")
    for v, how in (("1.0+a~1", ("repo", "-skip-signing", "main", "s3:anvil:")), ("2.0", ("update", "-skip-signing", "stable", "s3:anvil:"))):
        aptly("repo", "add", "main", package_of(d, v, contents[v]))
        aptly("publish", *how)
        fetched(v, contents[v])
    ok("both are in the pool", sum(k.startswith("debian/pool/main/a/anvil-e2e/") for k in S3().keys(n)) == 2, S3().keys(n))
    aptly("publish", "drop", "stable", "s3:anvil:")
    eq("nothing is left", S3().keys(n), [])


# ---- @aws-sdk/lib-storage ----

def test_javascript_upload():
    """Upload of @aws-sdk/lib-storage: streams of unknown length in parts, small and empty ones, an abort that leaves nothing."""
    where = os.environ.get("ANVIL_NODE_DIR", "")
    if not where or not os.path.isdir(os.path.join(where, "node_modules", "@aws-sdk", "lib-storage")):
        skip("ANVIL_NODE_DIR has no node_modules/@aws-sdk/lib-storage (contrib/test installs it)")
    n = bucket(EU)
    script = os.path.join(where, "upload-%d.mjs" % os.getpid())  # there it finds node_modules
    shutil.copy(os.path.join(SOURCE, "tests", "lib", "upload.mjs"), script)
    own = os.path.join(where, "node_modules", ".bin", "node")
    try:
        p = run(own if os.path.exists(own) else "node", script, env={"BUCKET": n, "REGION": US.name, "ENDPOINT": US.endpoint, "NODE_NO_WARNINGS": "1"}, cwd=where)
    finally:
        os.unlink(script)
    contains("the script's end", p.out, "all well")
    eq("no upload is left", S3().request("GET", n, query="uploads").xml.findall("Upload"), [])


# ---- a registry of container images ----

REGISTRY = """version: 0.1
log: {level: warn}
storage:
  delete: {enabled: true}
  redirect: {disable: true}
  s3:
    accesskey: %s
    secretkey: %s
    region: %s
    regionendpoint: %s
    bucket: %s
    secure: false
    v4auth: true
    chunksize: 5242880
    multipartcopychunksize: 5242880
    multipartcopythresholdsize: 6291456
    rootdirectory: /images
http:
  addr: 127.0.0.1:%d
"""


class Registry:
    """Debian's docker-registry with its S3 driver, and the part of its API that docker push and pull use."""

    def __init__(self, d, region, bucket_name):
        self.port = free_port()
        self.config = os.path.join(d, "registry.yml")
        with open(self.config, "w") as f:
            f.write(REGISTRY % (KEY, SECRET, region.name, region.endpoint, bucket_name, self.port))
        self.log = open(os.path.join(d, "registry.log"), "w+b")
        self.p = subprocess.Popen(["/usr/bin/docker-registry", "serve", self.config], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, env=dict(os.environ, AWS_EC2_METADATA_DISABLED="true"))
        try:
            until("the registry answers", self.answers, 30)
        except Failed:
            stop(self.p)
            raise

    def answers(self):
        if self.p.poll() is not None:
            fail("docker-registry ended: " + self.said())
        try:
            return self.ask("GET", "/v2/")[0] == 200
        except OSError:
            return False

    def said(self):
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")[-1500:]

    def ask(self, method, target, body=None, headers=None, want=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            c.request(method, target, body, headers or {})
            r = c.getresponse()
            data = r.read()
        finally:
            c.close()
        if want is not None and r.status != want:
            fail("registry: %s %s: %d, not %d: %s\n%s" % (method, target, r.status, want, data[:300], self.said()))
        return r.status, r.headers, data

    def push(self, blob, pieces=1):
        """As docker push: begin, PATCH the bytes (in pieces), end with the digest."""
        digest = "sha256:" + hashlib.sha256(blob).hexdigest()
        at = self.ask("POST", "/v2/app/blobs/uploads/", want=202)[1]["Location"]
        step = -(-len(blob) // pieces) or 1
        for i in range(0, len(blob), step):
            u = urlsplit(at)
            piece = blob[i:i + step]
            at = self.ask("PATCH", u.path + "?" + u.query, piece, {"Content-Type": "application/octet-stream", "Content-Range": "%d-%d" % (i, i + len(piece) - 1)}, want=202)[1]["Location"]
        u = urlsplit(at)
        self.ask("PUT", "%s?%s&digest=%s" % (u.path, u.query, digest), b"", want=201)
        return digest


def test_registry():
    """docker-registry over its S3 driver: layers pushed in pieces (parts, and parts copied), pulled, by range, listed, deleted, its garbage collected."""
    needs("/usr/bin/docker-registry", "package docker-registry")
    d, n = temp_dir(), bucket(EU)
    r = Registry(d, US, n)
    try:
        config, small, large = b"{}", random_bytes(3000, 3), random_bytes((17 << 20) + 5, 17)
        digests = [r.push(config), r.push(small), r.push(large, pieces=3)]
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        layer = "application/vnd.docker.image.rootfs.diff.tar.gzip"
        manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config), "digest": digests[0]},
                               "layers": [{"mediaType": layer, "size": len(b), "digest": g} for b, g in ((small, digests[1]), (large, digests[2]))]}).encode()
        made = r.ask("PUT", "/v2/app/manifests/latest", manifest, {"Content-Type": kind}, want=201)[1]["Docker-Content-Digest"]
        eq("tags", json.loads(r.ask("GET", "/v2/app/tags/list", want=200)[2])["tags"], ["latest"])
        eq("catalogue", json.loads(r.ask("GET", "/v2/_catalog", want=200)[2])["repositories"], ["app"])
        eq("manifest", r.ask("GET", "/v2/app/manifests/latest", headers={"Accept": kind}, want=200)[2], manifest)
        for blob, digest in ((small, digests[1]), (large, digests[2])):
            ok("pulled", r.ask("GET", "/v2/app/blobs/" + digest, want=200)[2] == blob)
        ok("by range", r.ask("GET", "/v2/app/blobs/" + digests[2], headers={"Range": "bytes=6000000-6000099"})[2] == large[6000000:6000100])
        data = "images/docker/registry/v2/blobs/sha256/%s/%s/data"
        where = [data % (g[7:9], g[7:]) for g in digests]
        ok("the blobs are objects", set(where) <= set(S3().keys(n)), S3().keys(n))
        contains("the large one was copied part by part", S3().head(n, where[2]).get("etag"), "-4")
        eq("no upload is left", S3().request("GET", n, query="uploads").xml.findall("Upload"), [])
        ok("nor its folder", not any("/_uploads/" in k and k.endswith("/data") for k in S3().keys(n)))
        r.ask("DELETE", "/v2/app/manifests/" + made, want=202)
    finally:
        stop(r.p)
    run("/usr/bin/docker-registry", "garbage-collect", "--delete-untagged", r.config, env={"AWS_EC2_METADATA_DISABLED": "true"})
    r.log.close()
    eq("the garbage is collected", [k for k in S3().keys(n) if k in where], [])


# ---- Hadoop's S3A ----

class S3A:
    """The requests of hadoop-aws' S3AFileSystem, by boto3: probes of a path (HEAD, HEAD with /, list of one), markers for folders, a rename as copies and deletes of many."""

    def __init__(self, region, name):
        import boto3
        from botocore.config import Config
        self.c = boto3.client("s3", endpoint_url=region.endpoint, region_name=region.name, aws_access_key_id=KEY, aws_secret_access_key=SECRET, config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}))
        self.b = name

    def status(self, path):
        """"file", "folder" or None; getFileStatus."""
        from botocore.exceptions import ClientError
        try:
            self.c.head_object(Bucket=self.b, Key=path)
            return "file"
        except ClientError as e:
            eq("not there", e.response["ResponseMetadata"]["HTTPStatusCode"], 404)
        r = self.c.list_objects_v2(Bucket=self.b, Prefix=path + "/", Delimiter="/", MaxKeys=2)
        return "folder" if r.get("Contents") or r.get("CommonPrefixes") else None

    def create(self, path, body):
        self.c.put_object(Bucket=self.b, Key=path, Body=body)
        # The markers above it go; a folder with a file needs none.
        above = path.split("/")[:-1]
        self.remove(["/".join(above[:i + 1]) + "/" for i in range(len(above))])

    def mkdirs(self, path):
        self.c.put_object(Bucket=self.b, Key=path + "/", Body=b"", ContentType="application/x-directory")

    def remove(self, keys):
        for i in range(0, len(keys), 250):  # fs.s3a.bulk.delete.page.size
            r = self.c.delete_objects(Bucket=self.b, Delete={"Objects": [{"Key": k} for k in keys[i:i + 250]], "Quiet": True})
            eq("errors of DeleteObjects", r.get("Errors"), None)

    def below(self, path, page=7, **args):
        keys = []
        for r in self.c.get_paginator("list_objects_v2").paginate(Bucket=self.b, Prefix=path + "/", PaginationConfig={"PageSize": page}, **args):
            keys += [o["Key"] for o in r.get("Contents", [])]
        return keys

    def rename(self, old, new):
        keys = self.below(old)
        for k in keys:
            self.c.copy_object(Bucket=self.b, Key=new + k[len(old):], CopySource={"Bucket": self.b, "Key": k}, MetadataDirective="COPY")
        self.remove(keys)


def test_hadoop():
    """Two tasks write below _temporary, commit by renames, the job by another; markers of empty folders, start-after, and a tree of 150 renamed and removed."""
    n = bucket(EU)
    fs = S3A(US, n)
    fs.mkdirs("out")
    eq("a marker is a folder", fs.status("out"), "folder")
    eq("its bytes", fs.c.head_object(Bucket=n, Key="out/")["ContentLength"], 0)
    eq("what is not there", fs.status("ou"), None)
    job = "out/_temporary/0"
    for task in range(2):
        fs.mkdirs("%s/_temporary/attempt_%d" % (job, task))
        for i in range(12):
            fs.create("%s/_temporary/attempt_%d/part-%05d" % (job, task, 2 * i + task), b"%d" % (2 * i + task) * 100)
    eq("the markers went", [k for k in fs.below("out") if k.endswith("/")], [])
    fs.create("%s/_temporary/attempt_1b/part-00000" % job, b"a try that was given up")
    for task in range(2):
        fs.rename("%s/_temporary/attempt_%d" % (job, task), "%s/task_%d" % (job, task))
        eq("the attempt is gone", fs.status("%s/_temporary/attempt_%d" % (job, task)), None)
    for task in range(2):
        for k in fs.below("%s/task_%d" % (job, task)):
            fs.c.copy_object(Bucket=n, Key="out/" + k.rsplit("/", 1)[1], CopySource={"Bucket": n, "Key": k})
    fs.remove(fs.below("out/_temporary"))
    fs.create("out/_SUCCESS", b"")
    parts = ["out/part-%05d" % i for i in range(24)]
    eq("the job's output", fs.below("out"), ["out/_SUCCESS"] + parts)
    for i, k in enumerate(parts):
        eq(k, fs.c.get_object(Bucket=n, Key=k)["Body"].read(), b"%d" % i * 100)
    eq("start-after a part", fs.below("out", StartAfter=parts[10]), parts[11:])
    eq("start-after the marker", fs.below("out", StartAfter="out/_\U0010ffff"), parts)
    fs.mkdirs("out/empty")
    top = fs.c.list_objects_v2(Bucket=n, Prefix="out/", Delimiter="/", StartAfter="out/")
    eq("the folder beside files", ([p["Prefix"] for p in top["CommonPrefixes"]], len(top["Contents"])), (["out/empty/"], 25))
    for i in range(150):
        fs.c.put_object(Bucket=n, Key="wide/%s/f%03d" % ("abc"[i % 3], i), Body=b"")
    fs.mkdirs("wide/hollow")
    before = fs.below("wide", page=100)
    fs.rename("wide", "broad")
    eq("a wide tree", fs.below("broad", page=100), ["broad" + k[4:] for k in before])
    eq("its old name", (fs.status("wide"), fs.below("wide")), (None, []))
    fs.remove(fs.below("broad", page=1000))
    fs.remove(fs.below("out"))
    eq("nothing is left", S3().keys(n), [])


if __name__ == "__main__":
    main()
