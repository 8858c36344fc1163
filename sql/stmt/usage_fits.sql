-- name: usage_fits
-- database: regional
-- params: $1 bucket uuid, $2 key text, $3 upload uuid, $4 part integer, $5 size bigint
-- rows: one
-- Would so many bytes fit, by what is committed now: as the object of that key, or (upload not null) as a part. What they would replace goes. Advice: what decides is the write itself.
SELECT bucket_usage_fits($1, $5 - coalesce(CASE WHEN $3 IS NULL
	THEN (SELECT o.size FROM objects o JOIN bucket_fences f USING (bucket_id)
		WHERE o.bucket_id = $1 AND o.key = $2 AND o.is_null AND f.versioning IS DISTINCT FROM 'E' LIMIT 1)
	ELSE (SELECT p.size FROM parts p WHERE p.bucket_id = $1 AND p.upload_id = $3 AND p.part_no = $4) END, 0), 0)
