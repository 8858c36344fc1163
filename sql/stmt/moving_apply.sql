-- name: moving_apply
-- database: regional
-- params: $1 bucket uuid, $2 move uuid, $3 holder uuid, $4 items text, $5 blobs uuid[], $6 ids uuid[], $7 scan text
-- rows: one
-- Puts rows in place; false = it is another mover's.
SELECT bucket_move_apply($1, $2, $3, $4, $5, $6, $7)
