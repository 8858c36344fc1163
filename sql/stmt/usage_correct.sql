-- name: usage_correct
-- database: regional
-- params: $1 bucket uuid, $2 bytes bigint, $3 objects bigint, $4 corrected integer
-- rows: one
-- Adds what was missing. false: another did.
SELECT bucket_usage_correct($1, $2, $3, $4)
