-- name: bucket_config_delete
-- database: global
-- params: $1 name text, $2 kind text
-- rows: many
-- Removes one of its documents.
DELETE FROM bucket_configs c USING buckets b WHERE b.name = $1 AND c.bucket_id = b.id AND c.kind = $2 RETURNING 1
