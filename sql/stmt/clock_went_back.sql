-- name: clock_went_back
-- database: global
-- params: $1 epoch uuid, $2 n bigint
-- rows: one
-- A source saw this number in this epoch and now a smaller one: begins a new epoch, unless another source did.
SELECT anvil_clock_went_back($1, $2)
