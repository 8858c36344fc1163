-- name: bucket_find_id
-- database: global
-- params: $1 id uuid
-- rows: many
-- What the primary says of an id, for the fence: name, home region, status, versioning.
SELECT name, region, status, versioning FROM buckets WHERE id = $1
