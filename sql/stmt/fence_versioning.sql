-- name: fence_versioning
-- database: regional
-- params: $1 bucket uuid, $2 versioning text
-- rows: one
-- From the next write on. false = the fence is closed.
SELECT bucket_fence_versioning($1, $2)
