-- name: move_list
-- database: global
-- params: $1 all boolean, $2 bucket text, $3 max integer
-- rows: many
-- Moves that are under way, or all; those of one bucket when it is named; the newest first.
SELECT id, bucket_id, bucket, source, target, state, rows_copied, bytes_copied, paused_us, started_at, changed_at, ended_at
FROM bucket_moves WHERE ($1 OR state IN ('copying', 'frozen', 'switched')) AND ($2 IS NULL OR bucket = $2)
ORDER BY started_at DESC LIMIT $3
