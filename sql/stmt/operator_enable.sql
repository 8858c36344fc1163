-- name: operator_enable
-- database: global
-- params: $1 name text, $2 enabled boolean
-- rows: many
-- Ends the sessions of the operator.
UPDATE operators SET enabled = $2, session = session + 1 WHERE name = $1 RETURNING 1
