-- name: object_list
-- database: regional
-- params: $1 bucket uuid, $2 prefix text, $3 delimiter text, $4 after text, $5 max integer
-- rows: many
-- One page in the order of bytes, in one round trip: see sql/regional/0004-object-list.sql.
SELECT is_prefix, key, size, mtime, etag, checksums, storage_class, owner_id FROM object_list($1, $2, $3, $4, $5)
