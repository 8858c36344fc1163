-- name: moving_list
-- database: regional
-- params: $1 grace_s bigint
-- rows: many
-- What this region remembers of moves and maintain should look at: all, but those gone only once nobody can be reading their
-- rows any more.
SELECT bucket_id, move_id, state FROM bucket_moving
WHERE state <> 'gone' OR since < clock_timestamp() - make_interval(secs => $1) ORDER BY since LIMIT 10000
