-- name: upload_part
-- database: regional
-- params: $1 bucket uuid, $2 key text, $3 upload uuid, $4 part_no integer, $5 size bigint, $6 blob uuid, $7 etag text, $8 checksums bytea, $9 data bytea
-- rows: one
-- Stores a part or replaces it; gives the outcome: see sql/regional/0010-uploads.sql.
SELECT outcome, mtime FROM upload_part($1, $2, $3, $4, $5, $6, $7, $8, $9)
