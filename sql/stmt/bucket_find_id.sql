-- name: bucket_find_id
-- database: global
-- params: $1 id uuid
-- rows: many
-- What the primary says of an id, for the fence: name, home region, status.
SELECT name, region, status FROM buckets WHERE id = $1
