-- name: notifications_add
-- database: regional
-- params: $1 bucket uuid, $2 name text, $3 owner text, $4 principal text, $5 address text, $6 request text, $7 items text[]
-- rows: one
-- Events of one change: see sql/regional/0024-notifications.sql.
SELECT notifications_add($1, $2, $3, $4, $5, $6, $7)
