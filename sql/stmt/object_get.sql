-- name: object_get
-- database: regional
-- params: $1 bucket uuid, $2 key text
-- rows: many
-- The current version of a key without its bytes: the first of its rows, in one descent.
SELECT size, mtime, etag, checksums, headers, storage_class, owner_id, is_marker, blob_id
FROM objects WHERE bucket_id = $1 AND key = $2 ORDER BY ord LIMIT 1
