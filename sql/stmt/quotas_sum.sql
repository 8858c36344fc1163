-- name: quotas_sum
-- database: regional
-- params: none
-- rows: one
-- For the metrics: accounts, those of which nine tenths are used, those that are full, those that are not counted yet.
SELECT count(*), count(*) FILTER (WHERE s.used >= 0.9), count(*) FILTER (WHERE s.used >= 1), count(*) FILTER (WHERE s.counted_at IS NULL)
FROM (SELECT q.counted_at, CASE WHEN q.counted_at IS NULL THEN NULL WHEN 0 IN (q.bytes_max, q.objects_max) THEN 1
		ELSE greatest(sum(u.bytes) / q.bytes_max, sum(u.objects) / q.objects_max) END AS used
	FROM bucket_quotas q JOIN bucket_usage u USING (bucket_id) GROUP BY q.bucket_id) s
