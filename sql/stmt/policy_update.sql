-- name: policy_update
-- database: global
-- params: $1 name text, $2 document text
-- rows: many
-- Every app that carries it is told.
UPDATE policies SET document = $2, updated_at = now() WHERE name = $1 RETURNING 1
