-- name: tenant_enable
-- database: global
-- params: $1 who text, $2 enabled boolean
-- rows: many
-- A tenant that is not enabled cannot sign with any of its keys.
UPDATE tenants SET enabled = $2 WHERE id = anvil_tenant_id($1) RETURNING 1
