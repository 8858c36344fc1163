-- name: object_remove
-- database: regional
-- params: $1 bucket uuid, $2 key text, $3 which integer, $4 ord bigint, $5 etag text, $6 mtime timestamptz, $7 size bigint, $8 bypass boolean, $9 owner text
-- rows: one
-- Deletes one version, or the key: see sql/regional/0009-version-delete.sql.
SELECT (p).outcome, (p).placed, (p).ord, (p).is_null, (p).is_marker
FROM (SELECT object_remove($1, $2, $3, $4, $5, $6, $7, $8, $9) AS p) s
