-- name: quota_page
-- database: global
-- params: $1 region text, $2 after uuid, $3 max integer
-- rows: many
-- The buckets at home in a region that have a quota, page by page.
SELECT b.id FROM bucket_configs c JOIN buckets b ON b.id = c.bucket_id
WHERE c.kind = 'quota' AND b.region = $1 AND b.status = 'active' AND c.bucket_id > $2 ORDER BY c.bucket_id LIMIT $3
