#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Copies between regions that take long: nobody waits in silence, and what came of one is in its answer."""
import hashlib
import http.client
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import *  # noqa: E402,F403

SIZE = 64 << 20
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def lab():
    return shared(relay_links=True, settings={"copy_keep_alive_ms": 1})


class Begun:
    """A copy whose answer has begun, to be read on."""

    def __init__(self, region, to, key, source, **query):
        s3 = S3(region)
        target = "/%s/%s" % (to, key) + ("?" + "&".join("%s=%s" % kv for kv in sorted(query.items())) if query else "")
        headers = {"x-amz-copy-source": source, "host": region.netloc}
        anvil.sigv4.sign("PUT", target, headers, hashlib.sha256(b"").hexdigest(), s3.key, s3.secret, region.name, None, "s3", (), None)
        self.connection = http.client.HTTPConnection(region.host, region.port, timeout=120)
        self.connection.request("PUT", target, b"", headers)
        self.answer = self.connection.getresponse()

    def rest(self):
        """The document; b"" when it broke off."""
        try:
            body = self.answer.read()
        except (http.client.HTTPException, OSError):
            body = b""
        self.connection.close()
        return body


def long_one(the):
    source, data = bucket(US), os.urandom(1 << 20) * (SIZE >> 20)
    S3(US).put(source, "long", data)
    return source, hashlib.md5(data).hexdigest()


def kept(begun):
    """Its document, which followed an early 200."""
    eq("status", begun.answer.status, 200)
    body = begun.rest()
    ok("it begins as XML does: %r" % body[:80], body.startswith(DECLARATION))
    return body[len(DECLARATION):]


def test_long_copies_answer_early():
    """A copy, and a part that is copied, answer 200 before they are done; blanks come, then the result, as clients read it."""
    the = lab()
    source, md5 = long_one(the)
    to = bucket(EU)
    for region in (EU, AP):  # at home, and by a relay
        document = kept(Begun(region, to, "copy", "/%s/long" % source))
        ok("blanks, then the result: %r" % document[:60], document.startswith(b" ") and document.lstrip(b" ").startswith(b"<CopyObjectResult"))
        contains("its ETag", document, md5.encode())
        a = S3(EU).get(to, "copy")
        eq("the bytes", (a.status, hashlib.md5(a.body).hexdigest()), (200, md5))
    upload = S3(EU).request("POST", to, "parts", query="uploads").text("UploadId")
    document = kept(Begun(EU, to, "parts", "/%s/long" % source, partNumber=1, uploadId=upload))
    ok("a part's: %r" % document[:60], document.startswith(b" ") and document.lstrip(b" ").startswith(b"<CopyPartResult"))
    contains("its ETag", document, md5.encode())
    status(S3(EU).request("DELETE", to, "parts", query="uploadId=" + upload), 204)


def test_source_lost_after_the_answer_began():
    """The source's home is cut off in the middle: the document of the 200 is an error, and nothing was stored."""
    the = lab()
    source, _ = long_one(the)
    to = bucket(EU)
    for tried in range(10):
        begun = Begun(EU, to, "copy%d" % tried, "/%s/long" % source)
        the.link("relay>us/web").refuse()
        document = kept(begun)
        the.heal()
        if b"<CopyObjectResult" not in document:  # else it was quicker than we
            break
    ok("an error: %r" % document[:200], document.lstrip(b" ").startswith(b"<Error><Code>"))
    status(S3(EU).head(to, "copy%d" % tried), 404)


def test_answered_early_and_refused():
    """What is found out at the end, as that somebody wrote the key meanwhile, is told in the document, too."""
    the = lab()
    source, _ = long_one(the)
    to = bucket(EU)
    upload = S3(EU).request("POST", to, "parts", query="uploads").text("UploadId")
    for tried in range(10):
        begun = Begun(EU, to, "parts", "/%s/long" % source, partNumber=1, uploadId=upload)
        gone = S3(EU).request("DELETE", to, "parts", query="uploadId=" + upload)
        document = kept(begun)
        if b"<CopyPartResult" not in document:
            break
        upload = S3(EU).request("POST", to, "parts", query="uploads").text("UploadId")
    status(gone, 204)
    contains("there is no such upload any more", document, b"<Error><Code>NoSuchUpload</Code>")


if __name__ == "__main__":
    main()
