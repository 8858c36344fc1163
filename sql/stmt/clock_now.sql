-- name: clock_now
-- database: global
-- params: none
-- rows: one
-- The event clock alone, for status pages and for tests.
SELECT epoch, n FROM event_clock
