-- name: app_find
-- database: global
-- params: $1 access_key text
-- rows: one
-- The app that signs, with the clock of the same snapshot; columns are null when there is no such app. Fills the cache.
SELECT c.epoch, c.n, a.access_key, a.name, a.tenant_id, a.tenant_name, a.canonical_id, a.enabled, a.sealed_secret, a.full_access, a.policies,
	a.created_at
FROM event_clock c LEFT JOIN app_rows a ON a.access_key = $1
