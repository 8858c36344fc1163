-- name: operator_set_password
-- database: global
-- params: $1 name text, $2 password_hash text
-- rows: many
-- Ends the sessions of the operator.
UPDATE operators SET password_hash = $2, session = session + 1 WHERE name = $1 RETURNING 1
