-- name: moving_holds
-- database: regional
-- params: $1 bucket uuid, $2 move uuid, $3 holder uuid
-- rows: one
-- Is it still this mover's?
SELECT bucket_move_holds($1, $2, $3)
