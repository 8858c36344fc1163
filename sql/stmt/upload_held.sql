-- name: upload_held
-- database: regional
-- params: $1 bucket uuid, $2 older_s bigint, $3 after timestamptz, $4 after_upload uuid, $5 max integer
-- rows: many
-- Uploads that are under way, of a bucket or (null) of all, the oldest first, with the parts and bytes that each holds. One of the two halves runs: of a bucket the time is what the ids begin with, of all it is started_at.
SELECT u.bucket_id, u.key, u.upload_id, u.started_at, u.owner_id, p.n, p.bytes
FROM ((SELECT x.bucket_id, x.key, x.upload_id, x.started_at, x.owner_id, x.started_at AS place FROM uploads x WHERE $1 IS NULL
		AND x.started_at <= now() - make_interval(secs => $2) AND (x.started_at, x.upload_id) > ($3, $4)
		ORDER BY x.started_at, x.upload_id LIMIT $5)
	UNION ALL (SELECT x.bucket_id, x.key, x.upload_id, x.started_at, x.owner_id, NULL FROM uploads x WHERE x.bucket_id = $1
		AND x.upload_id <= CASE $2 WHEN 0 THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'
			ELSE lpad(to_hex((extract(epoch FROM now() - make_interval(secs => $2)) * 1000)::bigint), 12, '0') || repeat('f', 20) END::uuid
		AND x.upload_id > $4
		ORDER BY x.upload_id LIMIT $5)) u
	CROSS JOIN LATERAL (SELECT count(*) AS n, coalesce(sum(q.size), 0)::bigint AS bytes FROM parts q
		WHERE q.bucket_id = u.bucket_id AND q.upload_id = u.upload_id) p
ORDER BY u.place, u.upload_id
