-- name: bucket_create
-- database: global
-- params: $1 id uuid, $2 name text, $3 region text, $4 tenant_id uuid, $5 lock boolean, $6 kinds text[], $7 documents text[]
-- rows: one
-- A new bucket in an active region, with its documents, unless the name is taken. The id was never used before. With object lock it has versions.
WITH home AS (SELECT name FROM regions WHERE name = $3 AND state = 'active'),
made AS (INSERT INTO buckets (id, name, region, tenant_id, versioning, object_lock)
	SELECT $1, $2, home.name, $4, v, v FROM home, (SELECT CASE WHEN $5 THEN 'Enabled' ELSE '' END) AS lock (v)
	ON CONFLICT (name) DO NOTHING RETURNING id),
carried AS (INSERT INTO bucket_configs (bucket_id, kind, document)
	SELECT made.id, u.kind, u.document FROM made, unnest($6, $7) AS u (kind, document))
SELECT EXISTS (SELECT FROM home), EXISTS (SELECT FROM made)
