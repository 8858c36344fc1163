-- name: app_detach
-- database: global
-- params: $1 access_key text, $2 policy text
-- rows: many
-- The app carries it no longer.
DELETE FROM app_policies ap USING policies p WHERE ap.access_key = $1 AND p.name = $2 AND ap.policy_id = p.id RETURNING 1
