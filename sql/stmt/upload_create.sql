-- name: upload_create
-- database: regional
-- params: $1 bucket uuid, $2 upload uuid, $3 key text, $4 checksums bytea, $5 headers bytea, $6 storage_class text, $7 owner text, $8 tags text, $9 acl text, $10 sse bytea, $11 lock_mode text, $12 retain_until timestamptz, $13 legal_hold boolean
-- rows: one
-- Gives the outcome: see sql/regional/0010-uploads.sql.
SELECT upload_create($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
