-- name: bucket_config_find
-- database: global
-- params: $1 id_and_kind text
-- rows: one
-- One document of a bucket, named as its cached value is ("id/kind"), with the clock of the same snapshot; null when there is none. Fills the cache.
SELECT c.epoch, c.n, b.document
FROM event_clock c LEFT JOIN bucket_configs b ON b.bucket_id = split_part($1, '/', 1)::uuid AND b.kind = split_part($1, '/', 2)
