-- name: dead_blobs
-- database: regional
-- params: $1 grace_s bigint, $2 max integer
-- rows: many
-- Blobs that nobody can still be reading, the longest dead first.
SELECT blob_id FROM dead_blobs WHERE died_at < now() - make_interval(secs => $1) ORDER BY died_at LIMIT $2
