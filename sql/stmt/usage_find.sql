-- name: usage_find
-- database: regional
-- params: $1 bucket uuid
-- rows: many
-- A bucket's account: its limits (null: none), when it was counted (null: not yet), and what the bucket holds. No row: it has none.
SELECT q.bytes_max, q.objects_max, q.counted_at, s.bytes, s.objects FROM bucket_quotas q
CROSS JOIN LATERAL (SELECT coalesce(sum(u.bytes), 0)::bigint AS bytes, coalesce(sum(u.objects), 0)::bigint AS objects FROM bucket_usage u
	WHERE u.bucket_id = q.bucket_id) s
WHERE q.bucket_id = $1
