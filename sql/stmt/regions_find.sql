-- name: regions_find
-- database: global
-- params: none
-- rows: many
-- All regions, each with the clock of the same snapshot; one row with null columns when there is none. Fills the cache.
SELECT c.epoch, c.n, r.name, r.endpoint, r.domains, r.inv_pub, r.inv_rep, r.state, r.created_at
FROM event_clock c LEFT JOIN regions r ON true ORDER BY r.name
