-- name: webhook_queue_status
-- database: regional
-- params: $1 webhooks text[], $2 most bigint
-- rows: many
-- How delivery to each of these webhooks stands in this region, behind its place among them. Of those that wait at most so many are counted; null: all.
SELECT w.place - 1, (SELECT count(*) FROM (SELECT FROM notifications n WHERE n.webhook = q.webhook LIMIT $2) s),
	(SELECT n.at FROM notifications n WHERE n.webhook = q.webhook ORDER BY n.n LIMIT 1), q.failures, q.last_error, q.last_error_at, q.next_try_at,
	q.delivered_at, q.delivered, q.dropped
FROM unnest($1) WITH ORDINALITY w (name, place) JOIN webhook_queues q ON q.webhook = w.name
