-- name: quota_rests
-- database: regional
-- params: none
-- rows: one
-- When no bucket has an account, writers need not look. true = none has.
SELECT bucket_usage_rests()
