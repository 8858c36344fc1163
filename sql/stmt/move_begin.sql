-- name: move_begin
-- database: global
-- params: $1 id uuid, $2 bucket text, $3 target text
-- rows: one
-- A new move of a bucket, or the one that is under way: problem, id, bucket's id, source, target, state, versioning.
SELECT problem, id, bucket_id, source, target, state, versioning FROM anvil_move_begin($1, $2, $3)
