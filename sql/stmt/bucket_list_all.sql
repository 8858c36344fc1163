-- name: bucket_list_all
-- database: global
-- params: $1 tenant text, $2 region text, $3 prefix text, $4 after text, $5 max integer
-- rows: many
-- One page of all buckets, for operators; null = any.
SELECT b.id, b.name, b.region, b.tenant_id, b.canonical_id, b.tenant_name, b.status, b.routing_mode, b.versioning, b.policy, b.kinds,
	b.created_at, (SELECT l.object_lock FROM buckets l WHERE l.id = b.id)
FROM bucket_rows b
WHERE ($1 IS NULL OR b.tenant_id = anvil_tenant_id($1)) AND ($2 IS NULL OR b.region = $2)
	AND ($3 IS NULL OR starts_with(b.name, $3)) AND b.name > $4
ORDER BY b.name LIMIT $5
