# SPDX-License-Identifier: Apache-2.0
"""What the tests of a bucket's documents share: each kind is a subresource, a good
document and what Get says when there is none."""
from anvil import *  # noqa: F403
from anvil import EU, US, KEY, KEY2, OWNER2, S3, SECRET2, bucket, contains, eq, error, ok, secrets, status

NS = "http://s3.amazonaws.com/doc/2006-03-01/"


class Kind:
    def __init__(self, sub, good, missing=None, put_status=200, reads="s3:Get", none=None):
        self.sub, self.good, self.missing, self.put_status, self.none = sub, good.encode(), missing, put_status, none

    def put(self, n, document=None, s3=None, **kw):
        return (s3 or S3(EU)).request("PUT", n, query=self.sub, body=self.good if document is None else document, **kw)

    def get(self, n, s3=None, **kw):
        return (s3 or S3(EU)).request("GET", n, query=self.sub, **kw)

    def delete(self, n, s3=None, **kw):
        return (s3 or S3(EU)).request("DELETE", n, query=self.sub, **kw)

    def is_missing(self, n, s3=None):
        r = self.get(n, s3)
        if self.missing:
            error(r, 404, self.missing, BucketName=n)
        else:
            status(r, 200)
            contains("the answer when there is none", r.body.decode(), self.none)

    # ---- what each operation's test asks ----

    def check_get(self):
        """None, then the same in each region, then none again."""
        n = bucket(EU)
        for region in (EU, US):
            self.is_missing(n, S3(region))
        if self.missing is None:
            return
        status(self.put(n), self.put_status)
        bodies = []
        for region in (EU, US):
            r = self.get(n, S3(region))
            status(r, 200)
            contains("an XML document", r.get("Content-Type"), "application/xml")
            contains("in S3's namespace", r.body.decode(), 'xmlns="%s"' % NS)
            bodies.append(r.body)
        eq("the same in each region", bodies[0], bodies[1])
        status(self.put(n, bodies[0]), self.put_status)
        eq("what was got can be put", self.get(n, S3(US)).body, bodies[0])

    def check_put(self):
        """By either region, for a bucket of either; every region knows when it returns."""
        for home in (EU, US):
            for via in (EU, US):
                n = bucket(home)
                r = self.put(n, s3=S3(via))
                status(r, self.put_status)
                eq("no body", r.body, b"")
                for region in (EU, US):
                    status(self.get(n, S3(region)), 200)

    def check_put_none(self, something):
        """Where nothing is built but to say that there is nothing: that is taken, something is not."""
        n = bucket(EU)
        for region in (EU, US):
            r = self.put(n, s3=S3(region))
            status(r, 200)
            eq("no body", r.body, b"")
            error(self.put(n, something, S3(region)), 501, "NotImplemented")
        self.is_missing(n)

    def check_malformed_none(self):
        n = bucket(EU)
        for body in (b"", b"x", b"<Other/>", self.good.replace(b"/>", b">x</%s>" % self.good[1:-2])):
            error(self.put(n, body), 400, "MalformedXML")

    def check_delete(self):
        n = bucket(EU)
        status(self.delete(n), 204)
        for via in (EU, US):
            status(self.put(n), self.put_status)
            r = self.delete(n, S3(via))
            status(r, 204)
            eq("no body", r.body, b"")
            for region in (EU, US):
                self.is_missing(n, S3(region))
            status(self.delete(n, S3(via)), 204)

    def check_refused(self, method):
        """Another tenant, nobody, a wrong secret, another owner than expected; a bucket that is not there."""
        n = bucket(EU)
        body = self.good if method == "PUT" else b""
        for region in (EU, US):
            error(S3(region, KEY2, SECRET2).request(method, n, query=self.sub, body=body), 403, "AccessDenied")
            error(S3(region).send(method, "/%s?%s" % (n, self.sub), body=body if method == "PUT" else None), 403, "AccessDenied")
            error(S3(region, KEY, "wrong").request(method, n, query=self.sub, body=body), 403, "SignatureDoesNotMatch")
            error(S3(region).request(method, n, query=self.sub, body=body, headers={"x-amz-expected-bucket-owner": OWNER2}), 403, "AccessDenied")
            gone = "t-" + secrets.token_hex(8)
            error(S3(region).request(method, gone, query=self.sub, body=body), 404, "NoSuchBucket", BucketName=gone)
        if self.missing:
            self.is_missing(n)

    def check_malformed(self, *documents):
        """What is no XML, another root, an unknown element, too long; and nothing is stored."""
        n = bucket(EU)
        root = self.good[1:self.good.index(b">")].split(b" ")[0]
        whole = self.good.decode()
        for d in (b"", b"nothing", self.good[:-1], b"<Other/>", self.good.replace(b"</%s>" % root, b"<Odd/></%s>" % root),
                  b'<!DOCTYPE x [<!ENTITY a "b">]>' + self.good) + tuple(x.encode() for x in documents):
            error(self.put(n, d), 400, "MalformedXML")
        r = self.put(n, whole.replace(">", ">" + " " * 270000, 1).encode())
        ok("too long: refused", r.status == 400 and r.code in ("MalformedXML", "MaxMessageLengthExceeded", "EntityTooLarge"), r)
        error(self.put(n, headers={"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}), 400, "BadDigest")
        if self.missing:
            self.is_missing(n)
