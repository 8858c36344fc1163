-- name: operator_find_id
-- database: global
-- params: $1 id uuid
-- rows: many
-- For a session.
SELECT id, name, role, password_hash, session, enabled, created_at, last_login_at FROM operators WHERE id = $1
