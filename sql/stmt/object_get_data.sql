-- name: object_get_data
-- database: regional
-- params: $1 bucket uuid, $2 key text
-- rows: many
-- The same with the bytes of an object that lives in its row.
SELECT size, mtime, etag, checksums, headers, storage_class, owner_id, is_marker, blob_id, data
FROM objects WHERE bucket_id = $1 AND key = $2 ORDER BY ord LIMIT 1
