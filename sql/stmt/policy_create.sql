-- name: policy_create
-- database: global
-- params: $1 name text, $2 document text
-- rows: none
-- A policy that no app carries yet.
INSERT INTO policies (name, document) VALUES ($1, $2)
