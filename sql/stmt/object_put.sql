-- name: object_put
-- database: regional
-- params: $1 bucket uuid, $2 key text, $3 size bigint, $4 etag text, $5 checksums bytea, $6 headers bytea, $7 storage_class text, $8 owner text, $9 blob uuid, $10 data bytea, $11 tags text, $12 acl text, $13 sse bytea, $14 lock_mode text, $15 retain_until timestamptz, $16 legal_hold boolean, $17 cond integer, $18 cond_etag text
-- rows: one
-- Gives the outcome and where it lies: see sql/regional/0005-versions.sql. The subquery runs it once.
SELECT (p).outcome, (p).mtime, (p).ord, (p).is_null
FROM (SELECT object_put($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) AS p) s
