-- name: blobs_known
-- database: regional
-- params: $1 blobs uuid[]
-- rows: many
-- Those that a row or the dead list names, in one snapshot: a blob that dies meanwhile is in one of them.
SELECT blob_id FROM objects WHERE blob_id = ANY ($1)
UNION ALL SELECT blob_id FROM parts WHERE blob_id = ANY ($1)
UNION ALL SELECT blob_id FROM dead_blobs WHERE blob_id = ANY ($1)
