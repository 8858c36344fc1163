-- name: migration_record
-- database: both
-- params: $1 version integer, $2 name text, $3 checksum text
-- rows: none
-- In the migration's own transaction: it is applied and known to be, or neither.
INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)
