-- name: operator_logged_in
-- database: global
-- params: $1 name text
-- rows: many
-- When was the last login? For the list of operators.
UPDATE operators SET last_login_at = now() WHERE name = $1 RETURNING 1
