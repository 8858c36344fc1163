-- name: database_there
-- database: both
-- params: $1 name text
-- rows: one
-- Does the cluster have a database of this name? Asked in another database, before creating it.
SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)
