-- name: object_set_acl
-- database: regional
-- params: $1 bucket uuid, $2 key text, $3 which integer, $4 ord bigint, $5 acl text
-- rows: one
-- The access control list of a version; gives the outcome and which it was: see sql/regional/0016-object-acl.sql.
SELECT (p).outcome, (p).mtime, (p).ord, (p).is_null FROM (SELECT object_set_acl($1, $2, $3, $4, $5) AS p) s
