-- name: region_renew
-- database: global
-- params: $1 asker text
-- rows: one
-- A source's first step before an answer, committed by itself: the asker's next renewal (null: not active); was it marked?
SELECT renewal, was_lost FROM anvil_region_renew($1)
