-- name: region_heard
-- database: global
-- params: $1 name text, $2 epoch uuid, $3 n bigint, $4 age_ms bigint
-- rows: one
-- A source heard so long ago that the region has applied every event through n; for pruning the outbox.
SELECT anvil_region_heard($1, $2, $3, $4)
