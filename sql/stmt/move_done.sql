-- name: move_done
-- database: global
-- params: $1 move uuid, $2 paused_us bigint
-- rows: many
-- Every region knows the new home: it may be written there.
UPDATE bucket_moves SET state = 'done', paused_us = $2, changed_at = clock_timestamp(), ended_at = clock_timestamp()
WHERE id = $1 AND state IN ('switched', 'done') RETURNING 1
