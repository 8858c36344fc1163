-- name: notifications_waiting
-- database: regional
-- params: none
-- rows: one
-- Of all webhooks: how many events wait, at most 100,000 are counted, and since when.
SELECT (SELECT count(*) FROM (SELECT FROM notifications LIMIT 100000) s),
	(SELECT min(at) FROM (SELECT (SELECT n.at FROM notifications n WHERE n.webhook = q.webhook ORDER BY n.n LIMIT 1) FROM webhook_queues q) s (at))
