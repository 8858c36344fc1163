-- name: policy_list
-- database: global
-- params: $1 after text, $2 max integer
-- rows: many
-- One page of policies.
SELECT p.name, p.document, (SELECT count(*) FROM app_policies ap WHERE ap.policy_id = p.id), p.created_at, p.updated_at
FROM policies p WHERE p.name > $1 ORDER BY p.name LIMIT $2
