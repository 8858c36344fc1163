# SPDX-License-Identifier: Apache-2.0
"""Forms as browsers send them, for the tests of PostObject."""
import base64
import hashlib
import hmac
import json
import time

import sigv4
from anvil import EU, KEY, S3, SECRET

BOUNDARY = "x-boundary-of-the-form"


def body_of(fields, data=b"hello", filename="f.txt", file=True):
    """multipart/form-data: fields in their order, then the file."""
    out = b""
    for name, value in fields:
        v = value if isinstance(value, bytes) else value.encode()
        out += b"--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n" % (BOUNDARY.encode(), name.encode(), v)
    if file:
        out += b"--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\nContent-Type: text/plain\r\n\r\n%s\r\n" % (BOUNDARY.encode(), filename.encode(), data)
    return out + b"--%s--\r\n" % BOUNDARY.encode()


def post(n, fields, data=b"hello", via=None, headers=None, **kw):
    h = {"Content-Type": "multipart/form-data; boundary=" + BOUNDARY}
    h.update(headers or {})
    return S3(via or EU).send("POST", "/" + n, h, body_of(fields, data, **kw))


def form(n, fields, conditions=None, key=KEY, secret=SECRET, region=None, expires=600, now=None, **change):
    """The fields with a policy that covers them, signed. conditions: instead of one for each field. change: of what is signed, afterwards."""
    when = sigv4.now_text(now)
    scope = "%s/%s/%s/s3/aws4_request" % (key, when[:8], region or EU.name)
    signs = [("x-amz-algorithm", "AWS4-HMAC-SHA256"), ("x-amz-credential", scope), ("x-amz-date", when)]
    if conditions is None:
        conditions = [{"bucket": n}] + [{k: v} for k, v in fields]
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((now or time.time()) + expires))
    document = {"expiration": until, "conditions": conditions + [{k: v} for k, v in signs]}
    policy = base64.b64encode(json.dumps(document).encode()).decode()
    sig = hmac.new(sigv4.signing_key(secret, when[:8], region or EU.name), policy.encode(), hashlib.sha256).hexdigest()
    all_fields = list(fields) + signs + [("policy", policy), ("x-amz-signature", sig)]
    return [(k, change.get(k.replace("-", "_"), v)) for k, v in all_fields if change.get(k.replace("-", "_"), v) is not None]
