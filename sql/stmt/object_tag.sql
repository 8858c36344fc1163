-- name: object_tag
-- database: regional
-- params: $1 bucket uuid, $2 key text, $3 which integer, $4 ord bigint, $5 tags text
-- rows: one
-- The tags of a version; gives the outcome and which it was: see sql/regional/0013-object-tags.sql.
SELECT (p).outcome, (p).mtime, (p).ord, (p).is_null FROM (SELECT object_tag($1, $2, $3, $4, $5) AS p) s
