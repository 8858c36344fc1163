-- name: object_get
-- database: regional
-- params: $1 bucket uuid, $2 key text
-- rows: many
-- The current version of a key without its bytes: the first of its rows, in one descent.
SELECT o.size, o.mtime, o.etag, o.checksums, o.headers, o.storage_class, o.owner_id, o.is_marker, o.blob_id, o.parts_id,
	o.ord, o.is_null, true,
	o.tags, o.acl, o.sse, o.lock_mode::text, o.retain_until, o.legal_hold, o.parts_count,
	CASE WHEN o.sse IS NOT NULL THEN blob_sealed_as(o.blob_id) END
FROM objects o WHERE o.bucket_id = $1 AND o.key = $2 ORDER BY o.ord LIMIT 1
