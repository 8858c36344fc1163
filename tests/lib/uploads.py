# SPDX-License-Identifier: Apache-2.0
"""Uploads in parts, for the tests of their operations."""
import hashlib
from xml.sax.saxutils import escape

from anvil import EU, S3, status

MIN = 5 * 1024 * 1024


def create(name, key, region=None, s3=None, **headers):
    """The new upload's id."""
    r = (s3 or S3(region or EU)).request("POST", name, key, query="uploads", headers={k.replace("_", "-"): v for k, v in headers.items()})
    status(r, 200)
    return r.text("UploadId")


def put_part(name, key, upload, number, body, region=None, s3=None, **headers):
    return (s3 or S3(region or EU)).request("PUT", name, key, query={"partNumber": str(number), "uploadId": upload}, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


def document(parts):
    """parts: (number, etag) or (number, etag, {"ChecksumCRC32": ...})."""
    out = "<CompleteMultipartUpload xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>"
    for p in parts:
        sums = "".join("<%s>%s</%s>" % (k, v, k) for k, v in (p[2] if len(p) > 2 else {}).items())
        out += "<Part><PartNumber>%s</PartNumber><ETag>%s</ETag>%s</Part>" % (p[0], escape(p[1]), sums)
    return (out + "</CompleteMultipartUpload>").encode()


def complete(name, key, upload, parts, region=None, s3=None, **headers):
    body = parts if isinstance(parts, bytes) else document(parts)
    return (s3 or S3(region or EU)).request("POST", name, key, query={"uploadId": upload}, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


def abort(name, key, upload, region=None, s3=None):
    return (s3 or S3(region or EU)).request("DELETE", name, key, query={"uploadId": upload})


def upload(name, key, bodies, region=None, s3=None, first=1, part_headers=None, **headers):
    """All of it; (answer of Complete, upload's id)."""
    i = create(name, key, region, s3, **headers)
    parts = []
    for n, body in enumerate(bodies, first):
        r = put_part(name, key, i, n, body, region, s3, **(part_headers or {}))
        status(r, 200)
        parts.append((n, r.get("ETag")))
    return complete(name, key, i, parts, region, s3), i


def etag(bodies):
    return '"%s-%d"' % (hashlib.md5(b"".join(hashlib.md5(b).digest() for b in bodies)).hexdigest(), len(bodies))
