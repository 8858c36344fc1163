-- name: move_freeze
-- database: global
-- params: $1 move uuid, $2 ms bigint
-- rows: many
-- Announced before it is done in the source. No row: the move is over.
UPDATE bucket_moves SET state = 'frozen', freeze_no = freeze_no + 1, changed_at = clock_timestamp(),
	frozen_until = clock_timestamp() + make_interval(secs => $2 / 1000.0)
WHERE id = $1 AND state IN ('copying', 'frozen') RETURNING freeze_no
