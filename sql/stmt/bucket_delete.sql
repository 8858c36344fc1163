-- name: bucket_delete
-- database: global
-- params: $1 id uuid
-- rows: many
-- By its id: a bucket of the same name that came later is another one.
DELETE FROM buckets WHERE id = $1 RETURNING 1
