-- name: moving_need
-- database: regional
-- params: $1 bucket uuid, $2 items text
-- rows: many
-- The blobs to fetch before these can be put in place.
SELECT bucket_move_need($1, $2)
