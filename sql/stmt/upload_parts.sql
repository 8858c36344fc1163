-- name: upload_parts
-- database: regional
-- params: $1 bucket uuid, $2 upload uuid, $3 after integer, $4 max integer
-- rows: many
-- The parts of an upload, or of the object that it became, behind a part's number, without their bytes.
SELECT p.part_no, p.size, p.first_byte, p.mtime, p.etag, p.checksums FROM parts p
WHERE p.bucket_id = $1 AND p.upload_id = $2 AND p.part_no > $3 ORDER BY p.part_no LIMIT $4
