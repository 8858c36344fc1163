-- name: bucket_list_own
-- database: global
-- params: $1 tenant_id uuid, $2 prefix text, $3 after text, $4 region text, $5 max integer
-- rows: many
-- One page of a tenant's buckets in byte order (ListBuckets).
SELECT b.id, b.name, b.region, b.tenant_id, b.canonical_id, b.tenant_name, b.status, b.routing_mode, b.versioning, b.policy, b.kinds,
	b.created_at, (SELECT l.object_lock FROM buckets l WHERE l.id = b.id)
FROM bucket_rows b
WHERE b.tenant_id = $1 AND b.name > $3 AND b.name >= $2 AND starts_with(b.name, $2) AND ($4 IS NULL OR b.region = $4)
ORDER BY b.name LIMIT $5
