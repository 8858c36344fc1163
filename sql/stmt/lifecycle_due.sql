-- name: lifecycle_due
-- database: regional
-- params: $1 bucket uuid, $2 day bigint, $3 rules text
-- rows: one
-- Is the bucket to be walked: not yet on that day by these rules. See sql/regional/0017-lifecycle-walks.sql.
SELECT NOT EXISTS (SELECT FROM lifecycle_walks w WHERE w.bucket_id = $1 AND w.day = $2 AND w.rules = md5($3))
