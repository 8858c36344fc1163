-- name: bucket_owner
-- database: global
-- params: $1 name text
-- rows: many
-- Whose is the name that was taken? A statement of its own: the one before may not see who was faster.
SELECT tenant_id FROM buckets WHERE name = $1
