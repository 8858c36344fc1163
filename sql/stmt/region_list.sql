-- name: region_list
-- database: global
-- params: none
-- rows: many
-- All regions with the number of their buckets, and since when they are known to hold no trust (null: they may).
SELECT r.name, r.endpoint, r.domains, r.inv_pub, r.inv_rep, r.state, r.created_at,
	(SELECT count(*) FROM buckets b WHERE b.region = r.name), r.leaving_at, CASE WHEN t.is_lost THEN t.lost_since END
FROM regions r LEFT JOIN region_trust t USING (name) ORDER BY r.name
