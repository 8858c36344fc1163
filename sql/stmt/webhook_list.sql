-- name: webhook_list
-- database: global
-- params: $1 after text, $2 max integer
-- rows: many
-- One page of webhooks, in the order of their names. Columns as of webhook_find.
SELECT w.name, w.url, w.sealed_secret, t.name, t.canonical_id, w.created_at, w.enabled
FROM webhooks w LEFT JOIN tenants t ON t.id = w.tenant_id WHERE w.name > $1 ORDER BY w.name LIMIT $2
