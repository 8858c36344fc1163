#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutBucketNotificationConfiguration: what is taken and refused, and that events come to a real receiver: all kinds, filtered,
signed, in order, again after failures."""
import base64
import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from anvil import EU, KEY, KEY2, OWNER, S3, SECRET2, US, admin, admin_json, bucket, conf_value, contains, eq, error, find_field, ok, psql, secrets, status, tagging, until, versioned  # noqa: E402
from acl import open_bucket, put_acl  # noqa: E402
from bucket_config import Kind  # noqa: E402
from webhook import Receiver, configuration, queue  # noqa: E402

KIND = Kind("notification", "<NotificationConfiguration/>", none="<NotificationConfiguration")
CREATED, REMOVED = "s3:ObjectCreated:*", "s3:ObjectRemoved:*"


def put(n, *parts, s3=None, **headers):
    return KIND.put(n, configuration(*parts), s3, headers={k.replace("_", "-"): v for k, v in headers.items()})


def test_none():
    """Switching off what is not on is done; Lambda and EventBridge are not built."""
    KIND.check_put_none(b"<NotificationConfiguration><CloudFunctionConfiguration/></NotificationConfiguration>")
    error(KIND.put(bucket(EU), b"<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>"), 501, "NotImplemented")


def test_refused():
    """Nobody but the owner."""
    KIND.check_refused("PUT")


def test_malformed():
    """What S3 refuses as MalformedXML."""
    KIND.check_malformed_none()


def test_destinations():
    """One that is not there, one of another tenant; unless the client wants no validation. Nothing is stored."""
    n = bucket(EU)
    theirs = Receiver("--tenant", os.environ["ANVIL_OWNER_ID2"])
    for region in (EU, US):
        for arn in ("arn:aws:sqs:::t-" + secrets.token_hex(6), theirs.queue):
            r = put(n, queue(arn, CREATED), s3=S3(region))
            error(r, 400, "InvalidArgument", ArgumentName=arn)
            contains("as AWS says", r.text("Message"), "Unable to validate the following destination configurations")
    for arn in ("arn:aws:sns:::x", "arn:aws:sqs:::", "x", "arn:minio:sqs:::x"):
        error(put(n, queue(arn, CREATED)), 400, "InvalidArgument", ArgumentName="Queue")
    error(put(n, queue(theirs.queue, "s3:ObjectCreated:Odd")), 400, "InvalidArgument", ArgumentName="Event")
    KIND.is_missing(n)
    status(put(n, queue(theirs.queue, CREATED), x_amz_skip_destination_validation="true"), 200)
    S3().put(n, "k", b"x")
    until("dropped", lambda: find_field(admin_json(EU, "webhook", "show", theirs.name), "dropped") == 1)
    eq("told to nobody else's webhook", theirs.bodies(), [])
    theirs.close(n, s3=S3())


def test_document():
    """What was put comes back, with an Id; the webhook is told of a test, and cannot be deleted while it is named."""
    n, w = bucket(EU), Receiver()
    status(put(n, queue(w.queue, CREATED, prefix="a &amp; b/", suffix=".jpg"), queue(w.topic.replace(":::", ":eu-west-1:123456789012:"), REMOVED, id="mine", kind="Topic"),
               s3=S3(US)), 200)
    for region in (EU, US):
        text = KIND.get(n, S3(region)).body.decode()
        for part in ("<Id>notification-1</Id><Queue>%s</Queue><Event>%s</Event>" % (w.queue, CREATED), "<Name>prefix</Name><Value>a &amp; b/</Value>",
                     "<Name>suffix</Name><Value>.jpg</Value>", "<Id>mine</Id><Topic>arn:aws:sns:eu-west-1:123456789012:%s</Topic>" % w.name):
            contains("the document", text, part)
    until("a test event", w.tests)
    t = w.tests()
    eq("one a webhook", len(t), 1)
    eq("as AWS has it", (t[0]["Service"], t[0]["Bucket"]), ("Amazon S3", n))
    error(put(n, queue(w.queue, CREATED), queue(w.queue, "s3:ObjectCreated:Put")), 400, "InvalidArgument")
    ok("it is named", w.delete().returncode != 0)
    w.close(n, s3=S3())
    ok("it is gone", admin(EU, "webhook", "show", w.name, check=False).returncode != 0)


def test_events():
    """Each kind, at either region, and what each record says."""
    s3, n, w = S3(), bucket(EU), Receiver()
    status(put(n, queue(w.queue, CREATED, REMOVED, "s3:ObjectTagging:*", "s3:ObjectAcl:Put", id="all")), 200)
    r = s3.put(n, "a b/ü+.txt", b"hello")
    S3(US).put(n, "relayed", b"x")
    status(s3.request("PUT", n, "copy", headers={"x-amz-copy-source": "/%s/relayed" % n}), 200)
    status(s3.request("PUT", n, "moved", query="renameObject", headers={"x-amz-rename-source": "copy"}), 200)
    up = s3.request("POST", n, "parts", query="uploads").text("UploadId")
    part = s3.request("PUT", n, "parts", query="partNumber=1&uploadId=" + up, body=b"p" * 100)
    status(s3.request("POST", n, "parts", query="uploadId=" + up, body=(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>%s</ETag></Part></CompleteMultipartUpload>" % part.get("ETag")).encode()), 200)
    status(tagging("PUT", n, [("x", "y")], key="moved"), 200)
    status(tagging("DELETE", n, key="moved"), 204)
    status(s3.delete(n, "relayed"), 204)
    status(s3.delete(n, "never"), 204)
    error(s3.request("PUT", n, "moved", body=b"x", headers={"If-None-Match": "*"}), 412, "PreconditionFailed")
    w.wait_for(("ObjectCreated:Put", "a b/ü+.txt"), ("ObjectCreated:Put", "relayed"), ("ObjectCreated:Copy", "copy"), ("ObjectRemoved:Delete", "copy"),
               ("ObjectCreated:Copy", "moved"), ("ObjectCreated:CompleteMultipartUpload", "parts"), ("ObjectTagging:Put", "moved"),
               ("ObjectTagging:Delete", "moved"), ("ObjectRemoved:Delete", "relayed"))
    first = [x for x in w.records() if x["s3"]["object"]["key"] == "a+b/%C3%BC%2B.txt"][0]
    o = first["s3"]["object"]
    eq("the record", (first["eventVersion"], first["eventSource"], first["awsRegion"], first["userIdentity"]["principalId"]), ("2.1", "aws:s3", EU.name, KEY))
    eq("of this request", first["responseElements"], {x: r.get(x) for x in ("x-amz-request-id", "x-amz-id-2")})
    eq("from here", first["requestParameters"]["sourceIPAddress"], "127.0.0.1")
    eq("the bucket", (first["s3"]["configurationId"], first["s3"]["bucket"]), ("all", {"name": n, "ownerIdentity": {"principalId": OWNER}, "arn": "arn:aws:s3:::" + n}))
    eq("the object", (o["size"], '"%s"' % o["eTag"], "versionId" in o), (5, r.get("ETag"), False))
    gone = [x for x in w.records() if x["eventName"] == "ObjectRemoved:Delete"][-1]["s3"]["object"]
    ok("nothing of what is gone", "size" not in gone and "eTag" not in gone, gone)
    w.close(n, s3=s3)


def test_versions():
    """Versions by their ids; delete markers are another event; many at once, filtered."""
    s3, n, w = S3(), versioned(EU), Receiver()
    status(put(n, queue(w.queue, CREATED, prefix="in/", suffix=".txt"), queue(w.topic, REMOVED, kind="Topic")), 200)
    v = s3.put(n, "in/a.txt", b"1").get("x-amz-version-id")
    for key in ("out/a.txt", "in/a.jpg", "in/b.txt"):
        s3.put(n, key, b"1")
    m = s3.delete(n, "in/a.txt").get("x-amz-version-id")
    status(s3.request("DELETE", n, "in/a.txt", query="versionId=" + v), 204)
    body = ("<Delete>%s</Delete>" % "".join("<Object><Key>%s</Key></Object>" % k for k in ("in/b.txt", "in/a.jpg"))).encode()
    status(s3.request("POST", n, query="delete", body=body, headers={"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}), 200)
    marked, removed = "ObjectRemoved:DeleteMarkerCreated", "ObjectRemoved:Delete"
    w.wait_for(("ObjectCreated:Put", "in/a.txt"), ("ObjectCreated:Put", "in/b.txt"), (marked, "in/a.txt"), (removed, "in/a.txt"), (marked, "in/b.txt"),
               (marked, "in/a.jpg"))
    of_a = [x for x in w.records() if x["s3"]["object"]["key"] == "in/a.txt"]
    eq("in order, of these versions", [(x["eventName"], x["s3"]["object"]["versionId"]) for x in of_a], [("ObjectCreated:Put", v), (marked, m), (removed, v)])
    numbers = [x["s3"]["object"]["sequencer"] for x in of_a]
    eq("the sequencer grows", numbers, sorted(set(numbers)))
    w.close(n, s3=s3)


def test_others():
    """A browser's form that nobody signed, and access control lists."""
    s3, n, w = S3(), open_bucket(acl="public-read-write"), Receiver()
    status(put(n, queue(w.queue, "s3:ObjectCreated:Post", "s3:ObjectAcl:Put")), 200)
    s3.put(n, "k", b"x")
    form = b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nform\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n'
    status(s3.send("POST", "/" + n, {"Content-Type": "multipart/form-data; boundary=b"}, form), 204)
    status(put_acl(n, "k", acl="public-read"), 200)
    w.wait_for(("ObjectCreated:Post", "form"), ("ObjectAcl:Put", "k"))
    eq("who", sorted(x["userIdentity"]["principalId"] for x in w.records()), sorted(["Anonymous", KEY]))
    w.close(n, s3=s3)


def test_failures():
    """500, a redirect, then 200: told again until it is taken, nowhere else, in the order of each key; the status says why."""
    s3, n, w = S3(), bucket(EU), Receiver()
    w.answers = [500, 302]
    status(put(n, queue(w.queue, CREATED, REMOVED)), 200)
    expected = []
    for i in range(5):
        s3.put(n, "k", b"%d" % i)
        s3.delete(n, "k")
        expected += [("ObjectCreated:Put", "k"), ("ObjectRemoved:Delete", "k")]
    until("the webhook's failure is shown", lambda: find_field(admin_json(EU, "webhook", "show", w.name), "last_error") in ("status 500", "status 302"))
    until("all events", lambda: len(w.told()) >= len(expected))
    eq("in order", w.told(), expected)
    until("none waits", lambda: find_field(admin_json(EU, "webhook", "show", w.name), "waiting") == 0)
    eq("delivered with the test", find_field(admin_json(EU, "webhook", "show", w.name), "delivered"), len(expected) + 1)
    w.close(n, s3=s3)


def test_down():
    """A receiver that is away holds up nobody: others are told meanwhile, and it is when it is back."""
    s3, n, away, there = S3(), bucket(EU), Receiver(listen=False), Receiver()
    status(put(n, queue(away.queue, CREATED), queue(there.queue, REMOVED)), 200)
    s3.put(n, "k", b"x")
    until("it fails", lambda: find_field(admin_json(EU, "webhook", "show", away.name), "failures") >= 1)
    s3.delete(n, "k")
    there.wait_for(("ObjectRemoved:Delete", "k"))
    away.start()
    away.wait_for(("ObjectCreated:Put", "k"), seconds=60)
    away.close(n, s3=s3)
    there.close(s3=s3)


def test_disabled():
    """What comes while a webhook is disabled waits, without a failure, and comes when it is enabled."""
    s3, n, w = S3(), bucket(EU), Receiver()
    status(put(n, queue(w.queue, CREATED)), 200)
    until("a test event", w.tests)
    admin(US, "webhook", "disable", w.name)
    keys = []

    def put_off():
        """Who knows it does not call, and looks again in a while: sooner or later that is every worker."""
        if len(keys) < 40:
            keys.append("k%d" % len(keys))
            s3.put(n, keys[-1], b"x")
        return psql("SELECT count(*) FROM webhook_queues WHERE webhook = '%s' AND next_try_at > now() AND failures = 0" % w.name,
                    conf_value(EU, "regional_dsn")).strip() == "1"
    until("the queue is put off", put_off, 30)
    shown = admin_json(EU, "webhook", "show", w.name)
    eq("shown", (find_field(shown, "state"), find_field(shown, "failures"), find_field(shown, "last_error")), ("disabled", 0, None))
    ok("it waits", find_field(shown, "waiting") >= 1, shown)
    listed = [x for x in admin_json(EU, "webhook", "list", "--limit", "1000")["webhooks"] if x["name"] == w.name]
    eq("listed", [(x["state"], x["waiting"] >= 1) for x in listed], [("disabled", True)])
    admin(US, "webhook", "enable", w.name)
    w.wait_for(*[("ObjectCreated:Put", k) for k in keys])
    w.close(n, s3=s3)


if __name__ == "__main__":
    main()
