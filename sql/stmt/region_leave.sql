-- name: region_leave
-- database: global
-- params: $1 name text
-- rows: many
-- Sources stop answering it; it may be removed after W.
UPDATE regions SET state = 'leaving', leaving_at = coalesce(leaving_at, now()) WHERE name = $1 RETURNING 1
