-- SPDX-License-Identifier: Apache-2.0
-- What buckets hold, and how much they may: quotas.
--
-- A bucket with a quota has an account: how many bytes and objects its rows here are. Triggers
-- keep it, in the transaction that changes the rows, so that it is right whatever program writes,
-- and after every crash; a bucket without one pays for the look at a sequence.
--
-- Bytes are those of every version, and of every part of an upload under way, as S3's own
-- metric BucketSizeBytes counts them. Objects are versions; delete markers count as nothing,
-- for a bucket that is full must be able to become emptier.
--
-- An account is no one row, which its writers would queue for. It has several, each with a
-- share of what may still come; a writer adds to that of its connection, and what is taken
-- away is a row of its own. No sum is needed for that, and the limit is exact: the shares
-- together are what is left. Whoever finds his too small gathers what all have left and deals
-- it out anew; so only the last few objects of a bucket wait for one another.

CREATE TABLE bucket_quotas (
    bucket_id    uuid PRIMARY KEY,
    bytes_max    bigint,                -- null: no limit
    objects_max  bigint,
    set_at       timestamptz,           -- when the global database was told of these limits
    counted_at   timestamptz,           -- null: what was there before is not counted yet, and nothing is refused
    corrected    int NOT NULL DEFAULT 0 -- how often it was counted
);
COMMENT ON TABLE bucket_quotas IS 'Buckets that have an account of what they hold, and what they may';

CREATE TABLE bucket_usage (
    bucket_id    uuid NOT NULL,
    slot         bigint NOT NULL,       -- below bucket_usage_slots(): a share; else what was taken away, until it is gathered
    bytes        bigint NOT NULL DEFAULT 0,
    objects      bigint NOT NULL DEFAULT 0,
    bytes_max    bigint,                -- a share may grow to this; null: no limit
    objects_max  bigint,
    PRIMARY KEY (bucket_id, slot)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
COMMENT ON TABLE bucket_usage IS 'What buckets with an account hold: the sum of its rows';

CREATE FUNCTION bucket_usage_slots() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 32';
CREATE SEQUENCE bucket_usage_freed MINVALUE 32 CACHE 32;

-- Does bucket_quotas have rows? Called: yes, perhaps. See bucket_moving_on in 0020.
CREATE SEQUENCE bucket_usage_on;

-- By itself, in a transaction that does nothing else: what a sequence is told is not rolled back.
CREATE FUNCTION bucket_usage_rests() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(4247, 0);
    IF EXISTS (SELECT FROM bucket_quotas) THEN
        RETURN false;
    END IF;
    PERFORM setval('bucket_usage_on', 1, false);
    RETURN true;
END $$;

-- Who gathers or deals out does so alone. Whoever holds a share's row waits for nobody any more but his commit.
CREATE FUNCTION bucket_usage_lock(p_bucket_id uuid) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(uuid_hash_extended(p_bucket_id, 4247));
    PERFORM FROM bucket_usage u WHERE u.bucket_id = p_bucket_id AND u.slot < bucket_usage_slots()
        ORDER BY u.bucket_id, u.slot FOR UPDATE;
END $$;

-- Adds to the account, by a caller who holds its lock; gathers what was taken away; deals out what is left.
CREATE FUNCTION bucket_usage_deal(p_bucket_id uuid, p_bytes bigint, p_objects bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    c_slots CONSTANT int := bucket_usage_slots();
    c_mine CONSTANT int := pg_backend_pid() % c_slots;
    v_bytes bigint;
    v_objects bigint;
    v_left bigint;
    v_left_objects bigint;
BEGIN
    -- Rows that another just folds into one (bucket_usage_fold) are left to him.
    WITH freed AS (DELETE FROM bucket_usage u WHERE u.bucket_id = p_bucket_id AND u.slot IN (SELECT x.slot FROM bucket_usage x
            WHERE x.bucket_id = p_bucket_id AND x.slot >= c_slots FOR UPDATE SKIP LOCKED) RETURNING u.bytes, u.objects)
        SELECT coalesce(sum(f.bytes), 0) + p_bytes, coalesce(sum(f.objects), 0) + p_objects INTO v_bytes, v_objects FROM freed f;
    SELECT q.bytes_max - v_bytes - coalesce(sum(u.bytes), 0), q.objects_max - v_objects - coalesce(sum(u.objects), 0)
        INTO v_left, v_left_objects FROM bucket_quotas q LEFT JOIN bucket_usage u USING (bucket_id)
        WHERE q.bucket_id = p_bucket_id AND q.counted_at IS NOT NULL GROUP BY q.bytes_max, q.objects_max;
    UPDATE bucket_usage u SET bytes = n.bytes, objects = n.objects,
            bytes_max = n.bytes + v_left / c_slots + CASE WHEN u.slot = c_mine THEN v_left % c_slots ELSE 0 END,
            objects_max = n.objects + v_left_objects / c_slots + CASE WHEN u.slot = c_mine THEN v_left_objects % c_slots ELSE 0 END
        FROM (SELECT x.slot, x.bytes + CASE WHEN x.slot = c_mine THEN v_bytes ELSE 0 END AS bytes,
                x.objects + CASE WHEN x.slot = c_mine THEN v_objects ELSE 0 END AS objects
            FROM bucket_usage x WHERE x.bucket_id = p_bucket_id AND x.slot < c_slots) n
        WHERE u.bucket_id = p_bucket_id AND u.slot = n.slot;
END $$;

-- Is there room for so much more in all? Of what is committed; a bucket without an account has room, one that is not counted too.
CREATE FUNCTION bucket_usage_fits(p_bucket_id uuid, p_bytes bigint, p_objects bigint) RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT NOT EXISTS (SELECT FROM bucket_quotas q CROSS JOIN (SELECT sum(u.bytes) AS bytes, sum(u.objects) AS objects
            FROM bucket_usage u WHERE u.bucket_id = p_bucket_id) s
        WHERE q.bucket_id = p_bucket_id AND q.counted_at IS NOT NULL
            AND ((p_bytes > 0 AND s.bytes + p_bytes > q.bytes_max) OR (p_objects > 0 AND s.objects + p_objects > q.objects_max)))
$$;

-- Where one's own share does not do. What a move puts in place is there by right.
CREATE FUNCTION bucket_usage_gather(p_bucket_id uuid, p_bytes bigint, p_objects bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_own CONSTANT boolean := bucket_move_own();
BEGIN
    -- The first look waits for nobody: writers to a full bucket are not to queue for its lock.
    IF v_own OR bucket_usage_fits(p_bucket_id, p_bytes, p_objects) THEN
        PERFORM bucket_usage_lock(p_bucket_id);
        IF v_own OR bucket_usage_fits(p_bucket_id, p_bytes, p_objects) THEN
            PERFORM bucket_usage_deal(p_bucket_id, p_bytes, p_objects);
            RETURN;
        END IF;
    END IF;
    RAISE EXCEPTION 'the bucket''s quota does not allow it' USING ERRCODE = 'AQ001';
END $$;

-- What a row adds. A change that makes the account smaller is never refused; without an account there is no share.
--
-- Whoever gathers waits for every share, so nobody may have one while he waits to gather; and PostgreSQL keeps the lock of a
-- row that was changed to the end of the transaction. So a share that proves too small is let go of with a subtransaction.
-- This is in the way of every PUT: one statement costs it 15 microseconds, and another to look first 50 more.
CREATE FUNCTION bucket_usage_add(p_bucket_id uuid, p_bytes bigint, p_objects bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_fits boolean;
BEGIN
    BEGIN
        UPDATE bucket_usage u SET bytes = u.bytes + p_bytes, objects = u.objects + p_objects
            WHERE u.bucket_id = p_bucket_id AND u.slot = pg_backend_pid() % bucket_usage_slots()
            RETURNING (p_bytes <= 0 OR u.bytes_max IS NULL OR u.bytes <= u.bytes_max)
                AND (p_objects <= 0 OR u.objects_max IS NULL OR u.objects <= u.objects_max) INTO v_fits;
        IF NOT v_fits THEN
            RAISE EXCEPTION 'the share is too small' USING ERRCODE = 'AQ002';
        END IF;
    EXCEPTION WHEN SQLSTATE 'AQ002' THEN
        v_fits := false;
    END;
    IF NOT v_fits THEN
        PERFORM bucket_usage_gather(p_bucket_id, p_bytes, p_objects);
    END IF;
END $$;

-- Many rows of what was taken away become one. Waits for nobody, and nobody for it.
CREATE FUNCTION bucket_usage_fold(p_bucket_id uuid) RETURNS void LANGUAGE sql VOLATILE AS $$
    WITH freed AS (DELETE FROM bucket_usage u WHERE u.bucket_id = p_bucket_id AND u.slot IN (SELECT x.slot FROM bucket_usage x
            WHERE x.bucket_id = p_bucket_id AND x.slot >= bucket_usage_slots() FOR UPDATE SKIP LOCKED) RETURNING u.bytes, u.objects)
    INSERT INTO bucket_usage (bucket_id, slot, bytes, objects)
        SELECT p_bucket_id, nextval('bucket_usage_freed'), sum(f.bytes), sum(f.objects) FROM freed f HAVING count(*) > 0
$$;

-- What a row took away with it: a new row, so that whoever deletes many keys holds nothing that another waits for.
CREATE FUNCTION bucket_usage_take(p_bucket_id uuid, p_bytes bigint, p_objects bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_slot bigint;
BEGIN
    IF EXISTS (SELECT FROM bucket_quotas q WHERE q.bucket_id = p_bucket_id) THEN
        INSERT INTO bucket_usage (bucket_id, slot, bytes, objects)
            VALUES (p_bucket_id, nextval('bucket_usage_freed'), -p_bytes, -p_objects) RETURNING slot INTO v_slot;
        IF v_slot % 1024 = 0 THEN
            PERFORM bucket_usage_fold(p_bucket_id);
        END IF;
    END IF;
END $$;

-- ---- what the rows count for ----

-- An object's bytes are its parts', which count for themselves. A row without an ETag is a delete marker, or keeps a place (0014).
CREATE FUNCTION object_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM bucket_usage_add(NEW.bucket_id, CASE WHEN NEW.parts_id IS NULL THEN NEW.size ELSE 0 END, 1);
    RETURN NULL;
END $$;
CREATE FUNCTION object_replaced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM bucket_usage_add(NEW.bucket_id, CASE WHEN NEW.parts_id IS NULL THEN NEW.size ELSE 0 END
        - CASE WHEN OLD.parts_id IS NULL THEN OLD.size ELSE 0 END, (NEW.etag <> '')::int - (OLD.etag <> '')::int);
    RETURN NULL;
END $$;
CREATE FUNCTION object_taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM bucket_usage_take(OLD.bucket_id, CASE WHEN OLD.parts_id IS NULL THEN OLD.size ELSE 0 END, 1);
    RETURN NULL;
END $$;
CREATE FUNCTION part_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM bucket_usage_add(NEW.bucket_id, NEW.size, 0);
    RETURN NULL;
END $$;
CREATE FUNCTION part_replaced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM bucket_usage_add(NEW.bucket_id, NEW.size - OLD.size, 0);
    RETURN NULL;
END $$;
CREATE TRIGGER objects_added AFTER INSERT ON objects FOR EACH ROW
    WHEN (NEW.etag <> '' AND pg_sequence_last_value('bucket_usage_on') IS NOT NULL) EXECUTE FUNCTION object_added();
CREATE TRIGGER objects_replaced AFTER UPDATE ON objects FOR EACH ROW
    WHEN ((OLD.size <> NEW.size OR (OLD.parts_id IS NULL) <> (NEW.parts_id IS NULL) OR (OLD.etag = '') <> (NEW.etag = ''))
        AND pg_sequence_last_value('bucket_usage_on') IS NOT NULL) EXECUTE FUNCTION object_replaced();
CREATE TRIGGER objects_taken AFTER DELETE ON objects FOR EACH ROW
    WHEN (OLD.etag <> '' AND pg_sequence_last_value('bucket_usage_on') IS NOT NULL) EXECUTE FUNCTION object_taken();
CREATE TRIGGER parts_added AFTER INSERT ON parts FOR EACH ROW
    WHEN (pg_sequence_last_value('bucket_usage_on') IS NOT NULL) EXECUTE FUNCTION part_added();
CREATE TRIGGER parts_replaced AFTER UPDATE ON parts FOR EACH ROW
    WHEN (OLD.size <> NEW.size AND pg_sequence_last_value('bucket_usage_on') IS NOT NULL) EXECUTE FUNCTION part_replaced();

-- Parts go by thousands: what they took away is one row for each bucket.
CREATE FUNCTION parts_taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM bucket_usage_take(d.bucket_id, sum(d.size)::bigint, 0) FROM died d GROUP BY d.bucket_id;
    RETURN NULL;
END $$;
CREATE TRIGGER parts_taken AFTER DELETE ON parts REFERENCING OLD TABLE AS died FOR EACH STATEMENT
    WHEN (pg_sequence_last_value('bucket_usage_on') IS NOT NULL) EXECUTE FUNCTION parts_taken();

-- ---- setting and counting ----

-- A bucket's limits (null: none), as the global database was told at p_at; what it was told later stands. 0: they are these
-- already, 1: they are from now on, 2: they will be, once what is there is counted (bucket_usage_missing). Writers under way are
-- waited for: what they do is there before the account begins.
CREATE FUNCTION bucket_quota_set(p_bucket_id uuid, p_bytes bigint, p_objects bigint, p_at timestamptz) RETURNS int
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    q bucket_quotas;
BEGIN
    SELECT * INTO q FROM bucket_quotas x WHERE x.bucket_id = p_bucket_id;
    IF NOT FOUND THEN
        PERFORM pg_advisory_xact_lock(4247, 0); -- to the end of the transaction, against bucket_usage_rests
        PERFORM setval('bucket_usage_on', 1, true);
        PERFORM pg_advisory_xact_lock(uuid_hash_extended(p_bucket_id, 4242));
        INSERT INTO bucket_quotas (bucket_id) VALUES (p_bucket_id) ON CONFLICT DO NOTHING;
        INSERT INTO bucket_usage (bucket_id, slot) SELECT p_bucket_id, i FROM generate_series(0, bucket_usage_slots() - 1) i
            ON CONFLICT DO NOTHING;
    ELSIF q.set_at >= p_at THEN
        RETURN CASE WHEN q.counted_at IS NULL THEN 2 ELSE 0 END;
    END IF;
    PERFORM bucket_usage_lock(p_bucket_id);
    UPDATE bucket_quotas x SET bytes_max = p_bytes, objects_max = p_objects, set_at = p_at
        WHERE x.bucket_id = p_bucket_id AND (x.set_at < p_at) IS NOT FALSE;
    SELECT * INTO q FROM bucket_quotas x WHERE x.bucket_id = p_bucket_id;
    PERFORM bucket_usage_deal(p_bucket_id, 0, 0);
    RETURN CASE WHEN q.counted_at IS NULL THEN 2 ELSE 1 END;
END $$;

CREATE FUNCTION bucket_quota_drop(p_bucket_id uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_there boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(uuid_hash_extended(p_bucket_id, 4242)); -- no writer is between the two any more
    DELETE FROM bucket_quotas q WHERE q.bucket_id = p_bucket_id;
    v_there := FOUND;
    DELETE FROM bucket_usage u WHERE u.bucket_id = p_bucket_id;
    RETURN v_there;
END $$;

-- What the account lacks, by counting all rows: of one snapshot, in which account and rows are as one commit left them. That
-- stays true of every later one, for what changes meanwhile changes both. Without an account: what there is.
CREATE FUNCTION bucket_usage_missing(p_bucket_id uuid) RETURNS TABLE (bytes bigint, objects bigint, corrected int)
LANGUAGE sql STABLE AS $$
    SELECT (o.bytes + p.bytes - u.bytes)::bigint, (o.n - u.n)::bigint,
        (SELECT q.corrected FROM bucket_quotas q WHERE q.bucket_id = p_bucket_id)
    FROM (SELECT coalesce(sum(x.size) FILTER (WHERE x.parts_id IS NULL), 0) AS bytes, count(*) FILTER (WHERE x.etag <> '') AS n
            FROM objects x WHERE x.bucket_id = p_bucket_id) o,
        (SELECT coalesce(sum(x.size), 0) AS bytes FROM parts x WHERE x.bucket_id = p_bucket_id) p,
        (SELECT coalesce(sum(x.bytes), 0) AS bytes, coalesce(sum(x.objects), 0) AS n FROM bucket_usage x
            WHERE x.bucket_id = p_bucket_id) u
$$;

-- Adds what was missing. false: another did meanwhile (p_corrected: as it was when it was counted), or there is no account.
CREATE FUNCTION bucket_usage_correct(p_bucket_id uuid, p_bytes bigint, p_objects bigint, p_corrected int) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM bucket_usage_lock(p_bucket_id);
    UPDATE bucket_quotas q SET corrected = q.corrected + 1, counted_at = coalesce(q.counted_at, clock_timestamp())
        WHERE q.bucket_id = p_bucket_id AND q.corrected = p_corrected;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM bucket_usage_deal(p_bucket_id, p_bytes, p_objects);
    RETURN true;
END $$;
