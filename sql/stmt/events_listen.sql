-- name: events_listen
-- database: global
-- params: none
-- rows: none
-- The invalidator is woken by each commit that made events; what they are it reads from the outbox.
LISTEN anvil_events
