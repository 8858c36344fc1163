-- name: app_access
-- database: global
-- params: $1 access_key text, $2 access text
-- rows: many
-- What decides what it may do. Full access is refused to a key that carries policies.
UPDATE apps SET access = $2 WHERE access_key = $1 RETURNING 1
