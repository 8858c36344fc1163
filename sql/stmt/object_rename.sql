-- name: object_rename
-- database: regional
-- params: $1 bucket uuid, $2 from text, $3 to text, $4 etag text, $5 mtime timestamptz, $6 cond integer, $7 cond_etag text
-- rows: one
-- Another key for an object; gives the outcome: see sql/regional/0014-rename.sql.
SELECT object_rename($1, $2, $3, $4, $5, $6, $7)
