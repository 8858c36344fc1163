-- name: bucket_config_delete
-- database: global
-- params: $1 bucket_id uuid, $2 kind text
-- rows: one
-- Removes one of its documents: is the bucket there, was there one.
WITH done AS (DELETE FROM bucket_configs WHERE bucket_id = $1 AND kind = $2 RETURNING 1)
SELECT EXISTS (SELECT FROM buckets WHERE id = $1 AND status = 'active'), EXISTS (SELECT FROM done)
