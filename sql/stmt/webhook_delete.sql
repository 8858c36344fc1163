-- name: webhook_delete
-- database: global
-- params: $1 name text
-- rows: many
-- Refused while a bucket's configuration names it: see sql/global/0011-webhooks.sql.
DELETE FROM webhooks WHERE name = $1 RETURNING 1
