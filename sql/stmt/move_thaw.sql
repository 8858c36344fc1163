-- name: move_thaw
-- database: global
-- params: $1 move uuid, $2 freeze_no integer
-- rows: many
-- The hand-over is put off.
UPDATE bucket_moves SET state = 'copying', changed_at = clock_timestamp()
WHERE id = $1 AND state = 'frozen' AND freeze_no = $2 RETURNING 1
