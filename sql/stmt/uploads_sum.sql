-- name: uploads_sum
-- database: regional
-- params: none
-- rows: one
-- Of uploads that are under way: how many, how many parts, their bytes, and when the oldest began. 100,000 uploads at most are counted, and of the oldest ones 100,000 parts. An upload has at most 10,000; that limit keeps the planner from reading the table of all objects' parts.
SELECT (SELECT count(*) FROM (SELECT FROM uploads LIMIT 100000) s), count(*), coalesce(sum(h.size), 0)::bigint, (SELECT min(started_at) FROM uploads)
FROM (SELECT p.size FROM (SELECT x.bucket_id, x.upload_id FROM uploads x ORDER BY x.started_at LIMIT 100000) u
	CROSS JOIN LATERAL (SELECT q.size FROM parts q WHERE q.bucket_id = u.bucket_id AND q.upload_id = u.upload_id LIMIT 10000) p
	LIMIT 100000) h
