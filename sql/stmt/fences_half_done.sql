-- name: fences_half_done
-- database: regional
-- params: $1 max integer
-- rows: many
-- Buckets whose deletion may have stopped half-way; there is an index of these alone.
SELECT bucket_id FROM bucket_fences WHERE closed_at IS NOT NULL AND ended_at IS NULL ORDER BY closed_at LIMIT $1
