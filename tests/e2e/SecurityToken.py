#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Temporary credentials (STS): made, used in every form of signature, narrowed, ended."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403

import base64  # noqa: E402
from urllib.parse import urlencode  # noqa: E402


def sts(region=EU, key=KEY, secret=SECRET, token=None, scope=None, **params):
    """A POST as SDKs send it: no x-amz-content-sha256, the body signed all the same."""
    params.setdefault("Version", "2011-06-15")
    body = urlencode(params).encode()
    headers = {"host": region.netloc, "content-type": "application/x-www-form-urlencoded; charset=utf-8", "x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
    sigv4.sign("POST", "/", headers, headers["x-amz-content-sha256"], key, secret, scope or region.name, service="sts", unsigned=("x-amz-content-sha256",), token=token)
    del headers["x-amz-content-sha256"]
    return S3(region).send("POST", "/", headers, body)


def sts_error(r, http_status, code):
    status(r, http_status)
    e = r.xml
    eq("root element", e.tag, "ErrorResponse")
    eq("Code", e.findtext("Error/Code"), code)
    ok("Message", e.findtext("Error/Message"), r.body)
    eq("RequestId", e.findtext("RequestId"), r.get("x-amz-request-id"))


class Session:
    """Of an answer with Credentials; requests as S3's, with the token."""

    def __init__(self, r):
        status(r, 200)
        c = r.xml.find(".//Credentials")
        self.key, self.secret, self.token = (c.findtext(x) for x in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
        self.expiration = c.findtext("Expiration")

    def request(self, method, bucket=None, key=None, region=EU, token=None, secret=None, **kw):
        return S3(region, self.key, secret or self.secret).request(method, bucket, key, token=self.token if token is None else token, **kw)

    def presigned(self, method, target, region=EU, secret=None, token=None):
        t = sigv4.query_of({"X-Amz-Security-Token": self.token if token is None else token})
        return sigv4.presign(method, target + "?" + t, region.netloc, self.key, secret or self.secret, region.name)


def session(**kw):
    kw.setdefault("Action", "GetSessionToken")
    return Session(sts(**kw))


def role_arn(name=KEY, owner=OWNER):
    return "arn:aws:iam::%s:role/%s" % (owner, name)


def assume(region=EU, key=KEY, secret=SECRET, token=None, **kw):
    kw = dict({"Action": "AssumeRole", "RoleArn": role_arn(key), "RoleSessionName": "test"}, **kw)
    return sts(region, key, secret, token, **kw)


def form(s, n, key, secret=None, token=None):
    """A browser's form signed by the session."""
    import hmac
    when = sigv4.now_text()
    fields = {"key": key, "x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-credential": "%s/%s/%s/s3/aws4_request" % (s.key, when[:8], EU.name), "x-amz-date": when, "x-amz-security-token": token or s.token}
    policy = base64.b64encode(json.dumps({"expiration": "2099-01-01T00:00:00Z", "conditions": [{"bucket": n}] + [{k: v} for k, v in fields.items()]}).encode()).decode()
    fields["policy"] = policy
    fields["x-amz-signature"] = hmac.new(sigv4.signing_key(secret or s.secret, when[:8], EU.name), policy.encode(), hashlib.sha256).hexdigest()
    body = "".join('--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % kv for kv in fields.items()) + '--B\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nform\r\n--B--\r\n'
    return S3().send("POST", "/" + n, {"Content-Type": "multipart/form-data; boundary=B"}, body.encode())


def chunked_put(s, n, key, token=None, secret=None):
    data = random_bytes(100000, 3)
    headers = {"host": EU.netloc, "x-amz-decoded-content-length": str(len(data)), "content-encoding": "aws-chunked"}
    target = sigv4.path_of(n, key)
    seed = sigv4.sign("PUT", target, headers, sigv4.STREAM, s.key, secret or s.secret, EU.name, token=token or s.token)
    return S3().send("PUT", target, headers, sigv4.chunked(data, seed, secret or s.secret, headers["x-amz-date"], EU.name))


def test_every_form():
    """Header, query, form and signed chunks; in both regions, whichever made them."""
    n = bucket(EU)
    for made_in in (EU, US):
        s = session(region=made_in)
        ok("a temporary key", s.key.startswith("ASIA") and len(s.key) == 20, s.key)
        for via in (EU, US):
            status(s.request("PUT", n, "k", region=via, body=b"one"), 200)
            eq("bytes", s.request("GET", n, "k", region=via).body, b"one")
            eq("presigned", S3(via).send("GET", s.presigned("GET", "/%s/k" % n, via)).body, b"one")
        status(form(s, n, "form"), 204)
        status(chunked_put(s, n, "chunked"), 200)
        eq("listed", S3().keys(n), ["chunked", "form", "k"])


def test_log():
    """The access line names both keys."""
    s = session()
    line = log_line(EU, s.request("GET").get("x-amz-request-id"))
    contains("the temporary key", line, " ak=%s " % s.key)
    contains("the app's", line, " app=%s " % KEY)


def test_forged():
    """Another secret, another key's token, a changed token, none: refused in every form."""
    n = bucket(EU)
    S3().put(n, "k", b"x")
    s, other = session(), session()
    changed = s.token[:-8] + ("A" if s.token[-8] != "A" else "B") + s.token[-7:]
    for what, kw, code, http in (("secret", {"secret": "wrong"}, "SignatureDoesNotMatch", 403), ("token", {"token": other.token}, "InvalidToken", 400), ("changed", {"token": changed}, "InvalidToken", 400), ("garbage", {"token": "abc"}, "InvalidToken", 400)):
        error(s.request("GET", n, "k", **kw), http, code)
        error(S3().send("GET", s.presigned("GET", "/%s/k" % n, **kw)), http, code)
        error(form(s, n, "forged", **kw), http, code)
        error(chunked_put(s, n, "forged", **kw), http, code)
        sts_error(sts(key=s.key, secret=kw.get("secret", s.secret), token=kw.get("token", s.token), Action="GetCallerIdentity"), http, "InvalidClientTokenId" if code == "InvalidToken" else code)
    error(S3(EU, s.key, s.secret).request("GET", n, "k"), 403, "InvalidAccessKeyId")
    # the token must be signed, too
    headers = {"host": EU.netloc}
    sigv4.sign("GET", "/%s/k" % n, headers, sigv4.EMPTY, s.key, s.secret, EU.name)
    error(S3().send("GET", "/%s/k" % n, dict(headers, **{"x-amz-security-token": s.token})), 403, "AccessDenied")
    error(S3().request("GET", n, "k", token=s.token), 400, "InvalidToken")
    eq("nothing is left", S3().keys(n), ["k"])


def test_answers():
    r = sts(Action="GetCallerIdentity")
    status(r, 200)
    contains("Content-Type", r.get("Content-Type"), "xml")
    eq("root", r.xml.tag, "GetCallerIdentityResponse")
    eq("Account", r.xml.findtext("GetCallerIdentityResult/Account"), OWNER)
    eq("UserId", r.xml.findtext("GetCallerIdentityResult/UserId"), KEY)
    eq("RequestId", r.xml.findtext("ResponseMetadata/RequestId"), r.get("x-amz-request-id"))
    now = time.time()
    for secs, params in ((43200, {}), (900, {"DurationSeconds": 900}), (129600, {"DurationSeconds": 129600})):
        s = session(**params)
        until_ = time.mktime(time.strptime(s.expiration, "%Y-%m-%dT%H:%M:%S.000Z")) - time.timezone
        ok("Expiration of %d" % secs, abs(until_ - now - secs) < 30, s.expiration)
    r = assume()
    status(r, 200)
    contains("Arn", r.xml.findtext("AssumeRoleResult/AssumedRoleUser/Arn"), "arn:aws:sts::%s:assumed-role/" % OWNER)
    eq("AssumedRoleId", r.xml.findtext("AssumeRoleResult/AssumedRoleUser/AssumedRoleId"), KEY + ":test")
    s = Session(r)
    who = sts(key=s.key, secret=s.secret, token=s.token, Action="GetCallerIdentity")
    eq("the same", who.xml.findtext("GetCallerIdentityResult/Arn"), r.xml.findtext("AssumeRoleResult/AssumedRoleUser/Arn"))


def test_refused():
    sts_error(sts(secret="wrong", Action="GetCallerIdentity"), 403, "SignatureDoesNotMatch")
    sts_error(sts(key="AKIANOTHERE000000000", Action="GetCallerIdentity"), 403, "InvalidClientTokenId")
    sts_error(S3().send("POST", "/", {"Content-Type": "application/x-www-form-urlencoded"}, b"Action=GetCallerIdentity&Version=2011-06-15"), 403, "MissingAuthenticationToken")
    sts_error(sts(Action="Nonsense"), 400, "InvalidAction")
    sts_error(sts(Action="GetSessionToken", Version="2001-01-01"), 400, "InvalidAction")
    for d in ("899", "129601", "x", "-1", ""):
        sts_error(sts(Action="GetSessionToken", DurationSeconds=d), 400, "ValidationError")
    sts_error(assume(DurationSeconds=43201), 400, "ValidationError")
    for name in ("", "a", "a b", "x" * 65):
        sts_error(assume(RoleSessionName=name), 400, "ValidationError")
    sts_error(assume(RoleArn="short"), 400, "ValidationError")
    sts_error(assume(RoleArn=role_arn(owner=OWNER2)), 403, "AccessDenied")
    sts_error(assume(RoleArn=role_arn("no-such-role-anywhere")), 403, "AccessDenied")
    sts_error(assume(RoleArn=role_arn(KEY2)), 403, "AccessDenied")
    sts_error(assume(RoleArn="arn:aws:iam::%s:user/%s" % (OWNER, KEY)), 403, "AccessDenied")
    sts_error(assume(Policy="{"), 400, "MalformedPolicyDocument")
    sts_error(assume(Policy="x" * 2049), 400, "ValidationError")
    sts_error(sts(Action="GetSessionToken", SerialNumber="arn:aws:iam::1:mfa/x", TokenCode="123456"), 403, "AccessDenied")
    sts_error(assume(**{"PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}), 501, "NotImplemented")
    sts_error(assume(**{"Tags.member.1.Key": "a", "Tags.member.1.Value": "b"}), 501, "NotImplemented")
    sts_error(sts(Action="GetCallerIdentity", padding="x" * 70000), 400, "MaxMessageLengthExceeded")
    sts_error(S3().request("POST", target="/", body=b"Action=GetCallerIdentity"), 400, "IncompleteSignature")
    s = session()
    for action in ("GetSessionToken", "AssumeRole"):
        sts_error(sts(key=s.key, secret=s.secret, token=s.token, Action=action), 403, "AccessDenied")


def test_body_is_signed():
    """Parameters that were changed after signing are refused."""
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    headers = {"host": EU.netloc, "content-type": "application/x-www-form-urlencoded"}
    for said in (hashlib.sha256(body).hexdigest(), sigv4.UNSIGNED):
        h = dict(headers)
        sigv4.sign("POST", "/", h, said, KEY, SECRET, EU.name, service="sts")
        sts_error(S3().send("POST", "/", h, b"Action=GetSessionToken&Version=2011-06-15"), 403, "SignatureDoesNotMatch")


def test_session_policy():
    """A session does what both the app and its policy allow, and no more."""
    n, other = bucket(EU), bucket(EU)
    S3().put(n, "open/k", b"x")
    S3().put(n, "closed/k", b"y")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::%s/open/*" % n},
                                                     {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::%s" % n}]}
    s = Session(assume(Policy=json.dumps(policy)))
    for via in (EU, US):
        eq("allowed", s.request("GET", n, "open/k", region=via).body, b"x")
        status(s.request("GET", n, query={"list-type": "2"}, region=via), 200)
        error(s.request("GET", n, "closed/k", region=via), 403, "AccessDenied")
        error(s.request("PUT", n, "open/k", region=via, body=b"z"), 403, "AccessDenied")
        error(s.request("GET", other, query={"list-type": "2"}, region=via), 403, "AccessDenied")
        error(s.request("GET", n, query={"policy": None}, region=via), 403, "AccessDenied")
    error(form(s, n, "open/form"), 403, "AccessDenied")
    error(s.request("GET"), 403, "AccessDenied")
    error(s.request("PUT", "t-" + secrets.token_hex(8)), 403, "AccessDenied")
    # what the app itself may not do is not to be had by a session policy
    theirs = bucket(EU, s3=S3(EU, KEY2, SECRET2))
    s = Session(assume(Policy=json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})))
    error(s.request("GET", theirs, query={"list-type": "2"}), 403, "AccessDenied")
    status(s.request("PUT", n, "k", body=b"z"), 200)


def test_bucket_policy_names_a_session():
    n = bucket(EU, s3=S3(EU, KEY2, SECRET2))
    there = S3(EU, KEY2, SECRET2)
    there.put(n, "k", b"x")
    s, t, plain = Session(assume(RoleSessionName="alice")), Session(assume(RoleSessionName="bob")), session()
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:sts::%s:assumed-role/%s/alice" % (OWNER, KEY)}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::%s/*" % n}]}
    status(there.request("PUT", n, query={"policy": None}, body=json.dumps(policy).encode()), 204)
    eq("alice", s.request("GET", n, "k").body, b"x")
    for who in (t, plain):
        error(who.request("GET", n, "k"), 403, "AccessDenied")
    policy["Statement"][0]["Principal"]["AWS"] = "arn:aws:iam::%s:role/%s" % (OWNER, KEY)
    status(there.request("PUT", n, query={"policy": None}, body=json.dumps(policy).encode()), 204)
    for who in (s, t):
        eq("either", who.request("GET", n, "k").body, b"x")
    error(plain.request("GET", n, "k"), 403, "AccessDenied")
    # a Deny for the app as a user is one for its sessions
    policy["Statement"].append({"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::%s:user/%s" % (OWNER, KEY)}, "Action": "s3:*", "Resource": "arn:aws:s3:::%s/*" % n})
    status(there.request("PUT", n, query={"policy": None}, body=json.dumps(policy).encode()), 204)
    for who in (s, t, plain):
        error(who.request("GET", n, "k"), 403, "AccessDenied")


def test_another_app_as_role():
    """An app with full access may act for a lesser one of its tenant; the lesser one for itself alone."""
    n = bucket(EU)
    S3().put(n, "k", b"x")
    name = "read-" + secrets.token_hex(4)
    path = os.path.join(temp_dir(), "policy.json")
    with open(path, "w") as f:
        json.dump({"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::%s/*" % n}]}, f)
    admin(EU, "policy", "create", name, "--document", path)
    made = admin_json(EU, "app", "create", "demo", "lesser", "--policy", name)
    key, secret = find_field(made, "access_key"), find_field(made, "secret")
    try:
        s = Session(assume(RoleArn=role_arn(key)))
        eq("read", s.request("GET", n, "k").body, b"x")
        error(s.request("PUT", n, "k", body=b"y"), 403, "AccessDenied")
        sts_error(assume(key=key, secret=secret, RoleArn=role_arn(KEY)), 403, "AccessDenied")
        s = Session(assume(key=key, secret=secret, RoleArn=role_arn(key)))
        error(s.request("PUT", n, "k", body=b"y"), 403, "AccessDenied")
    finally:
        admin(EU, "app", "delete", key, "--yes")
        admin(EU, "policy", "delete", name, "--yes")
    error(s.request("GET", n, "k"), 403, "InvalidAccessKeyId")


def test_ended():
    """Sessions end with their app: disabled, logged out, deleted; in each region before the tool returns."""
    made = admin_json(EU, "app", "create", "demo", "e2e-sessions")
    key, secret = find_field(made, "access_key"), find_field(made, "secret")
    s = Session(sts(key=key, secret=secret, Action="GetSessionToken"))
    for via in (EU, US):
        status(s.request("GET", region=via), 200)
    admin(EU, "app", "disable", key)
    for via in (EU, US):
        error(s.request("GET", region=via), 403, "InvalidAccessKeyId")
    admin(US, "app", "enable", key)
    for via in (EU, US):
        status(s.request("GET", region=via), 200)
    ok("asks", admin(EU, "app", "logout", key, check=False).returncode != 0)
    admin(EU, "app", "logout", key, "--yes")
    for via in (EU, US):
        error(s.request("GET", region=via), 400, "InvalidToken")
        status(S3(via, key, secret).request("GET"), 200)
    s = Session(sts(key=key, secret=secret, Action="GetSessionToken"))
    status(s.request("GET", region=US), 200)
    admin(EU, "app", "delete", key, "--yes")
    for via in (EU, US):
        error(s.request("GET", region=via), 403, "InvalidAccessKeyId")


def test_boto3():
    """As an application uses it: boto3's STS client, then S3 with what it gave."""
    import boto3
    from botocore.config import Config
    n = bucket(EU)
    c = boto3.client("sts", region_name=EU.name, endpoint_url=EU.endpoint, aws_access_key_id=KEY, aws_secret_access_key=SECRET)
    eq("Account", c.get_caller_identity()["Account"], OWNER)
    for got in (c.get_session_token(DurationSeconds=3600), c.assume_role(RoleArn=role_arn(), RoleSessionName="boto")):
        k = got["Credentials"]
        s3 = boto3.client("s3", region_name=EU.name, endpoint_url=EU.endpoint, aws_access_key_id=k["AccessKeyId"], aws_secret_access_key=k["SecretAccessKey"], aws_session_token=k["SessionToken"], config=Config(s3={"addressing_style": "path"}))
        s3.put_object(Bucket=n, Key="k", Body=b"from boto3")
        eq("bytes", s3.get_object(Bucket=n, Key="k")["Body"].read(), b"from boto3")
        url = s3.generate_presigned_url("get_object", {"Bucket": n, "Key": "k"})
        eq("presigned", S3().send("GET", url[len(EU.endpoint):]).body, b"from boto3")


def test_other_clients():
    """aws sts and the CLI, s3cmd and rclone with the session's keys and token."""
    n = bucket(EU)
    d = temp_dir()
    cfg = os.path.join(d, "config")
    with open(cfg, "w") as f:
        f.write("[default]\ns3 =\n  addressing_style = path\n")
    env = {"AWS_CONFIG_FILE": cfg, "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}

    def aws(*args, **more):
        return run("/usr/bin/aws", "--endpoint-url", EU.endpoint, "--region", EU.name, "--output", "json", *args, env=dict(env, **more)).out
    eq("Account", json.loads(aws("sts", "get-caller-identity"))["Account"], OWNER)
    c = json.loads(aws("sts", "assume-role", "--role-arn", role_arn(), "--role-session-name", "cli", "--duration-seconds", "900"))["Credentials"]
    contains("who", aws("sts", "get-caller-identity", AWS_ACCESS_KEY_ID=c["AccessKeyId"], AWS_SECRET_ACCESS_KEY=c["SecretAccessKey"], AWS_SESSION_TOKEN=c["SessionToken"]), "assumed-role")
    path = os.path.join(d, "f")
    with open(path, "wb") as f:
        f.write(random_bytes(100000, 5))
    aws("s3", "cp", "--no-progress", path, "s3://%s/aws" % n, AWS_ACCESS_KEY_ID=c["AccessKeyId"], AWS_SECRET_ACCESS_KEY=c["SecretAccessKey"], AWS_SESSION_TOKEN=c["SessionToken"])
    run("s3cmd", "-c", "/dev/null", "--no-ssl", "--host", EU.netloc, "--host-bucket", EU.netloc, "--region", EU.name, "--access_key", c["AccessKeyId"], "--secret_key", c["SecretAccessKey"],
        "--access_token", c["SessionToken"], "put", path, "s3://%s/s3cmd" % n)
    run("rclone", "copyto", path, ":s3:%s/rclone" % n, env={"RCLONE_CONFIG": os.path.join(d, "rclone"), "RCLONE_S3_PROVIDER": "Other", "RCLONE_S3_ENDPOINT": EU.endpoint, "RCLONE_S3_REGION": EU.name, "RCLONE_S3_NO_CHECK_BUCKET": "true",
        "RCLONE_S3_ACCESS_KEY_ID": c["AccessKeyId"], "RCLONE_S3_SECRET_ACCESS_KEY": c["SecretAccessKey"], "RCLONE_S3_SESSION_TOKEN": c["SessionToken"]})
    for k in ("aws", "s3cmd", "rclone"):
        ok("%s: bytes equal" % k, S3().get(n, k).body == open(path, "rb").read())


def test_browser_is_sent_home():
    """A presigned URL of a session, followed by a browser to another region, is signed anew with the session's secret."""
    if len(REGIONS) < 2:
        skip("one region")
    n = bucket(US)
    S3(US).put(n, "k", b"far")
    s = session()
    r = S3(EU).send("GET", s.presigned("GET", "/%s/k" % n), {"Sec-Fetch-Mode": "navigate"})
    if r.status == 200:
        eq("relayed", r.body, b"far")
        return
    status(r, 307)
    there = r.get("Location")
    ok("to its home", there.startswith(US.endpoint), there)
    eq("bytes", S3(US).send("GET", there[len(US.endpoint):]).body, b"far")


if __name__ == "__main__":
    main()
