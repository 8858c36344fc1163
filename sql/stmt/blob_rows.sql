-- name: blob_rows
-- database: regional
-- params: $1 first uuid, $2 last uuid, $3 max integer
-- rows: many
-- Rows that name a blob of a range of ids, for comparing with what is stored.
(SELECT blob_id, bucket_id, key, size FROM objects WHERE blob_id BETWEEN $1 AND $2 ORDER BY blob_id LIMIT $3)
UNION ALL (SELECT blob_id, bucket_id, '' COLLATE "C", size FROM parts WHERE blob_id BETWEEN $1 AND $2 ORDER BY blob_id LIMIT $3)
ORDER BY 1 LIMIT $3
