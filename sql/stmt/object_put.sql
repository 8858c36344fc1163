-- name: object_put
-- database: regional
-- params: $1 bucket uuid, $2 key text, $3 size bigint, $4 etag text, $5 checksums bytea, $6 headers bytea, $7 storage_class text, $8 owner text, $9 blob uuid, $10 data bytea, $11 cond integer, $12 cond_etag text
-- rows: one
-- Gives Last-Modified in us, or minus the outcome: see sql/regional/0003-object-write.sql.
SELECT object_put($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
