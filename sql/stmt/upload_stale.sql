-- name: upload_stale
-- database: regional
-- params: $1 older_s bigint, $2 max integer
-- rows: many
-- Uploads that were begun long ago and never ended, the oldest first.
SELECT u.bucket_id, u.key, u.upload_id FROM uploads u WHERE u.started_at < clock_timestamp() - make_interval(secs => $1)
ORDER BY u.started_at LIMIT $2
