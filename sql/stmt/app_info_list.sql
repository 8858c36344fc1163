-- name: app_info_list
-- database: global
-- params: $1 tenant text, $2 after text, $3 max integer
-- rows: many
-- One page of access keys, of one tenant or (null) of all.
SELECT access_key, name, tenant_name, tenant_id, enabled, tenant_enabled, full_access, policies, created_at FROM app_infos
WHERE ($1 IS NULL OR tenant_id = anvil_tenant_id($1)) AND access_key > $2 ORDER BY access_key LIMIT $3
