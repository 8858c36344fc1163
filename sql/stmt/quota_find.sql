-- name: quota_find
-- database: global
-- params: $1 bucket uuid
-- rows: many
-- The quota of a bucket, in the primary's words, with its home and when it says so; null: it has none. No row: there is no such bucket.
SELECT b.region, c.document, statement_timestamp() FROM buckets b LEFT JOIN bucket_configs c ON c.bucket_id = b.id AND c.kind = 'quota'
WHERE b.id = $1 AND b.status = 'active'
