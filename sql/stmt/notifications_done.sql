-- name: notifications_done
-- database: regional
-- params: $1 webhook text, $2 numbers text[], $3 holder uuid, $4 delivered bigint, $5 dropped bigint
-- rows: none
-- These are delivered, or nobody's, and go; another holder's queue is left alone.
WITH gone AS (DELETE FROM notifications WHERE webhook = $1 AND n = ANY ($2::bigint[]))
UPDATE webhook_queues SET held_until = 'epoch', holder = NULL, next_try_at = clock_timestamp(), failures = 0, delivered = delivered + $4,
	dropped = dropped + $5, delivered_at = CASE WHEN $4 > 0 THEN clock_timestamp() ELSE delivered_at END
WHERE webhook = $1 AND holder = $3
