-- name: clock_source
-- database: global
-- params: $1 asker text
-- rows: one
-- A source's answer to "what is n?": primary?, is the asker an active region?, epoch, n. Nothing of it is from memory.
SELECT is_primary, known, epoch, n FROM anvil_source_clock($1)
