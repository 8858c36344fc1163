-- name: fence_end
-- database: regional
-- params: $1 bucket uuid
-- rows: none
-- The global row is gone too: nothing is left for maintain.
UPDATE bucket_fences SET ended_at = now() WHERE bucket_id = $1 AND closed_at IS NOT NULL AND ended_at IS NULL
