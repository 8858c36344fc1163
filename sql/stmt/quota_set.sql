-- name: quota_set
-- database: regional
-- params: $1 bucket uuid, $2 bytes bigint, $3 objects bigint, $4 said_at timestamptz
-- rows: one
-- A bucket's limits: see sql/regional/0039-quota-words.sql. 0 as before, 1 from now on, 2 when it is counted.
SELECT bucket_quota_set($1, $2, $3, $4)
