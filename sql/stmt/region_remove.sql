-- name: region_remove
-- database: global
-- params: $1 name text, $2 ack_ms integer
-- rows: many
-- Gone only after it has been leaving for W; buckets hold it back.
DELETE FROM regions WHERE name = $1 AND leaving_at < now() - make_interval(secs => $2 / 1000.0) RETURNING 1
