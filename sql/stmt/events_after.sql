-- name: events_after
-- database: global
-- params: $1 epoch uuid, $2 n bigint, $3 max integer
-- rows: many
-- The outbox in order: about max events after n, the last number never cut in two (at most 5,000 share one).
SELECT n, kind, key FROM metadata_events WHERE n > $2 AND epoch = $1
ORDER BY n FETCH FIRST $3 ROWS WITH TIES
