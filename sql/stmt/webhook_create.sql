-- name: webhook_create
-- database: global
-- params: $1 name text, $2 url text, $3 sealed_secret bytea, $4 tenant text
-- rows: many
-- A new webhook; no row when there is no such tenant. null tenant: everybody's.
INSERT INTO webhooks (name, url, sealed_secret, tenant_id)
SELECT $1, $2, $3, anvil_tenant_id($4) WHERE $4 IS NULL OR anvil_tenant_id($4) IS NOT NULL RETURNING 1
