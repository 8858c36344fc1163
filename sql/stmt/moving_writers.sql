-- name: moving_writers
-- database: regional
-- params: $1 writers bigint
-- rows: one
-- Have those ended who may have begun to write before changes were noted?
SELECT bucket_moving_writers($1)
