-- name: tenant_delete
-- database: global
-- params: $1 who text
-- rows: many
-- With its apps; buckets hold it back.
DELETE FROM tenants WHERE id = anvil_tenant_id($1) RETURNING 1
