-- name: audit_append
-- database: global
-- params: $1 actor text, $2 via text, $3 region text, $4 action text, $5 target text, $6 detail text, $7 ok boolean
-- rows: none
-- An operator's action, done or refused.
INSERT INTO audit_log (actor, via, region, action, target, detail, ok) VALUES ($1, $2, $3, $4, $5, $6, $7)
