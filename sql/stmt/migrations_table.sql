-- name: migrations_table
-- database: both
-- params: none
-- rows: none
-- Where the applied migrations are recorded; before the first of them, so it is no migration itself.
CREATE TABLE IF NOT EXISTS schema_migrations (
	version    integer PRIMARY KEY,
	name       text NOT NULL,
	checksum   text NOT NULL,
	applied_at timestamptz NOT NULL DEFAULT now()
)
