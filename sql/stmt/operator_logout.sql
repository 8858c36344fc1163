-- name: operator_logout
-- database: global
-- params: $1 name text
-- rows: many
-- Ends the sessions of the operator, wherever they are.
UPDATE operators SET session = session + 1 WHERE name = $1 RETURNING 1
