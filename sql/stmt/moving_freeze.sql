-- name: moving_freeze
-- database: regional
-- params: $1 bucket uuid, $2 move uuid, $3 freeze_no integer
-- rows: one
-- Nothing changes any more once this returns true.
SELECT bucket_move_freeze($1, $2, $3)
