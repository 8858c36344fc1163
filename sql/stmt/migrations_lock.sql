-- name: migrations_lock
-- database: both
-- params: none
-- rows: one
-- Two that migrate one database at once wait for each other, each migration anew.
SELECT pg_advisory_xact_lock(7235126419102718)
