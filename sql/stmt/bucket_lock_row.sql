-- name: bucket_lock_row
-- database: global
-- params: $1 id uuid
-- rows: many
-- Whoever changes versioning or object lock holds the row while the fence is told.
SELECT versioning, object_lock FROM buckets WHERE id = $1 AND status = 'active' FOR NO KEY UPDATE
