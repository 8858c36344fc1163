-- name: app_reseal
-- database: global
-- params: $1 access_key text, $2 sealed_secret bytea, $3 was bytea
-- rows: many
-- The same secret in another box, unless it was changed meanwhile: sessions are bound to the box.
UPDATE apps SET sealed_secret = $2 WHERE access_key = $1 AND sealed_secret = $3 RETURNING 1
