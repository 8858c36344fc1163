-- name: event_flush
-- database: global
-- params: $1 max integer
-- rows: one
-- The number that this transaction takes and what it changed. The last statement; COMMIT goes with it.
SELECT epoch, n, changed, events FROM anvil_event_flush($1)
