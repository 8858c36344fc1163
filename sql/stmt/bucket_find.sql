-- name: bucket_find
-- database: global
-- params: $1 name text
-- rows: one
-- The bucket that is named, with the clock of the same snapshot; columns are null when there is no such bucket. Fills the cache.
SELECT c.epoch, c.n, b.id, b.name, b.region, b.tenant_id, b.canonical_id, b.tenant_name, b.status, b.routing_mode, b.versioning, b.policy, b.kinds,
	b.created_at, (SELECT l.object_lock FROM buckets l WHERE l.id = b.id)
FROM event_clock c LEFT JOIN bucket_rows b ON b.name = $1
