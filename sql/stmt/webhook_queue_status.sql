-- name: webhook_queue_status
-- database: regional
-- params: $1 webhook text
-- rows: many
-- How delivery to a webhook stands in this region.
SELECT (SELECT count(*) FROM notifications n WHERE n.webhook = q.webhook),
	(SELECT n.at FROM notifications n WHERE n.webhook = q.webhook ORDER BY n.n LIMIT 1), q.failures, q.last_error, q.last_error_at, q.next_try_at,
	q.delivered_at, q.delivered, q.dropped
FROM webhook_queues q WHERE q.webhook = $1
