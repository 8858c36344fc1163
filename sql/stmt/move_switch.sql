-- name: move_switch
-- database: global
-- params: $1 move uuid, $2 freeze_no integer
-- rows: many
-- The hand-over: only while that very freeze holds, so that nothing was written since. No row: it does not, or the bucket
-- or its new home is no more.
WITH m AS (UPDATE bucket_moves x SET state = 'switched', changed_at = clock_timestamp(), opens_at = NULL
	FROM buckets b WHERE x.id = $1 AND x.state = 'frozen' AND x.freeze_no = $2 AND b.id = x.bucket_id AND b.region = x.source
		AND b.status = 'active' AND EXISTS (SELECT FROM regions r WHERE r.name = x.target AND r.state = 'active')
	RETURNING x.bucket_id, x.target)
UPDATE buckets b SET region = m.target FROM m WHERE b.id = m.bucket_id RETURNING b.versioning
