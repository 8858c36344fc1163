-- name: upload_list
-- database: regional
-- params: $1 bucket uuid, $2 prefix text, $3 delimiter text, $4 after text, $5 after_upload uuid, $6 max integer
-- rows: many
-- One page of uploads, in one round trip: see sql/regional/0010-uploads.sql.
SELECT is_prefix, key, upload_id, started_at, checksums, storage_class, owner_id FROM upload_list($1, $2, $3, $4, $5, $6)
