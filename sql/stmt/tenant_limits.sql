-- name: tenant_limits
-- database: global
-- params: $1 who text, $2 max_buckets integer, $3 bucket_bytes bigint, $4 bucket_objects bigint
-- rows: many
-- How many buckets a tenant may have, and the quota that new ones begin with.
UPDATE tenants SET max_buckets = $2, bucket_bytes = $3, bucket_objects = $4 WHERE id = anvil_tenant_id($1) RETURNING 1
