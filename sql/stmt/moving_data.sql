-- name: moving_data
-- database: regional
-- params: $1 items text
-- rows: many
-- Of the rows among these that hold their bytes: key, part, size, ETag, checksums, how they are sealed, and the bytes. A part's
-- key is its upload's or its object's, '' when that has not come yet.
SELECT coalesce(i.key, (SELECT u.key FROM uploads u WHERE u.bucket_id = d.bucket_id AND u.upload_id = i.id), (SELECT o.key FROM objects o WHERE o.parts_id = i.id), ''),
	coalesce(i.no, 0), d.size, d.etag, d.checksums, d.sse, d.data
FROM json_populate_recordset(NULL::bucket_move_item, $1::json) i,
	LATERAL json_to_record(i."row") AS d (bucket_id uuid, size bigint, etag text, checksums bytea, sse bytea, data bytea)
WHERE d.data IS NOT NULL
