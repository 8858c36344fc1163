#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutBucketLifecycleConfiguration: in any region; what the rules may say, and that maintain does it."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402
import uploads  # noqa: E402
from webhook import Receiver, configuration, queue  # noqa: E402

RULE = "<Rule><ID>one</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>"
KIND = Kind("lifecycle", "<LifecycleConfiguration>%s</LifecycleConfiguration>" % RULE, "NoSuchLifecycleConfiguration", 200)


def test_everywhere_at_once():
    """Put through either region, a bucket of either."""
    KIND.check_put()


def test_refused():
    """Nobody but the owner, and nothing is stored."""
    KIND.check_refused("PUT")


def test_malformed():
    """What S3 refuses as MalformedXML."""
    KIND.check_malformed("<LifecycleConfiguration/>", "<LifecycleConfiguration><Rule/></LifecycleConfiguration>")


def config(*rules):
    return ("<LifecycleConfiguration>%s</LifecycleConfiguration>" % "".join(rules)).encode()


def rule(action, filter="<Filter/>", status="Enabled", id=None):
    return "<Rule>%s%s<Status>%s</Status>%s</Rule>" % ("<ID>%s</ID>" % id if id else "", filter, status, action)


def days(n):
    return "<Expiration><Days>%s</Days></Expiration>" % n


def test_rules():
    """What a rule may not say, in S3's words."""
    n = bucket(EU)
    tag = "<Tag><Key>a</Key><Value>b</Value></Tag>"
    for rules, st, code in (([rule(days(0))], 400, "InvalidArgument"), ([rule(days(-1))], 400, "InvalidArgument"), ([rule(days("x"))], 400, "MalformedXML"),
                            ([rule("")], 400, "InvalidRequest"), ([rule("<Expiration/>")], 400, "MalformedXML"),
                            ([rule("<Expiration><Days>1</Days><Date>2030-01-01T00:00:00Z</Date></Expiration>")], 400, "MalformedXML"),
                            ([rule("<Expiration><Date>2030-01-01T01:00:00Z</Date></Expiration>")], 400, "InvalidArgument"),
                            ([rule("<Expiration><Date>soon</Date></Expiration>")], 400, "MalformedXML"),
                            ([rule(days(1), status="enabled")], 400, "MalformedXML"), ([rule(days(1), filter="")], 400, "MalformedXML"),
                            ([rule(days(1), filter="<Filter/><Prefix>a</Prefix>")], 400, "MalformedXML"),
                            ([rule(days(1), filter="<Filter><Prefix>a</Prefix>%s</Filter>" % tag)], 400, "MalformedXML"),
                            ([rule(days(1), filter="<Filter><And>%s%s</And></Filter>" % (tag, tag))], 400, "InvalidRequest"),
                            ([rule(days(1), filter="<Filter><And><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan><ObjectSizeLessThan>5</ObjectSizeLessThan></And></Filter>")], 400, "InvalidRequest"),
                            ([rule("<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>", filter="<Filter>%s</Filter>" % tag)], 400, "InvalidRequest"),
                            ([rule("<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>", filter="<Filter>%s</Filter>" % tag)], 400, "InvalidRequest"),
                            ([rule("<NoncurrentVersionExpiration><NoncurrentDays>0</NoncurrentDays></NoncurrentVersionExpiration>")], 400, "InvalidArgument"),
                            ([rule("<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>101</NewerNoncurrentVersions></NoncurrentVersionExpiration>")], 400, "InvalidArgument"),
                            ([rule("<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>")], 501, "NotImplemented"),
                            ([rule(days(1), id="x" * 256)], 400, "InvalidArgument"), ([rule(days(1), id="a"), rule(days(2), id="a")], 400, "InvalidArgument")):
        error(KIND.put(n, config(*rules)), st, code)
    KIND.is_missing(n)
    status(KIND.put(n, config(rule(days(1), id="x" * 255), rule("<Expiration><Date>2017-09-27T00:00:00.000Z</Date></Expiration>", filter="<Prefix>a</Prefix>"))), 200)


def test_header():
    """x-amz-expiration on Put, Get, Head and Copy: the rule that comes first, at a midnight; by prefix, size and tags."""
    n = bucket(EU)
    status(KIND.put(n, config(rule(days(9), id="late"), rule(days(2), "<Filter><Prefix>p/</Prefix></Filter>", id="a b"),
                              rule(days(1), "<Filter><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan></Filter>", id="big"),
                              rule(days(1), "<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>", id="tagged"), rule(days(1), status="Disabled", id="off"))), 200)

    def want(d, name):
        at = (int(time.time()) // 86400 + 1 + d) * 86400
        return ['expiry-date="%s", rule-id="%s"' % (time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(at + x)), name) for x in (0, -86400)]
    for key, body, headers, d, name in (("x", b"1", {}, 9, "late"), ("p/x", b"1", {}, 2, "a%20b"), ("p/x", b"123456", {}, 1, "big"), ("x", b"1", {"x-amz-tagging": "k=v"}, 1, "tagged")):
        for what, r in (("put", S3(US).request("PUT", n, key, body=body, headers=headers)), ("get", S3().get(n, key)), ("head", S3(US).head(n, key))):
            ok("%s of %s" % (what, name), r.get("x-amz-expiration") in want(d, name), r.headers)


def aged(n, days):
    """As if all that the bucket has had been written so long ago."""
    psql("UPDATE objects SET mtime = mtime - interval '%d days' WHERE bucket_id = '%s'" % (days, psql("SELECT id FROM buckets WHERE name = '%s'" % n)), EU.dsn)


def maintain(*more):
    admin(EU, "maintain", "--lifecycle-again", *more)


def test_maintain_current():
    """By days and by date, by prefix, tags and size; what is younger, other or switched off stays."""
    n = bucket(EU)
    for k, body, h in (("d/a", b"x", {}), ("e/a", b"x", {}), ("s/small", b"x", {}), ("s/big", b"x" * 99, {}), ("t/a", b"x", {"x-amz-tagging": "k=v&l=m"}), ("t/b", b"x", {"x-amz-tagging": "k=w"}), ("off/a", b"x", {})):
        status(S3().request("PUT", n, k, body=body, headers=h), 200)
    status(KIND.put(n, config(rule(days(3), "<Filter><Prefix>d/</Prefix></Filter>"), rule("<Expiration><Date>2020-01-01T00:00:00Z</Date></Expiration>", "<Filter><Prefix>e/</Prefix></Filter>"),
                              rule(days(1), "<Filter><And><Prefix>s/</Prefix><ObjectSizeGreaterThan>50</ObjectSizeGreaterThan></And></Filter>"),
                              rule(days(1), "<Filter><And><Prefix>t/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>"), rule(days(1), "<Filter><Prefix>off/</Prefix></Filter>", "Disabled"))), 200)
    maintain("--dry-run")
    eq("a dry run does nothing", len(S3().keys(n)), 7)
    maintain()
    eq("the date alone is past", S3().keys(n), ["d/a", "off/a", "s/big", "s/small", "t/a", "t/b"])
    aged(n, 3)
    maintain()
    eq("not before midnight", S3().keys(n), ["d/a", "off/a", "s/small", "t/b"])
    aged(n, 1)
    S3().put(n, "d/b", b"young")
    maintain()
    eq("then", S3().keys(n), ["d/b", "off/a", "s/small", "t/b"])


def test_once_a_day():
    """A bucket is walked once a day, and again when its rules change."""
    n = bucket(EU)
    past = rule("<Expiration><Date>2020-01-01T00:00:00Z</Date></Expiration>", "<Filter><Prefix>a</Prefix></Filter>", id="%s")
    status(KIND.put(n, config(past % "one")), 200)
    for rules, want in (("one", []), ("one", ["a"]), ("two", [])):
        status(KIND.put(n, config(past % rules)), 200)
        S3().put(n, "a", b"x")
        admin(EU, "maintain")
        if time.time() % 86400 < 86390:  # not over a midnight
            eq("by rule " + rules, S3().keys(n), want)


def test_maintain_versions():
    """A current version gets a marker; noncurrent ones go, but for the newest N; a marker alone goes; object lock keeps what it keeps."""
    n = locked(EU)
    ids = [S3().put(n, "k", b"x").get("x-amz-version-id") for _ in range(5)]
    status(put_hold(n, "ON", ids[0]), 200)
    noncurrent = "<NoncurrentVersionExpiration><NoncurrentDays>2</NoncurrentDays><NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration>"
    status(KIND.put(n, config(rule(noncurrent))), 200)
    maintain()
    eq("too young", len(versions(n)), 5)
    aged(n, 5)
    maintain()
    eq("the current one, one noncurrent, and what is held", [v[1] for v in versions(n)], [ids[4], ids[3], ids[0]])
    status(KIND.put(n, config(rule(days(1)))), 200)
    maintain()
    eq("a marker hides it", [(v[2], v[3]) for v in versions(n)], [(True, True), (False, False), (False, False), (False, False)])
    status(put_hold(n, "OFF", ids[0]), 200)
    status(KIND.put(n, config(rule(noncurrent.replace("<NewerNoncurrentVersions>1</NewerNoncurrentVersions>", "")), rule("<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"))), 200)
    aged(n, 5)
    maintain()
    eq("the marker alone", [(v[2], v[3]) for v in versions(n)], [(True, True)])
    maintain()
    eq("nothing", versions(n), [])


def test_abort_incomplete():
    """AbortIncompleteMultipartUpload: uploads that were begun long enough ago, of the rule's prefix; their parts go, others and objects stay."""
    n = bucket(EU)
    old, other, done = (uploads.create(n, k) for k in ("p/old", "other", "p/done"))
    for k, i in (("p/old", old), ("other", other), ("p/done", done)):
        etag = uploads.put_part(n, k, i, 1, b"x" * 300000).get("ETag")
    status(uploads.complete(n, "p/done", done, [(1, etag)]), 200)
    status(KIND.put(n, config(rule("<AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload>", "<Filter><Prefix>p/</Prefix></Filter>"))), 200)
    bucket_id = psql("SELECT id FROM buckets WHERE name = '%s'" % n)

    def begun(days):
        psql("UPDATE uploads SET started_at = started_at - interval '%d days' WHERE bucket_id = '%s'" % (days, bucket_id), EU.dsn)

    def left():
        return sorted(x.findtext("Key") for x in S3().request("GET", n, query="uploads").xml.findall("Upload"))
    maintain()
    eq("too young", left(), ["other", "p/old"])
    begun(2)
    maintain()
    eq("not before midnight", left(), ["other", "p/old"])
    begun(1)
    maintain("--dry-run")
    eq("a dry run does nothing", left(), ["other", "p/old"])
    maintain()
    eq("the rule's", left(), ["other"])
    error(uploads.put_part(n, "p/old", old, 2, b"x"), 404, "NoSuchUpload")
    error(uploads.complete(n, "p/old", old, [(1, etag)]), 404, "NoSuchUpload")
    eq("parts of the others alone", psql("SELECT count(*) FROM parts WHERE bucket_id = '%s'" % bucket_id, EU.dsn), "2")
    status(uploads.complete(n, "other", other, [(1, etag)]), 200)
    eq("objects", S3().keys(n), ["other", "p/done"])


def test_short_days():
    """lifecycle_day_seconds: a day of two seconds is two seconds, from the object's time."""
    n = bucket(EU)
    conf = os.path.join(temp_dir(), "anvil.conf")
    with open(conf, "w") as f:
        f.write(open(EU.conf).read() + "\nlifecycle_day_seconds = 2\n")
    S3().put(n, "one/k", b"x")
    S3().put(n, "many/k", b"x")
    i = uploads.create(n, "one/upload")
    status(KIND.put(n, config(rule(days(1), "<Filter><Prefix>one/</Prefix></Filter>"), rule(days(10000), "<Filter><Prefix>many/</Prefix></Filter>"),
                              rule("<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>"))), 200)
    time.sleep(2.1)
    run("anvil-admin", "-c", conf, "maintain")
    eq("what is older than a day of two seconds", S3().keys(n), ["many/k"])
    error(uploads.put_part(n, "one/upload", i, 1, b"x"), 404, "NoSuchUpload")


def test_told():
    """What rules end is told to a webhook, as theirs."""
    n, w = bucket(EU), Receiver()
    status(S3().request("PUT", n, query="notification", body=configuration(queue(w.queue, "s3:LifecycleExpiration:*", "s3:ObjectRemoved:*"))), 200)
    status(KIND.put(n, config(rule("<Expiration><Date>2020-01-01T00:00:00Z</Date></Expiration>", "<Filter><Prefix>a</Prefix></Filter>"))), 200)
    for key in ("a", "b"):
        S3().put(n, key, b"x")
    maintain()
    S3().delete(n, "b")
    w.wait_for(("LifecycleExpiration:Delete", "a"), ("ObjectRemoved:Delete", "b"))
    eq("by whom", [r["userIdentity"]["principalId"] for r in w.records() if r["s3"]["object"]["key"] == "a"], ["s3.amazonaws.com"])
    w.close(n, s3=S3())


if __name__ == "__main__":
    main()
