-- name: moving_settle
-- database: regional
-- params: $1 bucket uuid, $2 move uuid, $3 home boolean, $4 state text, $5 freeze_no integer, $6 versioning text
-- rows: one
-- What the primary said is done here. Gives the state; '' = the bucket does not move any more.
SELECT bucket_move_settle($1, $2, $3, $4, $5, $6)
