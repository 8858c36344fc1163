-- name: webhook_find
-- database: global
-- params: $1 name text
-- rows: many
-- A webhook with its sealed secret, and how many buckets name it.
SELECT w.name, w.url, w.sealed_secret, t.name, t.canonical_id, w.created_at, (SELECT count(*) FROM anvil_webhook_buckets(w.name))
FROM webhooks w LEFT JOIN tenants t ON t.id = w.tenant_id WHERE w.name = $1
