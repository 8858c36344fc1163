-- name: region_list
-- database: global
-- params: none
-- rows: many
-- All regions with the number of their buckets.
SELECT r.name, r.endpoint, r.domains, r.inv_pub, r.inv_rep, r.state, r.created_at,
	(SELECT count(*) FROM buckets b WHERE b.region = r.name), r.leaving_at
FROM regions r ORDER BY r.name
