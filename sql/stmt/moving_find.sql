-- name: moving_find
-- database: regional
-- params: $1 bucket uuid
-- rows: many
-- What this region remembers of a bucket's move.
SELECT move_id, state FROM bucket_moving WHERE bucket_id = $1
