-- name: migrations_list
-- database: both
-- params: none
-- rows: many
-- What was applied, to compare with what this program brings.
SELECT version, name, checksum, applied_at FROM schema_migrations ORDER BY version
