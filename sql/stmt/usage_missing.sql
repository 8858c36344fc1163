-- name: usage_missing
-- database: regional
-- params: $1 bucket uuid
-- rows: one
-- What all rows of a bucket are, less what its account says: reads them all. The third is for usage_correct; null: no account.
SELECT bytes, objects, corrected FROM bucket_usage_missing($1)
