-- name: notifications_failed
-- database: regional
-- params: $1 webhook text, $2 holder uuid, $3 wait_ms bigint, $4 error text
-- rows: none
-- It was not taken: again after a while. null error: it was not called.
UPDATE webhook_queues SET held_until = 'epoch', holder = NULL, failures = failures + CASE WHEN $4 IS NULL THEN 0 ELSE 1 END,
	last_error = coalesce($4, last_error), last_error_at = CASE WHEN $4 IS NULL THEN last_error_at ELSE clock_timestamp() END,
	next_try_at = clock_timestamp() + $3 * interval '1 ms'
WHERE webhook = $1 AND holder = $2
