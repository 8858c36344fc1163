-- name: lifecycle_walked
-- database: regional
-- params: $1 bucket uuid, $2 day bigint, $3 rules text
-- rows: none
-- It was walked whole. Rows of buckets that are long gone, or have no rules any more, go with it.
WITH old AS (DELETE FROM lifecycle_walks WHERE day < $2 - 30 AND bucket_id <> $1)
INSERT INTO lifecycle_walks (bucket_id, day, rules) VALUES ($1, $2, md5($3))
	ON CONFLICT (bucket_id) DO UPDATE SET day = excluded.day, rules = excluded.rules
