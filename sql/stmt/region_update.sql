-- name: region_update
-- database: global
-- params: $1 name text, $2 endpoint text, $3 domains text[], $4 inv_pub text, $5 inv_rep text
-- rows: many
-- What is null stays as it is.
UPDATE regions SET endpoint = coalesce($2, endpoint), domains = coalesce($3, domains), inv_pub = coalesce($4, inv_pub),
	inv_rep = coalesce($5, inv_rep) WHERE name = $1 RETURNING 1
