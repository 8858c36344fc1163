-- name: object_remove_many
-- database: regional
-- params: $1 bucket uuid, $2 items text[], $3 bypass text[], $4 owner text
-- rows: many
-- Deletes many in one transaction, told in any order by their place in the array.
SELECT item, outcome, placed, ord, is_null, is_marker FROM object_remove_many($1, $2, $3::boolean[], $4)
