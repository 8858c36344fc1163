-- name: bucket_config_set
-- database: global
-- params: $1 bucket_id uuid, $2 kind text, $3 document text
-- rows: one
-- Sets one of its documents: is the bucket there, was it done. Locks the bucket's row, so that it cannot go meanwhile.
WITH bucket AS (SELECT id FROM buckets WHERE id = $1 AND status = 'active' FOR KEY SHARE),
done AS (INSERT INTO bucket_configs (bucket_id, kind, document) SELECT id, $2, $3 FROM bucket
	ON CONFLICT (bucket_id, kind) DO UPDATE SET document = excluded.document, updated_at = now() RETURNING 1)
SELECT EXISTS (SELECT FROM bucket), EXISTS (SELECT FROM done)
