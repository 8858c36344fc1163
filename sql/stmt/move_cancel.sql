-- name: move_cancel
-- database: global
-- params: $1 bucket text
-- rows: many
-- The move of a bucket ends where it began: id, bucket's id, source, target. No row: none is under way, or it has been handed over.
UPDATE bucket_moves SET state = 'cancelled', changed_at = clock_timestamp(), ended_at = clock_timestamp()
WHERE bucket = $1 AND state IN ('copying', 'frozen') RETURNING id, bucket_id, source, target
