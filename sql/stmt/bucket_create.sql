-- name: bucket_create
-- database: global
-- params: $1 id uuid, $2 name text, $3 region text, $4 tenant_id uuid, $5 lock boolean, $6 kinds text[], $7 documents text[]
-- rows: one
-- A new bucket in an active region, with its documents and its tenant's quota, unless the name is taken or the tenant has as many as it may. The id was never used before. With object lock it has versions. Tells: is there the region, was it made, is there room.
WITH home AS (SELECT name FROM regions WHERE name = $3 AND state = 'active'),
owner AS (SELECT t.bucket_bytes, t.bucket_objects FROM tenants t
	WHERE t.id = $4 AND (SELECT count(*) FROM buckets b WHERE b.tenant_id = $4) < t.max_buckets),
made AS (INSERT INTO buckets (id, name, region, tenant_id, versioning, object_lock)
	SELECT $1, $2, home.name, $4, v, v FROM home, owner, (SELECT CASE WHEN $5 THEN 'Enabled' ELSE '' END) AS lock (v)
	ON CONFLICT (name) DO NOTHING RETURNING id),
carried AS (INSERT INTO bucket_configs (bucket_id, kind, document)
	SELECT made.id, u.kind, u.document FROM made, unnest($6, $7) AS u (kind, document)
	UNION ALL SELECT made.id, 'quota', json_build_object('bytes', owner.bucket_bytes, 'objects', owner.bucket_objects)::text FROM made, owner
		WHERE owner.bucket_bytes IS NOT NULL OR owner.bucket_objects IS NOT NULL)
SELECT EXISTS (SELECT FROM home), EXISTS (SELECT FROM made), EXISTS (SELECT FROM owner)
