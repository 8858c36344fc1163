-- name: object_get_version
-- database: regional
-- params: $1 bucket uuid, $2 key text, $3 ord bigint
-- rows: many
-- One version of a key without its bytes, null = the one that "null" names; is it the current one?
SELECT o.size, o.mtime, o.etag, o.checksums, o.headers, o.storage_class, o.owner_id, o.is_marker, o.blob_id, o.parts_id,
	o.ord, o.is_null, NOT EXISTS (SELECT FROM objects n WHERE n.bucket_id = $1 AND n.key = $2 AND n.ord < o.ord),
	o.tags, o.acl, o.sse, o.lock_mode::text, o.retain_until, o.legal_hold, o.parts_count,
	CASE WHEN o.sse IS NOT NULL THEN blob_sealed_as(o.blob_id) END
FROM objects o WHERE o.bucket_id = $1 AND o.key = $2 AND o.is_null = ($3 IS NULL)
	AND o.ord = coalesce($3, (SELECT n.ord FROM objects n WHERE n.bucket_id = $1 AND n.key = $2 AND n.is_null AND n.ord <> 0), 0)
