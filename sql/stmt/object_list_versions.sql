-- name: object_list_versions
-- database: regional
-- params: $1 bucket uuid, $2 prefix text, $3 delimiter text, $4 after text, $5 which integer, $6 ord bigint, $7 max integer
-- rows: many
-- One page of versions, in one round trip: see sql/regional/0009-version-delete.sql.
SELECT is_prefix, key, ord, is_null, is_marker, is_latest, size, mtime, etag, checksums, storage_class, owner_id
FROM object_list_versions($1, $2, $3, $4, $5, $6, $7)
