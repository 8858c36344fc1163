-- name: quota_accounts
-- database: regional
-- params: $1 after uuid, $2 max integer
-- rows: many
-- The buckets that have an account here, page by page.
SELECT bucket_id FROM bucket_quotas WHERE bucket_id > $1 ORDER BY bucket_id LIMIT $2
