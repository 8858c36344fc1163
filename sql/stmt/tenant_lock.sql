-- name: tenant_lock
-- database: global
-- params: $1 tenant_id uuid
-- rows: many
-- Who makes a bucket for a tenant waits for whoever does: a later statement counts them all.
SELECT 1 FROM tenants WHERE id = $1 FOR NO KEY UPDATE
