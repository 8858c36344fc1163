-- name: bucket_config_set
-- database: global
-- params: $1 name text, $2 kind text, $3 document text
-- rows: many
-- Sets one of its documents.
INSERT INTO bucket_configs (bucket_id, kind, document) SELECT id, $2, $3 FROM buckets WHERE name = $1
ON CONFLICT (bucket_id, kind) DO UPDATE SET document = excluded.document, updated_at = now() RETURNING 1
