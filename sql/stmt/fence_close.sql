-- name: fence_close
-- database: regional
-- params: $1 bucket uuid
-- rows: one
-- true = closed, now or before; false = the bucket is not empty.
SELECT bucket_fence_close($1)
