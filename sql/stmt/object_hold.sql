-- name: object_hold
-- database: regional
-- params: $1 bucket uuid, $2 key text, $3 which integer, $4 ord bigint, $5 hold boolean
-- rows: one
-- The legal hold of a version; gives the outcome: see sql/regional/0009-version-delete.sql.
SELECT object_hold($1, $2, $3, $4, $5)
