-- name: bucket_set_routing
-- database: global
-- params: $1 name text, $2 mode text
-- rows: many
-- How requests for it are routed, when not as its region says.
UPDATE buckets SET routing_mode = $2 WHERE name = $1 RETURNING 1
