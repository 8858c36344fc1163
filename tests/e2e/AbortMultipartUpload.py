#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""AbortMultipartUpload: the upload is over, and its bytes go."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from uploads import *  # noqa: E402,F403

def test_abort():
    """204, once; through either region; the object that was there stays."""
    n = bucket(EU)
    S3().put(n, "k", b"there")
    for region in (EU, US):
        i = create(n, "k")
        e = put_part(n, "k", i, 1, random_bytes(20000, 1)).get("ETag")
        r = abort(n, "k", i, region)
        status(r, 204)
        eq("no body", r.body, b"")
        error(abort(n, "k", i), 404, "NoSuchUpload", UploadId=i)
        error(complete(n, "k", i, [(1, e)]), 404, "NoSuchUpload")
        error(S3().request("GET", n, "k", query={"uploadId": i}), 404, "NoSuchUpload")
    eq("the object", S3().get(n, "k").body, b"there")


def test_completed():
    """What became an object is not an upload any more."""
    n = bucket(EU)
    r, i = upload(n, "k", [b"x"])
    status(r, 200)
    error(abort(n, "k", i), 404, "NoSuchUpload")
    eq("bytes", S3().get(n, "k").body, b"x")


def test_bytes_go():
    """Its files are on the dead list."""
    n = bucket(EU)
    i = create(n, "k")
    status(put_part(n, "k", i, 1, random_bytes(20000, 1)), 200)
    dsn = conf_value(EU, "regional_dsn")
    blob = psql("SELECT blob_id FROM parts WHERE replace(upload_id::text, '-', '') = '%s'" % i, dsn)
    status(abort(n, "k", i), 204)
    eq("dead", psql("SELECT count(*) FROM dead_blobs WHERE blob_id = '%s'" % blob, dsn), "1")


def test_bucket_goes():
    """An upload keeps no bucket, and is no more when it went."""
    n = bucket(EU)
    i = create(n, "k")
    e = put_part(n, "k", i, 1, b"x").get("ETag")
    status(S3().request("DELETE", n), 204)
    error(complete(n, "k", i, [(1, e)]), 404, "NoSuchBucket")
    error(abort(n, "k", i), 404, "NoSuchBucket")


def test_refused():
    n = bucket(EU)
    i = create(n, "k")
    error(abort(n, "k", i, s3=S3(EU, KEY2, SECRET2)), 403, "AccessDenied")
    error(S3().send("DELETE", "/%s/k?uploadId=%s" % (n, i)), 403, "AccessDenied")
    error(abort(n, "other", i), 404, "NoSuchUpload")
    error(abort(n, "k", "56788"), 404, "NoSuchUpload")
    status(abort(n, "k", i), 204)


def test_odd_key():
    n = bucket(EU)
    key = "a b+c%2F//./d\u00e9&<>'\""
    status(abort(n, key, create(n, key)), 204)

if __name__ == "__main__":
    main()
