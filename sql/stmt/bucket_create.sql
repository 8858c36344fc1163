-- name: bucket_create
-- database: global
-- params: $1 id uuid, $2 name text, $3 region text, $4 tenant_id uuid
-- rows: one
-- A new bucket in an active region, unless the name is taken. The id was never used before.
WITH home AS (SELECT name FROM regions WHERE name = $3 AND state = 'active'),
made AS (INSERT INTO buckets (id, name, region, tenant_id) SELECT $1, $2, home.name, $4 FROM home
	ON CONFLICT (name) DO NOTHING RETURNING 1)
SELECT EXISTS (SELECT FROM home), EXISTS (SELECT FROM made)
