-- name: moving_rests
-- database: regional
-- params: none
-- rows: one
-- When no bucket moves, writers need not look. true = none does.
SELECT bucket_moving_rests()
