-- name: move_progress
-- database: global
-- params: $1 move uuid, $2 rows bigint, $3 bytes bigint
-- rows: many
-- Adds what was copied; gives the state, which tells the mover whether it is still wanted.
UPDATE bucket_moves SET rows_copied = rows_copied + $2, bytes_copied = bytes_copied + $3, changed_at = clock_timestamp()
WHERE id = $1 RETURNING state
