-- name: notifications_take
-- database: regional
-- params: $1 holder uuid, $2 hold_ms bigint
-- rows: many
-- A queue that has something and is due, for this holder alone until the time is over. Not by a lock: no transaction is open while a webhook is called.
UPDATE webhook_queues q SET holder = $1, held_until = clock_timestamp() + $2 * interval '1 ms'
WHERE q.webhook = (SELECT c.webhook FROM webhook_queues c
	WHERE c.held_until < clock_timestamp() AND c.next_try_at <= clock_timestamp()
		AND EXISTS (SELECT FROM notifications x WHERE x.webhook = c.webhook)
	ORDER BY c.next_try_at, c.held_until LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING q.webhook, q.failures
