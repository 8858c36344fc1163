-- name: upload_stale
-- database: regional
-- params: $1 older_s bigint, $2 max integer
-- rows: many
-- Uploads that were begun long ago and never ended, the oldest first. Not of buckets that may not be written just now: they have moved, or are about to.
SELECT u.bucket_id, u.key, u.upload_id FROM uploads u WHERE u.started_at < now() - make_interval(secs => $1)
	AND NOT EXISTS (SELECT FROM bucket_moving m WHERE m.bucket_id = u.bucket_id AND m.state <> 'out')
ORDER BY u.started_at LIMIT $2
