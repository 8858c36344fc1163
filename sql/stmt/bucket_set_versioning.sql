-- name: bucket_set_versioning
-- database: global
-- params: $1 id uuid, $2 versioning text, $3 object_lock text
-- rows: none
-- Under the row lock of bucket_lock_row.
UPDATE buckets SET versioning = $2, object_lock = $3 WHERE id = $1
