-- name: fence_open
-- database: regional
-- params: $1 bucket uuid, $2 versioning text
-- rows: one
-- Only after the primary said that the bucket is there. true = open; a closed one stays closed.
SELECT bucket_fence_open($1, $2)
