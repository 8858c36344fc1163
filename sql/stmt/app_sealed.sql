-- name: app_sealed
-- database: global
-- params: $1 access_key text
-- rows: many
-- The sealed secret of a key, to be sealed anew.
SELECT sealed_secret FROM apps WHERE access_key = $1
