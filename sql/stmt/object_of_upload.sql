-- name: object_of_upload
-- database: regional
-- params: $1 bucket uuid, $2 key text, $3 upload uuid
-- rows: many
-- The version that an upload became, for a Complete that is asked again. Columns as of object_get.
SELECT o.size, o.mtime, o.etag, o.checksums, o.headers, o.storage_class, o.owner_id, o.is_marker, o.blob_id, o.parts_id,
	o.ord, o.is_null, true,
	o.tags, o.acl, o.sse, o.lock_mode::text, o.retain_until, o.legal_hold, o.parts_count,
	CASE WHEN o.sse IS NOT NULL THEN blob_sealed_as(o.blob_id) END
FROM objects o WHERE o.bucket_id = $1 AND o.key = $2 AND o.parts_id = $3
