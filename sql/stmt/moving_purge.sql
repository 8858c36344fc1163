-- name: moving_purge
-- database: regional
-- params: $1 bucket uuid, $2 move uuid, $3 max integer
-- rows: one
-- Removes rows of a bucket that is not at home here; true = none are left.
SELECT bucket_move_purge($1, $2, $3)
