-- name: operator_delete
-- database: global
-- params: $1 name text
-- rows: many
-- The audit log keeps the name.
DELETE FROM operators WHERE name = $1 RETURNING 1
