-- name: region_there
-- database: global
-- params: $1 name text
-- rows: one
-- Is there such a region, whatever its state?
SELECT EXISTS (SELECT FROM regions WHERE name = $1)
