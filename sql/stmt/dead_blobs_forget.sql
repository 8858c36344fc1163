-- name: dead_blobs_forget
-- database: regional
-- params: $1 blobs uuid[]
-- rows: none
-- Their bytes are gone.
WITH m AS (DELETE FROM moved_blobs WHERE blob_id = ANY ($1))
DELETE FROM dead_blobs WHERE blob_id = ANY ($1)
