-- name: regions_awaited
-- database: global
-- params: none
-- rows: many
-- Whom a writer waits for, looked up after its commit: every region with its renewal, but for those marked as holding no
-- trust; also those that are leaving. With the clock; one row with null columns when there is no region.
SELECT c.epoch, c.n, t.name, t.renewal, t.is_lost FROM (SELECT epoch, n FROM event_clock LIMIT 1) c
LEFT JOIN region_trust t ON true ORDER BY t.name
