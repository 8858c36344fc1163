-- name: object_delete
-- database: regional
-- params: $1 bucket uuid, $2 key text, $3 cond integer, $4 cond_etag text
-- rows: one
-- Gives the outcome: see sql/regional/0003-object-write.sql.
SELECT object_delete($1, $2, $3, $4)
