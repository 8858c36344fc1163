-- name: region_create
-- database: global
-- params: $1 name text, $2 endpoint text, $3 domains text[], $4 inv_pub text, $5 inv_rep text
-- rows: none
-- A region joins.
INSERT INTO regions (name, endpoint, domains, inv_pub, inv_rep)
VALUES ($1, $2, coalesce($3, '{}'), coalesce($4, ''), coalesce($5, ''))
