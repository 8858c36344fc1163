-- name: object_retain
-- database: regional
-- params: $1 bucket uuid, $2 key text, $3 which integer, $4 ord bigint, $5 mode text, $6 until timestamptz, $7 bypass boolean
-- rows: one
-- How long a version is kept; gives the outcome: see sql/regional/0009-version-delete.sql.
SELECT object_retain($1, $2, $3, $4, $5, $6, $7)
