-- name: object_parts
-- database: regional
-- params: $1 bucket uuid, $2 upload uuid, $3 first bigint, $4 after bigint
-- rows: many
-- The parts that hold the bytes from first up to after, in order, with those that live in their row.
SELECT p.first_byte, p.size, p.blob_id, p.data, blob_sealed_as(p.blob_id) FROM parts p
WHERE p.bucket_id = $1 AND p.upload_id = $2 AND p.first_byte < $4 AND p.size > 0 AND p.first_byte >= (
	SELECT q.first_byte FROM parts q WHERE q.bucket_id = $1 AND q.upload_id = $2 AND q.first_byte <= $3
	ORDER BY q.first_byte DESC LIMIT 1)
ORDER BY p.first_byte
