-- name: webhook_queues_trim
-- database: regional
-- params: $1 days bigint, $2 max bigint
-- rows: many
-- Drops what waited too long, or is too much: see sql/regional/0024-notifications.sql.
SELECT webhook, dropped FROM webhook_queues_trim($1, $2)
