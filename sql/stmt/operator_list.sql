-- name: operator_list
-- database: global
-- params: none
-- rows: many
-- All operators; the page leaves the hashes out.
SELECT id, name, role, NULL::text, session, enabled, created_at, last_login_at FROM operators ORDER BY name
