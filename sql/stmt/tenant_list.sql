-- name: tenant_list
-- database: global
-- params: $1 after text, $2 max integer
-- rows: many
-- One page of tenants in byte order.
SELECT t.id, t.name, t.canonical_id, t.enabled, (SELECT count(*) FROM apps a WHERE a.tenant_id = t.id),
	(SELECT count(*) FROM buckets b WHERE b.tenant_id = t.id), t.created_at, t.max_buckets, t.bucket_bytes, t.bucket_objects
FROM tenants t WHERE t.name > $1 ORDER BY t.name LIMIT $2
