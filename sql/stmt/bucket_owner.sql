-- name: bucket_owner
-- database: global
-- params: $1 name text
-- rows: many
-- Whose is the name that was taken, and which bucket has it? A statement of its own: the one before may not see who was faster.
SELECT tenant_id, id FROM buckets WHERE name = $1
