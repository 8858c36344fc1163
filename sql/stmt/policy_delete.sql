-- name: policy_delete
-- database: global
-- params: $1 name text
-- rows: many
-- Refused while an app carries it.
DELETE FROM policies WHERE name = $1 RETURNING 1
