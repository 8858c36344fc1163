-- name: usage_fold
-- database: regional
-- params: $1 bucket uuid
-- rows: one
-- Makes one row of those that say what was taken away.
SELECT bucket_usage_fold($1)
