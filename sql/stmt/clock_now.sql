-- name: clock_now
-- database: global
-- params: none
-- rows: one
-- The event clock alone, for waiting on what was committed with psql, and for tests.
SELECT epoch, n FROM event_clock
