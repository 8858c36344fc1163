-- name: bucket_page
-- database: global
-- params: $1 region text, $2 after uuid, $3 max integer
-- rows: many
-- The buckets at home in a region, page by page, for maintain.
SELECT id FROM buckets WHERE region = $1 AND id > $2 ORDER BY id LIMIT $3
