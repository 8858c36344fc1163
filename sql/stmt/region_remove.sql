-- name: region_remove
-- database: global
-- params: $1 name text
-- rows: many
-- Gone only when it is leaving and was found to hold no trust; buckets hold it back.
DELETE FROM regions WHERE name = $1 AND state = 'leaving'
AND EXISTS (SELECT FROM region_trust WHERE name = $1 AND is_lost) RETURNING 1
