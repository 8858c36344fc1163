-- name: notifications_next
-- database: regional
-- params: $1 webhook text, $2 max integer
-- rows: many
-- The oldest events that wait for a webhook.
SELECT n, at, event, config_id, bucket, owner_id, principal, address, request_id, key, version, size, etag
FROM notifications WHERE webhook = $1 ORDER BY n LIMIT $2
