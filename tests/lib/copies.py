# SPDX-License-Identifier: Apache-2.0
"""Copies, for the tests of the operations that make them."""
import base64
import hashlib

import sigv4
from anvil import S3, eq, status

SSE = "x-amz-server-side-encryption"


def copy(source, n, key="copy", s3=None, **headers):
    """source: (bucket, key) or the header as it is."""
    if isinstance(source, tuple):
        source = sigv4.path_of(*source)[1:]
    h = {"x-amz-copy-source": source}
    h.update({k.replace("_", "-"): v for k, v in headers.items()})
    return (s3 or S3()).request("PUT", n, key, headers=h)


def copied(*args, **kw):
    r = copy(*args, **kw)
    status(r, 200)
    eq("root", r.xml.tag, "CopyObjectResult")
    return r


def customer(n, prefix=SSE):
    key = hashlib.sha256(b"key %d" % n).digest()
    return {prefix + "-customer-algorithm": "AES256", prefix + "-customer-key": base64.b64encode(key).decode(),
            prefix + "-customer-key-md5": base64.b64encode(hashlib.md5(key).digest()).decode()}
