-- SPDX-License-Identifier: Apache-2.0
-- What buckets tell webhooks (PutBucketNotificationConfiguration), until it is delivered.
--
-- An event is written in the transaction that changes the object (meta/notices.c), so
-- that one is not without the other; whoever delivers takes it away afterwards. Who
-- writes a key holds its lock to the end of his transaction and has it when he takes a
-- number here; so of one key the numbers are in the order of the commits.
--
-- Unlike the other tables these lead with the webhook: they are a queue each.

CREATE SEQUENCE notification_numbers AS bigint;

-- A number is about the time in microseconds: later ones are greater, in this region
-- always, and in the next one when the bucket moves. The sequence is pulled up to the
-- clock where it lags by more than 10 ms: under a lock, and by more than others can take
-- meanwhile, so that it never goes back. Whoever has the lock waits for no other.
CREATE FUNCTION notification_number() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
    v_n bigint := nextval('notification_numbers');
BEGIN
    IF v_n < v_now - 10000 THEN
        PERFORM pg_advisory_xact_lock(4246, 0);
        IF (SELECT last_value FROM notification_numbers) < v_now - 10000 THEN
            PERFORM setval('notification_numbers', v_now);
        END IF;
        v_n := nextval('notification_numbers');
    END IF;
    RETURN v_n;
END $$;

CREATE TABLE notifications (
    webhook     text COLLATE "C" NOT NULL,
    n           bigint NOT NULL,
    bucket_id   uuid NOT NULL,
    at          timestamptz NOT NULL,
    event       text COLLATE "C" NOT NULL,  -- "ObjectCreated:Put"; "TestEvent"
    config_id   text NOT NULL,
    bucket      text COLLATE "C" NOT NULL,
    owner_id    text COLLATE "C" NOT NULL,  -- the bucket's
    principal   text COLLATE "C" NOT NULL,  -- who did it
    address     text COLLATE "C" NOT NULL,  -- from where
    request_id  text COLLATE "C" NOT NULL,
    key         text COLLATE "C" NOT NULL,
    version     text COLLATE "C",           -- null: the bucket never had any
    size        bigint,                     -- null, as etag: it was taken away
    etag        text COLLATE "C",
    PRIMARY KEY (webhook, n)
) WITH (autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON TABLE notifications IS 'Events that are to be delivered to webhooks';

CREATE TABLE webhook_queues (
    webhook       text COLLATE "C" PRIMARY KEY,
    holder        uuid,                     -- who delivers just now
    held_until    timestamptz NOT NULL DEFAULT 'epoch',
    next_try_at   timestamptz NOT NULL DEFAULT 'epoch',
    failures      int NOT NULL DEFAULT 0,   -- in a row
    last_error    text,
    last_error_at timestamptz,
    delivered_at  timestamptz,
    delivered     bigint NOT NULL DEFAULT 0,
    dropped       bigint NOT NULL DEFAULT 0 -- too old, or too many
) WITH (fillfactor = 50);
COMMENT ON TABLE webhook_queues IS 'How delivery to each webhook stands in this region';

-- Events of one change. Six texts each: key, the row's place ('' it was taken away), version ('' none), event, webhook,
-- the configuration's id. Size and ETag are the row's.
CREATE FUNCTION notifications_add(p_bucket_id uuid, p_bucket text, p_owner text, p_principal text, p_address text, p_request text,
    p_items text[]) RETURNS int LANGUAGE plpgsql VOLATILE
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    c_each CONSTANT int := 6;
    v_n int := cardinality(p_items) / c_each;
BEGIN
    INSERT INTO webhook_queues (webhook)
        SELECT DISTINCT p_items[c_each * i + 5] COLLATE "C" AS w FROM generate_series(0, v_n - 1) i
        WHERE NOT EXISTS (SELECT FROM webhook_queues q WHERE q.webhook = p_items[c_each * i + 5]) ORDER BY w
        ON CONFLICT DO NOTHING;
    INSERT INTO notifications (webhook, n, bucket_id, at, event, config_id, bucket, owner_id, principal, address, request_id, key,
            version, size, etag)
        SELECT p_items[c_each * i + 5], notification_number(), p_bucket_id, clock_timestamp(), p_items[c_each * i + 4],
            p_items[c_each * i + 6], p_bucket, p_owner, p_principal, p_address, p_request, p_items[c_each * i + 1],
            nullif(p_items[c_each * i + 3], ''), o.size, o.etag
        FROM generate_series(0, v_n - 1) i
        LEFT JOIN objects o ON o.bucket_id = p_bucket_id AND o.key = p_items[c_each * i + 1]
            AND o.ord = nullif(p_items[c_each * i + 2], '')::bigint;
    RETURN v_n;
END $$;

-- Drops what is older than so many days, and what is more than so many: the oldest first. How many, of which queue.
CREATE FUNCTION webhook_queues_trim(p_days bigint, p_max bigint) RETURNS TABLE (webhook text, dropped bigint)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_before bigint;
BEGIN
    FOR webhook IN SELECT q.webhook FROM webhook_queues q ORDER BY q.webhook LOOP
        v_before := greatest((extract(epoch FROM clock_timestamp() - p_days * interval '1 day') * 1000000)::bigint,
            (SELECT x.n FROM notifications x WHERE x.webhook = webhook_queues_trim.webhook ORDER BY x.n DESC OFFSET p_max LIMIT 1) + 1);
        DELETE FROM notifications x WHERE x.webhook = webhook_queues_trim.webhook AND x.n < v_before;
        GET DIAGNOSTICS dropped = ROW_COUNT;
        IF dropped > 0 THEN
            UPDATE webhook_queues q SET dropped = q.dropped + webhook_queues_trim.dropped
                WHERE q.webhook = webhook_queues_trim.webhook;
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;
