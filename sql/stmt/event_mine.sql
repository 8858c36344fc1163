-- name: event_mine
-- database: global
-- params: $1 n bigint, $2 max integer
-- rows: one
-- Who must know of this transaction, and what it changed (kind letter and key; max of them).
SELECT ARRAY(SELECT name FROM regions WHERE state = 'active' ORDER BY name),
	ARRAY(SELECT kind || key FROM metadata_events WHERE n = $1 ORDER BY id LIMIT $2)
