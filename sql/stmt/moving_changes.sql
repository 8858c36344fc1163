-- name: moving_changes
-- database: regional
-- params: $1 bucket uuid, $2 move uuid, $3 batch bigint, $4 done bigint, $5 max integer
-- rows: one
-- What changed since.
SELECT rows, remaining, items FROM bucket_move_changes($1, $2, $3, $4, $5)
