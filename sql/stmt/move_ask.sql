-- name: move_ask
-- database: global
-- params: $1 bucket uuid, $2 move uuid, $3 settle_ms bigint
-- rows: one
-- Where a bucket is at home, and how its last move stands by the clock. All null: there is neither.
SELECT home, versioning, id, state, freeze_no FROM anvil_move_ask($1, $2, $3)
