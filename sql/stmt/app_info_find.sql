-- name: app_info_find
-- database: global
-- params: $1 access_key text
-- rows: many
-- An access key as operators see it, without its secret.
SELECT access_key, name, tenant_name, tenant_id, enabled, tenant_enabled, full_access, policies, created_at FROM app_infos WHERE access_key = $1
