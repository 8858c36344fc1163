-- name: webhook_find
-- database: global
-- params: $1 name text
-- rows: many
-- A webhook with its sealed secret.
SELECT w.name, w.url, w.sealed_secret, t.name, t.canonical_id, w.created_at, w.enabled
FROM webhooks w LEFT JOIN tenants t ON t.id = w.tenant_id WHERE w.name = $1
