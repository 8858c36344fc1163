-- name: clock_status
-- database: global
-- params: none
-- rows: one
-- The event clock and the outbox, for operators.
SELECT epoch, n, NOT pg_is_in_recovery(), (SELECT count(*) FROM metadata_events),
	(SELECT min(n) FROM metadata_events), changed_at, epoch_since, epoch_reason FROM event_clock
