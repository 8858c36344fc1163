-- name: epoch_begin
-- database: global
-- params: $1 reason text
-- rows: one
-- After migrations and restores: every cached value is a miss.
SELECT c.epoch, c.n FROM anvil_epoch_begin($1) c
