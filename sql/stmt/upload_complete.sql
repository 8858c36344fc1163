-- name: upload_complete
-- database: regional
-- params: $1 bucket uuid, $2 key text, $3 upload uuid, $4 nos text[], $5 etags text[], $6 etag text, $7 checksums bytea, $8 cond integer, $9 cond_etag text
-- rows: one
-- Makes the listed parts an object: see sql/regional/0010-uploads.sql. The subquery runs it once.
SELECT (p).outcome, (p).mtime, (p).ord, (p).is_null
FROM (SELECT upload_complete($1, $2, $3, $4::int[], $5, $6, $7, $8, $9) AS p) s
