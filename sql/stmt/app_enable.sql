-- name: app_enable
-- database: global
-- params: $1 access_key text, $2 enabled boolean
-- rows: many
-- A key that is not enabled signs nothing.
UPDATE apps SET enabled = $2 WHERE access_key = $1 RETURNING 1
