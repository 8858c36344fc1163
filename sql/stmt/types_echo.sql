-- name: types_echo
-- database: both
-- params: $1 t text, $2 b bytea, $3 i8 bigint, $4 i4 integer, $5 i2 smallint, $6 yes boolean, $7 u uuid, $8 at timestamptz, $9 ts text[], $10 us uuid[]
-- rows: one
-- What was sent comes back: shows that both directions of each type agree (tests, doctor).
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
