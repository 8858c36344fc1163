-- name: notifications_failed
-- database: regional
-- params: $1 webhook text, $2 holder uuid, $3 wait_ms bigint, $4 error text
-- rows: none
-- It was not taken: again after a while.
UPDATE webhook_queues SET held_until = 'epoch', holder = NULL, failures = failures + 1, last_error = $4, last_error_at = clock_timestamp(),
	next_try_at = clock_timestamp() + $3 * interval '1 ms'
WHERE webhook = $1 AND holder = $2
