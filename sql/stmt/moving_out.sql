-- name: moving_out
-- database: regional
-- params: $1 bucket uuid, $2 move uuid, $3 versioning text
-- rows: one
-- Changes are noted from here on: outcome, what rows are made of here, and who may not have noted his yet.
SELECT outcome, columns, writers FROM bucket_move_out($1, $2, $3)
