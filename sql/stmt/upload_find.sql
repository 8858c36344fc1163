-- name: upload_find
-- database: regional
-- params: $1 bucket uuid, $2 key text, $3 upload uuid
-- rows: many
-- An upload that is under way.
SELECT u.started_at, u.checksums, u.headers, u.storage_class, u.owner_id, u.sse FROM uploads u
WHERE u.bucket_id = $1 AND u.key = $2 AND u.upload_id = $3
