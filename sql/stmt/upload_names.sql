-- name: upload_names
-- database: global
-- params: $1 buckets uuid[], $2 owners text[]
-- rows: many
-- What these buckets and their tenants are called, and these canonical ids' tenants.
SELECT b.id::text, b.name, t.name FROM buckets b JOIN tenants t ON t.id = b.tenant_id WHERE b.id = ANY ($1)
UNION ALL SELECT t.canonical_id, t.name, NULL FROM tenants t WHERE t.canonical_id = ANY ($2)
