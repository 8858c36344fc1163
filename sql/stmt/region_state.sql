-- name: region_state
-- database: global
-- params: $1 name text
-- rows: many
-- Is there such a region, and is it leaving?
SELECT state FROM regions WHERE name = $1
