-- name: moving_anew
-- database: regional
-- params: $1 bucket uuid, $2 move uuid, $3 holder uuid
-- rows: one
-- The copy begins anew.
SELECT bucket_move_anew($1, $2, $3)
