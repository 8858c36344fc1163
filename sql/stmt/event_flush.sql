-- name: event_flush
-- database: global
-- params: none
-- rows: one
-- The number that this transaction takes; the last statement but one before COMMIT.
SELECT epoch, n, changed FROM anvil_event_flush()
