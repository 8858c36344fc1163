-- name: moving_page
-- database: regional
-- params: $1 bucket uuid, $2 move uuid, $3 after text, $4 max integer, $5 bytes bigint
-- rows: one
-- A page of the first copy.
SELECT next, rows, items FROM bucket_move_page($1, $2, $3, $4, $5)
