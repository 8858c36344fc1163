-- name: app_attach
-- database: global
-- params: $1 access_key text, $2 policy text
-- rows: many
-- The app carries the policy from now on; no row when either is not there.
INSERT INTO app_policies (access_key, policy_id)
SELECT a.access_key, p.id FROM apps a, policies p WHERE a.access_key = $1 AND p.name = $2 RETURNING 1
