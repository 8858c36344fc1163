-- name: quota_drop
-- database: regional
-- params: $1 bucket uuid
-- rows: one
-- No account any more. false: there was none.
SELECT bucket_quota_drop($1)
