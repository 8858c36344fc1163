-- name: webhook_update
-- database: global
-- params: $1 name text, $2 url text, $3 sealed_secret bytea
-- rows: many
-- Another address, another secret; null: as it is.
UPDATE webhooks SET url = coalesce($2, url), sealed_secret = coalesce($3, sealed_secret) WHERE name = $1 RETURNING 1
