-- name: operator_set_role
-- database: global
-- params: $1 name text, $2 role text
-- rows: many
-- Ends the sessions of the operator.
UPDATE operators SET role = $2, session = session + 1 WHERE name = $1 RETURNING 1
