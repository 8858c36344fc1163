-- name: moving_blob
-- database: regional
-- params: $1 blob uuid
-- rows: many
-- What the row that names a blob says of its bytes: key, part, size, ETag, checksums, how they are sealed and as which blob. No
-- row: none names it any more.
SELECT o.key, 0, o.size, o.etag, o.checksums, o.sse, blob_sealed_as(o.blob_id) FROM objects o WHERE o.blob_id = $1
UNION ALL
SELECT coalesce(o.key, u.key, ''), p.part_no, p.size, p.etag, p.checksums, coalesce(o.sse, u.sse), blob_sealed_as(p.blob_id)
FROM parts p LEFT JOIN objects o ON o.parts_id = p.upload_id
	LEFT JOIN uploads u ON u.bucket_id = p.bucket_id AND u.upload_id = p.upload_id WHERE p.blob_id = $1
