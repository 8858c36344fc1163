-- name: upload_abort
-- database: regional
-- params: $1 bucket uuid, $2 key text, $3 upload uuid
-- rows: one
-- Gives the outcome: see sql/regional/0010-uploads.sql.
SELECT upload_abort($1, $2, $3)
