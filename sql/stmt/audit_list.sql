-- name: audit_list
-- database: global
-- params: $1 before_id bigint, $2 max integer
-- rows: many
-- The newest first.
SELECT id, at, actor, via, region, action, target, detail, ok FROM audit_log WHERE id < $1 ORDER BY id DESC LIMIT $2
