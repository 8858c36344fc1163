-- name: tenant_create
-- database: global
-- params: $1 id uuid, $2 name text, $3 canonical_id text
-- rows: none
-- A new tenant, who owns nothing yet.
INSERT INTO tenants (id, name, canonical_id) VALUES ($1, $2, $3)
