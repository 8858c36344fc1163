-- name: app_create
-- database: global
-- params: $1 access_key text, $2 name text, $3 tenant text, $4 sealed_secret bytea, $5 access text
-- rows: many
-- A new access key of a tenant; no row when there is no such tenant.
INSERT INTO apps (access_key, name, tenant_id, sealed_secret, access)
SELECT $1, $2, id, $4, $5 FROM tenants WHERE id = anvil_tenant_id($3) RETURNING 1
