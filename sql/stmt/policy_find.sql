-- name: policy_find
-- database: global
-- params: $1 name text
-- rows: many
-- One policy, with how many apps carry it.
SELECT p.name, p.document, (SELECT count(*) FROM app_policies ap WHERE ap.policy_id = p.id), p.created_at, p.updated_at
FROM policies p WHERE p.name = $1
