-- name: clock_regions
-- database: global
-- params: none
-- rows: one
-- Who must know of a change that was made by other means (psql), with the clock.
SELECT c.epoch, c.n, ARRAY(SELECT name FROM regions WHERE state = 'active' ORDER BY name) FROM event_clock c
