-- name: invalidator_regions
-- database: global
-- params: none
-- rows: many
-- Where the invalidators of each region publish and answer; also of those that are leaving, until their row goes.
SELECT name, state, inv_pub, inv_rep FROM regions ORDER BY name
