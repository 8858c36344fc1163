-- name: moving_in
-- database: regional
-- params: $1 bucket uuid, $2 move uuid, $3 holder uuid, $4 lease_ms integer
-- rows: one
-- The bucket comes, by this mover: outcome, where the copy has come to, whether others' rows are to be removed first.
SELECT outcome, scan, leftovers, columns FROM bucket_move_in($1, $2, $3, $4)
