-- name: operator_create
-- database: global
-- params: $1 name text, $2 password_hash text, $3 role text
-- rows: none
-- Who may log in to the pages.
INSERT INTO operators (name, password_hash, role) VALUES ($1, $2, $3)
