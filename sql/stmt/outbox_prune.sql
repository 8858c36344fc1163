-- name: outbox_prune
-- database: global
-- params: $1 keep_s bigint, $2 silent_s bigint, $3 max_rows bigint, $4 batch integer
-- rows: one
-- Forgets a batch of events that every region has applied, or that wait for regions silent too long, or are too many.
SELECT pruned, more, given_up FROM anvil_outbox_prune($1, $2, $3, $4)
