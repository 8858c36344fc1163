-- name: operator_find
-- database: global
-- params: $1 name text
-- rows: many
-- For a login.
SELECT id, name, role, password_hash, session, enabled, created_at, last_login_at FROM operators WHERE name = $1
