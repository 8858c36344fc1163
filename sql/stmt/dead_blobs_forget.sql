-- name: dead_blobs_forget
-- database: regional
-- params: $1 blobs uuid[]
-- rows: none
-- Their bytes are gone.
DELETE FROM dead_blobs WHERE blob_id = ANY ($1)
