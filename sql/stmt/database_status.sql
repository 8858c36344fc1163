-- name: database_status
-- database: both
-- params: none
-- rows: one
-- Size, connections and version, for operators.
SELECT pg_database_size(current_database()), (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()),
	current_setting('server_version'), current_database()::text, current_user::text
