#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Clients as their users run them: make a bucket in eu through us, put, list, get, range, head, delete through both."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403


def files():
    d = temp_dir()
    out = {}
    for name, size in (("small", 280), ("empty", 0), ("large", 5000001)):
        out[name] = os.path.join(d, name)
        open(out[name], "wb").write(random_bytes(size, size))
    return d, out


def same(what, a, b):
    ok("%s: bytes equal" % what, open(a, "rb").read() == open(b, "rb").read(), (os.path.getsize(a), os.path.getsize(b)))


def new_name():
    n = "t-" + secrets.token_hex(8)
    import anvil
    anvil._made.append((n, EU, S3(EU)))
    return n


AWS = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"}


def test_awscli():
    d, f = files()
    n = new_name()
    cfg = os.path.join(d, "config")
    open(cfg, "w").write("[default]\ns3 =\n  addressing_style = path\n  multipart_threshold = 64MB\n")

    def aws(region, *args):
        return run("/usr/bin/aws", "--endpoint-url", region.endpoint, "--region", region.name, *args, env=dict(AWS, AWS_CONFIG_FILE=cfg)).out

    aws(US, "s3api", "create-bucket", "--bucket", n, "--create-bucket-configuration", "LocationConstraint=" + EU.name)
    eq("home", json.loads(aws(US, "s3api", "get-bucket-location", "--bucket", n, "--output", "json"))["LocationConstraint"], EU.name)
    aws(US, "s3api", "head-bucket", "--bucket", n)
    contains("listed", aws(US, "s3", "ls"), n)
    for via in (US, EU):
        aws(via, "s3", "cp", "--no-progress", "--recursive", "--exclude", "config", "--exclude", "got", "--exclude", "part", d, "s3://%s/dir/" % n)
        for region in (EU, US):
            contains("listed", aws(region, "s3", "ls", "--recursive", "s3://%s/" % n), "dir/large")
            aws(region, "s3", "cp", "--no-progress", "s3://%s/dir/large" % n, d + "/got")
            same("large", f["large"], d + "/got")
        aws(via, "s3api", "get-object", "--bucket", n, "--key", "dir/large", "--range", "bytes=100-1099", d + "/part")
        ok("range", open(d + "/part", "rb").read() == open(f["large"], "rb").read()[100:1100])
        eq("head", json.loads(aws(via, "s3api", "head-object", "--bucket", n, "--key", "dir/small", "--output", "json"))["ContentLength"], 280)
        aws(via, "s3", "rm", "s3://%s/dir/large" % n)
        eq("deleted", S3().keys(n), ["dir/empty", "dir/small"])
        for name in ("empty", "small"):
            status(S3().delete(n, "dir/" + name), 204)
    aws(US, "s3", "rb", "s3://" + n)
    status(S3().request("HEAD", n), 404)


def test_boto3():
    import boto3
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config
    from botocore.exceptions import ClientError
    d, f = files()
    for style in ("path", "virtual"):
        n = new_name()

        def client(region):
            endpoint = region.endpoint if style == "path" else "http://%s:%d" % (region.domain, region.port)
            return boto3.client("s3", endpoint_url=endpoint, region_name=region.name, aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                                config=Config(s3={"addressing_style": style}, retries={"max_attempts": 1}))

        if style == "virtual":
            try:
                socket.getaddrinfo("x.%s" % EU.domain, 80)
            except OSError:
                continue  # this machine does not know *.localhost; Authentication.host_style does it by Host
        client(US).create_bucket(Bucket=n, CreateBucketConfiguration={"LocationConstraint": EU.name})
        for via in (US, EU):
            c = client(via)
            c.upload_file(f["large"], n, "large", Config=TransferConfig(multipart_threshold=64 << 20))
            c.put_object(Bucket=n, Key="small", Body=open(f["small"], "rb"), Metadata={"a": "b"}, ContentType="x/y", ChecksumAlgorithm="SHA256")
            for region in (EU, US):
                o = client(region)
                eq("listed", [x["Key"] for x in o.list_objects_v2(Bucket=n)["Contents"]], ["large", "small"])
                o.download_file(n, "large", d + "/got")
                same("large", f["large"], d + "/got")
                h = o.head_object(Bucket=n, Key="small")
                eq("head", (h["ContentLength"], h["Metadata"], h["ContentType"]), (280, {"a": "b"}, "x/y"))
                eq("range", o.get_object(Bucket=n, Key="large", Range="bytes=5-14")["Body"].read(), open(f["large"], "rb").read()[5:15])
            try:
                c.get_object(Bucket=n, Key="none")
                fail("a missing key was found")
            except ClientError as e:
                eq("its error", e.response["Error"]["Code"], "NoSuchKey")
            for k in ("large", "small"):
                c.delete_object(Bucket=n, Key=k)
        client(US).delete_bucket(Bucket=n)
        status(S3().request("HEAD", n), 404)


def test_s3cmd():
    d, f = files()
    n = new_name()

    def s3cmd(region, *args):
        cfg = os.path.join(d, "s3cfg-" + region.name)
        open(cfg, "w").write("[default]\naccess_key = %s\nsecret_key = %s\nhost_base = %s\nhost_bucket = %s\nuse_https = False\nbucket_location = %s\nsend_chunk = 65536\n"
                             "signature_v2 = False\nenable_multipart = False\nmax_retries = 1\n" % (KEY, SECRET, region.netloc, region.netloc, EU.name))
        return run("/usr/bin/s3cmd", "-c", cfg, "--no-progress", *args).out

    s3cmd(US, "mb", "--bucket-location=" + EU.name, "s3://" + n)
    contains("listed", s3cmd(EU, "ls"), n)
    eq("home", S3(US).request("HEAD", n).get("x-amz-bucket-region"), EU.name)
    for via in (US, EU):
        for name, path in f.items():
            s3cmd(via, "put", path, "s3://%s/dir/%s" % (n, name))
        for region in (EU, US):
            contains("listed", s3cmd(region, "ls", "s3://%s/dir/" % n), "dir/large")
            s3cmd(region, "get", "--force", "s3://%s/dir/large" % n, d + "/got")
            same("large", f["large"], d + "/got")
            s3cmd(region, "get", "--force", "s3://%s/dir/empty" % n, d + "/got")
            same("empty", f["empty"], d + "/got")
        for name in f:
            s3cmd(via, "del", "s3://%s/dir/%s" % (n, name))
        eq("empty", S3().keys(n), [])
    s3cmd(US, "rb", "s3://" + n)
    status(S3().request("HEAD", n), 404)


def test_s4cmd():
    """Threads that put, list, get, move and delete many at once, a large one as an upload."""
    needs("/usr/bin/s4cmd", "package s4cmd")
    d, f = files()
    n = bucket(EU)
    src = os.path.join(d, "src")
    os.makedirs(os.path.join(src, "deep"))
    for name, path in f.items():
        shutil.copy(path, os.path.join(src, "deep", name))

    def s4cmd(*args):
        return run("/usr/bin/s4cmd", "--endpoint-url", US.endpoint, "--access-key", KEY, "--secret-key", SECRET, "--max-singlepart-upload-size", "5000000", "--multipart-split-size", "5242880", *args,
                   env=dict(AWS, AWS_DEFAULT_REGION=US.name, HOME=d)).out

    for _ in range(2):  # the second time nothing has changed
        s4cmd("dsync", src, "s3://%s/a" % n)
    eq("there", S3().keys(n), ["a/deep/empty", "a/deep/large", "a/deep/small"])
    contains("the large one is an upload", S3().head(n, "a/deep/large").get("etag"), "-1")
    contains("listed", s4cmd("ls", "-r", "s3://%s/a" % n), "a/deep/large")
    s4cmd("mv", "-r", "s3://%s/a" % n, "s3://%s/b" % n)
    s4cmd("get", "-r", "s3://%s/b" % n, os.path.join(d, "got"))
    eq("moved", S3().keys(n), ["b/deep/empty", "b/deep/large", "b/deep/small"])
    for name, path in f.items():
        same(name, path, os.path.join(d, "got", "deep", name))
    s4cmd("del", "-r", "s3://%s/b" % n)
    eq("empty", S3().keys(n), [])


def test_rclone():
    d, f = files()
    n = new_name()
    cfg = os.path.join(d, "rclone.conf")
    open(cfg, "w").write("".join("[%s]\ntype = s3\nprovider = Other\naccess_key_id = %s\nsecret_access_key = %s\nendpoint = %s\nregion = %s\nlocation_constraint = %s\nforce_path_style = true\n\n"
                                 % (r.name, KEY, SECRET, r.endpoint, r.name, EU.name) for r in (EU, US)))

    def rclone(*args):
        return run("/usr/bin/rclone", "--config", cfg, "--retries", "1", "--low-level-retries", "1", "--s3-upload-cutoff", "64M", *args).out

    rclone("mkdir", "%s:%s" % (US.name, n))
    eq("home", S3(EU).request("HEAD", n).get("x-amz-bucket-region"), EU.name)
    contains("listed", rclone("lsd", EU.name + ":"), n)
    src = os.path.join(d, "src")
    os.mkdir(src)
    for name, path in f.items():
        shutil.copy(path, src)
    for via in (US, EU):
        rclone("copy", src, "%s:%s/dir" % (via.name, n))
        for region in (EU, US):
            eq("listed", sorted(rclone("lsf", "%s:%s/dir" % (region.name, n)).split()), sorted(f))
            rclone("check", "--download", src, "%s:%s/dir" % (region.name, n))
        p = run("/usr/bin/rclone", "--config", cfg, "cat", "--offset", "10", "--count", "10", "%s:%s/dir/small" % (via.name, n))
        eq("range", p.stdout, open(f["small"], "rb").read()[10:20])
        for name in f:
            rclone("deletefile", "%s:%s/dir/%s" % (via.name, n, name))
        eq("empty", S3().keys(n), [])
    rclone("rmdir", "%s:%s" % (US.name, n))
    status(S3().request("HEAD", n), 404)


def test_in_parts():
    """20 MiB by each client's own defaults, which are parts for most: up through one region, down through the other."""
    d = temp_dir()
    n = bucket(EU)
    src, got = os.path.join(d, "src"), os.path.join(d, "got")
    open(src, "wb").write(random_bytes(20 << 20, 20))
    cfg = os.path.join(d, "config")
    open(cfg, "w").write("[default]\ns3 =\n  addressing_style = path\n")
    s3cfg = os.path.join(d, "s3cfg")
    open(s3cfg, "w").write("[default]\naccess_key = %s\nsecret_key = %s\nhost_base = %s\nhost_bucket = %s\nuse_https = False\nbucket_location = %s\n"
                           "signature_v2 = False\nmax_retries = 1\n" % (KEY, SECRET, EU.netloc, EU.netloc, EU.name))
    rclone = os.path.join(d, "rclone.conf")
    open(rclone, "w").write("[r]\ntype = s3\nprovider = Other\naccess_key_id = %s\nsecret_access_key = %s\nendpoint = %s\nregion = %s\nforce_path_style = true\n"
                            % (KEY, SECRET, US.endpoint, US.name))
    aws = ["/usr/bin/aws", "--endpoint-url", EU.endpoint, "--region", EU.name, "s3", "cp", "--no-progress"]
    env = dict(AWS, AWS_CONFIG_FILE=cfg)
    cases = (("aws", 3, aws + [src, "s3://%s/aws" % n], aws + ["s3://%s/s3cmd" % n, got], env),
             ("s3cmd", 2, ["/usr/bin/s3cmd", "-c", s3cfg, "--no-progress", "put", src, "s3://%s/s3cmd" % n], ["/usr/bin/s3cmd", "-c", s3cfg, "--no-progress", "get", "--force", "s3://%s/rclone" % n, got], None),
             ("rclone", 4, ["/usr/bin/rclone", "--config", rclone, "--s3-upload-cutoff", "5M", "copyto", src, "r:%s/rclone" % n], ["/usr/bin/rclone", "--config", rclone, "copyto", "r:%s/aws" % n, got], None))
    for name, parts, put, _, e in cases:
        run(*put, env=e)
        h = S3(US).request("HEAD", n, name, query={"partNumber": "1"})
        status(h, 206)
        eq("%s: parts" % name, h.get("x-amz-mp-parts-count"), str(parts))
    for name, _, _, get, e in cases:
        run(*get, env=e)
        same("for " + name, src, got)
        os.unlink(got)


def test_javascript():
    """The newest @aws-sdk/client-s3 with its default settings (checksums in trailers included)."""
    where = os.environ.get("ANVIL_NODE_DIR", "")
    if not where or not os.path.isdir(os.path.join(where, "node_modules", "@aws-sdk", "client-s3")):
        skip("ANVIL_NODE_DIR has no node_modules/@aws-sdk/client-s3 (contrib/test installs it)")
    n = new_name()
    script = os.path.join(where, "client.mjs")
    shutil.copy(os.path.join(SOURCE, "tests", "lib", "client.mjs"), script)
    own = os.path.join(where, "node_modules", ".bin", "node")
    p = run(own if os.path.exists(own) else "node", script, env={"BUCKET": n, "HOME_REGION": EU.name, "OTHER_REGION": US.name, "HOME_ENDPOINT": EU.endpoint, "OTHER_ENDPOINT": US.endpoint, "NODE_NO_WARNINGS": "1"}, cwd=where)
    contains("the script's end", p.out, "all well")
    status(S3().request("HEAD", n), 404)


def test_curl_sigv4():
    """curl's own signer (--aws-sigv4)."""
    d, f = files()
    n = bucket(EU)
    for via in (US, EU):
        base = ["/usr/bin/curl", "-sS", "--fail", "--aws-sigv4", "aws:amz:%s:s3" % via.name, "-u", "%s:%s" % (KEY, SECRET)]
        url = "%s/%s/dir/large" % (via.endpoint, n)
        sha = hashlib.sha256(open(f["large"], "rb").read()).hexdigest()
        run(*base, "-H", "x-amz-content-sha256: " + sha, "-T", f["large"], url)
        run(*base, "-H", "x-amz-content-sha256: " + sigv4.EMPTY, "-o", d + "/got", url)
        same("large", f["large"], d + "/got")


if __name__ == "__main__":
    main()
