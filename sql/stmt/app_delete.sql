-- name: app_delete
-- database: global
-- params: $1 access_key text
-- rows: many
-- The key is no more, and its secret cannot be had again.
DELETE FROM apps WHERE access_key = $1 RETURNING 1
