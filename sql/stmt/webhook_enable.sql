-- name: webhook_enable
-- database: global
-- params: $1 name text, $2 enabled boolean
-- rows: many
-- Events for one that is not enabled wait.
UPDATE webhooks SET enabled = $2 WHERE name = $1 RETURNING 1
