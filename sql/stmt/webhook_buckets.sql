-- name: webhook_buckets
-- database: global
-- params: $1 name text
-- rows: one
-- How many buckets' configurations name a webhook.
SELECT count(*) FROM anvil_webhook_buckets($1)
