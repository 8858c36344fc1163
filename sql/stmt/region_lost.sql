-- name: region_lost
-- database: global
-- params: $1 region text, $2 renewal bigint, $3 epoch uuid
-- rows: one
-- A writer saw this renewal, and still W later: the region holds no trust until it asks again. Did this call mark it?
SELECT anvil_region_lost($1, $2, $3)
