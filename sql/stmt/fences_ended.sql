-- name: fences_ended
-- database: regional
-- params: $1 buckets uuid[]
-- rows: many
-- Those that were deleted, to the end. One that the global database has all the same came back with a restore.
SELECT bucket_id FROM bucket_fences WHERE bucket_id = ANY ($1) AND ended_at IS NOT NULL
