-- name: tenant_find
-- database: global
-- params: $1 who text
-- rows: many
-- By name, canonical id or id.
SELECT t.id, t.name, t.canonical_id, t.enabled, (SELECT count(*) FROM apps a WHERE a.tenant_id = t.id),
	(SELECT count(*) FROM buckets b WHERE b.tenant_id = t.id), t.created_at, t.max_buckets, t.bucket_bytes, t.bucket_objects
FROM tenants t WHERE t.id = anvil_tenant_id($1)
