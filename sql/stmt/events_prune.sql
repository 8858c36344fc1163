-- name: events_prune
-- database: global
-- params: $1 through bigint, $2 older_than_s integer
-- rows: one
-- Forgets events that every region has applied (or is given up on) and that are old enough; how many.
WITH gone AS (
	DELETE FROM metadata_events
	WHERE id IN (SELECT id FROM metadata_events WHERE n <= $1 ORDER BY n LIMIT 10000)
	AND at < now() - make_interval(secs => $2) RETURNING 1)
SELECT count(*) FROM gone
