-- SPDX-License-Identifier: Apache-2.0
-- Buckets on their way to another region: what the region they leave and the one
-- they come to remember of it. ARCHITECTURE.md ("A bucket moves") has the whole.
--
-- The global database decides where a bucket is at home. Here it is written down
-- whether its rows may be changed just now, and what was changed while they were
-- copied. A bucket that does not move has no row in bucket_moving.

-- out     it leaves: what changes is noted in bucket_changes
-- frozen  it leaves, and nothing may change: the last notes are carried over
-- in      it comes: only the mover writes
-- gone    it is at home elsewhere (again): keeps out whoever still believes otherwise, until its rows here are removed
CREATE TABLE bucket_moving (
    bucket_id   uuid PRIMARY KEY,
    move_id     uuid NOT NULL,          -- of bucket_moves in the global database
    state       text NOT NULL CHECK (state IN ('out', 'frozen', 'in', 'gone')),
    since       timestamptz NOT NULL DEFAULT clock_timestamp(), -- it is in this state
    freeze_no   int NOT NULL DEFAULT 0, -- the global row's when it was frozen
    holder      uuid,                   -- in: the mover that may write
    seen_at     timestamptz,            -- in: when it last did something
    scan        text NOT NULL DEFAULT '', -- in: where the first copy has come to; 'end' = it is done
    leftovers   boolean NOT NULL DEFAULT true -- in, gone: rows of an earlier stay, or of a move that was given up, may be here
);
COMMENT ON TABLE bucket_moving IS 'Buckets on their way to another region, or gone there';

CREATE TABLE bucket_changes (
    bucket_id   uuid NOT NULL,
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    what        "char" NOT NULL,        -- 'o' object: key, ord; 'u' upload: key, id; 'p' part: id, no
    key         text COLLATE "C",
    ord         bigint,
    id          uuid,
    no          int,
    batch       bigint,                 -- handed out to the mover under this number
    PRIMARY KEY (bucket_id, seq)
);
COMMENT ON TABLE bucket_changes IS 'Rows that changed in a bucket that leaves, until the mover has carried them over';

-- Sealed bytes are bound to the blob's id that they were sealed under: a copy in another region has another.
CREATE TABLE moved_blobs (
    blob_id     uuid PRIMARY KEY,
    bucket_id   uuid NOT NULL,
    source_id   uuid NOT NULL,          -- the blob it is a copy of, where it came from
    sealed_as   uuid NOT NULL           -- the id that its bytes were sealed under, if they are
);
COMMENT ON TABLE moved_blobs IS 'Blobs that came with a bucket from another region';

-- Does bucket_moving have rows? Called: yes, perhaps. A sequence is read without a snapshot, by a function in C: a row that is
-- written while no bucket moves pays for that alone, and not for a trigger's function, which was half of object_put's time.
CREATE SEQUENCE bucket_moving_on;

-- Whoever adds a row calls this first, and only then commits it.
CREATE FUNCTION bucket_moving_begins() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(4244, 0); -- to the end of the transaction, against bucket_moving_rests
    PERFORM setval('bucket_moving_on', 1, true);
END $$;

-- By itself, in a transaction that does nothing else: what a sequence is told is not rolled back.
CREATE FUNCTION bucket_moving_rests() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(4244, 0);
    IF EXISTS (SELECT FROM bucket_moving) THEN
        RETURN false;
    END IF;
    PERFORM setval('bucket_moving_on', 1, false);
    RETURN true;
END $$;

-- ---- noting and refusing changes ----

-- The mover's own changes (anvil.move = 'apply') and maintain's removal of leftovers ('purge') are not asked.
CREATE FUNCTION bucket_move_own() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('anvil.move', true), '') <> ''
$$;

-- 'out' when changes are to be noted, null when the bucket does not move; else it may not be changed. The state is that
-- after every writer before has ended: whoever changes it holds the fence's lock alone. The lock is taken here too, since not
-- every statement joins the fence; what is read behind it is read by a new statement, hence after it was got (see 0002).
CREATE FUNCTION bucket_move_state(p_bucket_id uuid) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_state text;
BEGIN
    IF bucket_move_own() THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(uuid_hash_extended(p_bucket_id, 4242));
    SELECT m.state INTO v_state FROM bucket_moving m WHERE m.bucket_id = p_bucket_id;
    IF v_state <> 'out' THEN
        RAISE EXCEPTION 'the bucket is being moved to another region' USING ERRCODE = 'AM001';
    END IF;
    RETURN v_state;
END $$;

CREATE FUNCTION object_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF bucket_move_state(coalesce(NEW.bucket_id, OLD.bucket_id)) IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO bucket_changes (bucket_id, what, key, ord) VALUES (OLD.bucket_id, 'o', OLD.key, OLD.ord);
    END IF;
    IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND (NEW.key, NEW.ord) <> (OLD.key, OLD.ord)) THEN
        INSERT INTO bucket_changes (bucket_id, what, key, ord) VALUES (NEW.bucket_id, 'o', NEW.key, NEW.ord);
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION upload_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF bucket_move_state(coalesce(NEW.bucket_id, OLD.bucket_id)) IS NOT NULL THEN
        INSERT INTO bucket_changes (bucket_id, what, key, id)
            VALUES (coalesce(NEW.bucket_id, OLD.bucket_id), 'u', coalesce(NEW.key, OLD.key), coalesce(NEW.upload_id, OLD.upload_id));
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION part_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF bucket_move_state(coalesce(NEW.bucket_id, OLD.bucket_id)) IS NOT NULL THEN
        INSERT INTO bucket_changes (bucket_id, what, id, no)
            VALUES (coalesce(NEW.bucket_id, OLD.bucket_id), 'p', coalesce(NEW.upload_id, OLD.upload_id), coalesce(NEW.part_no, OLD.part_no));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER objects_move AFTER INSERT OR UPDATE OR DELETE ON objects FOR EACH ROW
    WHEN (pg_sequence_last_value('bucket_moving_on') IS NOT NULL) EXECUTE FUNCTION object_moves();
CREATE TRIGGER uploads_move AFTER INSERT OR UPDATE OR DELETE ON uploads FOR EACH ROW
    WHEN (pg_sequence_last_value('bucket_moving_on') IS NOT NULL) EXECUTE FUNCTION upload_moves();
CREATE TRIGGER parts_move AFTER INSERT OR UPDATE OR DELETE ON parts FOR EACH ROW
    WHEN (pg_sequence_last_value('bucket_moving_on') IS NOT NULL) EXECUTE FUNCTION part_moves();

-- DeleteBucket and PutBucketVersioning wait, too: what they decide from must not be decided elsewhere already.
CREATE FUNCTION fence_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM bucket_move_state(NEW.bucket_id);
    RETURN NEW;
END $$;
CREATE TRIGGER bucket_fence_moves BEFORE UPDATE OF closed_at, versioning ON bucket_fences FOR EACH ROW EXECUTE FUNCTION fence_moves();

-- The fence of a bucket that is at home elsewhere goes with its last row: then a late writer asks the primary. Only an open one.
DROP TRIGGER bucket_fence_is_kept ON bucket_fences;
CREATE TRIGGER bucket_fence_is_kept BEFORE DELETE ON bucket_fences FOR EACH ROW
    WHEN (OLD.closed_at IS NOT NULL OR coalesce(current_setting('anvil.move', true), '') <> 'purge')
    EXECUTE FUNCTION bucket_fence_guard();

-- What the mover puts in place it says whole, row by row: there nothing follows from anything.
CREATE OR REPLACE FUNCTION blob_died() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('anvil.move', true) = 'apply' THEN
        RETURN NULL;
    END IF;
    INSERT INTO dead_blobs (bucket_id, blob_id) VALUES (OLD.bucket_id, OLD.blob_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION object_parts_died() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('anvil.move', true) = 'apply' THEN
        RETURN NULL;
    END IF;
    DELETE FROM parts WHERE bucket_id = OLD.bucket_id AND upload_id = OLD.parts_id;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION part_blobs_died() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('anvil.move', true) = 'apply' THEN
        RETURN NULL;
    END IF;
    INSERT INTO dead_blobs (bucket_id, blob_id) SELECT d.bucket_id, d.blob_id FROM died d WHERE d.blob_id IS NOT NULL
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- ---- where it leaves ----

-- What a row has here. Regions exchange whole rows, and only while these are the same.
CREATE FUNCTION bucket_move_columns() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT string_agg(c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', '
        ORDER BY c.relname COLLATE "C", a.attname COLLATE "C")
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.oid IN ('objects'::regclass, 'uploads'::regclass, 'parts'::regclass) AND a.attnum > 0 AND NOT a.attisdropped
$$;

-- Changes are noted from here on. outcome: 0 they were before, 1 from now on, so the copy begins anew; 2 the fence is closed.
-- writers: who wrote without joining the fence may not have noted it; the copy begins when bucket_moving_writers(writers) is true.
CREATE FUNCTION bucket_move_out(p_bucket_id uuid, p_move_id uuid, p_versioning text)
RETURNS TABLE (outcome int, columns text, writers bigint) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(uuid_hash_extended(p_bucket_id, 4242));
    PERFORM bucket_moving_begins();
    columns := bucket_move_columns();
    outcome := 0;
    IF NOT bucket_fence_open(p_bucket_id, p_versioning) THEN
        outcome := 2;
    ELSIF NOT EXISTS (SELECT FROM bucket_moving m WHERE m.bucket_id = p_bucket_id AND m.move_id = p_move_id
            AND m.state IN ('out', 'frozen')) THEN
        DELETE FROM bucket_changes c WHERE c.bucket_id = p_bucket_id;
        INSERT INTO bucket_moving (bucket_id, move_id, state) VALUES (p_bucket_id, p_move_id, 'out')
            ON CONFLICT (bucket_id) DO UPDATE SET move_id = excluded.move_id, state = 'out', since = clock_timestamp(),
                freeze_no = 0, holder = NULL, scan = '';
        outcome := 1;
    END IF;
    writers := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
    RETURN NEXT;
END $$;

-- Have all transactions ended that could have begun to write before then? (A row's trigger is looked at after it has its number.)
CREATE FUNCTION bucket_moving_writers(p_xmax bigint) RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= p_xmax
$$;

-- A row that the mover is given: what it is, the row itself or null when it is no more, and what its bytes were sealed as.
CREATE TYPE bucket_move_item AS (what "char", key text, ord bigint, id uuid, no int, "row" json, sealed_as uuid);

CREATE FUNCTION blob_sealed_as(p_blob_id uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT m.sealed_as FROM moved_blobs m WHERE m.blob_id = p_blob_id), p_blob_id)
$$;

-- One page of the first copy: behind p_after, at most p_max rows and about p_bytes of data. next: where it goes on; 'end'.
CREATE FUNCTION bucket_move_page(p_bucket_id uuid, p_move_id uuid, p_after text, p_max int, p_bytes bigint)
RETURNS TABLE (next text, rows bigint, items text) LANGUAGE plpgsql VOLATILE
    SET bytea_output = 'hex' SET enable_seqscan = off AS $$
DECLARE
    v_at json := CASE p_after WHEN '' THEN '{"what":"o"}' ELSE p_after END;
    v_what text := v_at ->> 'what';
    -- Behind which row it goes on; these are before every row.
    v_key text COLLATE "C" := coalesce(convert_from(decode(v_at ->> 'key', 'hex'), 'UTF8'), '');
    v_ord bigint := coalesce((v_at ->> 'ord')::bigint, -9223372036854775808);
    v_id uuid := coalesce(v_at ->> 'id', '00000000-0000-0000-0000-000000000000');
    v_no int := coalesce((v_at ->> 'no')::int, 0);
    v_items json[];
BEGIN
    IF NOT EXISTS (SELECT FROM bucket_moving m WHERE m.bucket_id = p_bucket_id AND m.move_id = p_move_id
            AND m.state IN ('out', 'frozen')) THEN
        RAISE EXCEPTION 'the bucket does not leave by this move' USING ERRCODE = 'P0002';
    END IF;
    LOOP
        IF v_what = 'o' THEN
            SELECT array_agg(to_json(ROW('o', (s.o).key, (s.o).ord, NULL, NULL, to_json(s.o), blob_sealed_as((s.o).blob_id))::bucket_move_item)
                    ORDER BY (s.o).key, (s.o).ord) INTO v_items
                FROM (SELECT l.o, sum(coalesce(octet_length((l.o).data), 0)) OVER (ORDER BY (l.o).key, (l.o).ord ROWS UNBOUNDED PRECEDING)
                        - coalesce(octet_length((l.o).data), 0) AS before
                    FROM (SELECT o FROM objects o WHERE o.bucket_id = p_bucket_id AND (o.key, o.ord) > (v_key, v_ord)
                        ORDER BY o.bucket_id, o.key, o.ord LIMIT p_max) l) s
                WHERE s.before < p_bytes;
        ELSIF v_what = 'u' THEN
            SELECT array_agg(to_json(ROW('u', (l.u).key, NULL, (l.u).upload_id, NULL, to_json(l.u), NULL)::bucket_move_item)
                    ORDER BY (l.u).key, (l.u).upload_id) INTO v_items
                FROM (SELECT u FROM uploads u WHERE u.bucket_id = p_bucket_id AND (u.key, u.upload_id) > (v_key, v_id)
                    ORDER BY u.bucket_id, u.key, u.upload_id LIMIT p_max) l;
        ELSE
            SELECT array_agg(to_json(ROW('p', NULL, NULL, (s.p).upload_id, (s.p).part_no, to_json(s.p), blob_sealed_as((s.p).blob_id))::bucket_move_item)
                    ORDER BY (s.p).upload_id, (s.p).part_no) INTO v_items
                FROM (SELECT l.p, sum(coalesce(octet_length((l.p).data), 0)) OVER (ORDER BY (l.p).upload_id, (l.p).part_no ROWS UNBOUNDED PRECEDING)
                        - coalesce(octet_length((l.p).data), 0) AS before
                    FROM (SELECT p FROM parts p WHERE p.bucket_id = p_bucket_id AND (p.upload_id, p.part_no) > (v_id, v_no)
                        ORDER BY p.bucket_id, p.upload_id, p.part_no LIMIT p_max) l) s
                WHERE s.before < p_bytes;
        END IF;
        EXIT WHEN v_items IS NOT NULL;
        IF v_what = 'p' THEN
            next := 'end'; rows := 0; items := '[]';
            RETURN NEXT;
            RETURN;
        END IF;
        v_what := CASE v_what WHEN 'o' THEN 'u' ELSE 'p' END;
        v_key := ''; v_id := '00000000-0000-0000-0000-000000000000'; v_no := 0;
    END LOOP;
    v_at := v_items[cardinality(v_items)];
    next := json_build_object('what', v_what, 'key', encode(convert_to(v_at ->> 'key', 'UTF8'), 'hex'), 'ord', v_at -> 'ord', 'id', v_at -> 'id', 'no', v_at -> 'no');
    rows := cardinality(v_items);
    items := array_to_json(v_items);
    RETURN NEXT;
END $$;

-- What changed since: of at most p_max notes, which go under the number p_batch, the rows as they are now. Notes that went
-- under p_done are carried over and forgotten. left: notes that are still there, without these.
CREATE FUNCTION bucket_move_changes(p_bucket_id uuid, p_move_id uuid, p_batch bigint, p_done bigint, p_max int)
RETURNS TABLE (rows bigint, remaining bigint, items text) LANGUAGE plpgsql VOLATILE
    SET bytea_output = 'hex' SET enable_seqscan = off AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM bucket_moving m WHERE m.bucket_id = p_bucket_id AND m.move_id = p_move_id
            AND m.state IN ('out', 'frozen')) THEN
        RAISE EXCEPTION 'the bucket does not leave by this move' USING ERRCODE = 'P0002';
    END IF;
    DELETE FROM bucket_changes c WHERE c.bucket_id = p_bucket_id AND c.batch = p_done;
    UPDATE bucket_changes c SET batch = p_batch WHERE c.bucket_id = p_bucket_id
        AND c.seq IN (SELECT n.seq FROM bucket_changes n WHERE n.bucket_id = p_bucket_id ORDER BY n.seq LIMIT p_max);
    -- A new statement: what it sees is as new as any note that it was given.
    SELECT count(*), coalesce(json_agg(ROW(d.what, d.key, d.ord, d.id, d.no, CASE d.what
            WHEN 'o' THEN (SELECT to_json(o) FROM objects o WHERE o.bucket_id = p_bucket_id AND o.key = d.key AND o.ord = d.ord)
            WHEN 'u' THEN (SELECT to_json(u) FROM uploads u WHERE u.bucket_id = p_bucket_id AND u.key = d.key AND u.upload_id = d.id)
            ELSE (SELECT to_json(p) FROM parts p WHERE p.bucket_id = p_bucket_id AND p.upload_id = d.id AND p.part_no = d.no)
        END, CASE d.what
            WHEN 'o' THEN (SELECT blob_sealed_as(o.blob_id) FROM objects o WHERE o.bucket_id = p_bucket_id AND o.key = d.key AND o.ord = d.ord)
            WHEN 'p' THEN (SELECT blob_sealed_as(p.blob_id) FROM parts p WHERE p.bucket_id = p_bucket_id AND p.upload_id = d.id AND p.part_no = d.no)
        END)::bucket_move_item), '[]')
        INTO rows, items FROM (SELECT DISTINCT c.what, c.key, c.ord, c.id, c.no FROM bucket_changes c
            WHERE c.bucket_id = p_bucket_id AND c.batch = p_batch) d;
    SELECT count(*) INTO remaining FROM (SELECT FROM bucket_changes c WHERE c.bucket_id = p_bucket_id
        AND c.batch IS DISTINCT FROM p_batch LIMIT 100000) c;
    RETURN NEXT;
END $$;

-- Waits for the writers under way; those that come later are refused. false: not this move's, or the bucket is deleted.
CREATE FUNCTION bucket_move_freeze(p_bucket_id uuid, p_move_id uuid, p_freeze_no int) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(uuid_hash_extended(p_bucket_id, 4242));
    UPDATE bucket_moving m SET state = 'frozen', since = clock_timestamp(), freeze_no = p_freeze_no
        WHERE m.bucket_id = p_bucket_id AND m.move_id = p_move_id AND m.state IN ('out', 'frozen') AND m.freeze_no <= p_freeze_no
            AND EXISTS (SELECT FROM bucket_fences f WHERE f.bucket_id = p_bucket_id AND f.closed_at IS NULL);
    RETURN FOUND;
END $$;

-- ---- where it comes to ----

-- outcome: 0 p_holder may write from now on, 1 another mover does, 2 the id's fence is closed here, which cannot be.
CREATE FUNCTION bucket_move_in(p_bucket_id uuid, p_move_id uuid, p_holder uuid, p_lease_ms int)
RETURNS TABLE (outcome int, scan text, leftovers boolean, columns text) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    m bucket_moving;
BEGIN
    PERFORM pg_advisory_xact_lock(uuid_hash_extended(p_bucket_id, 4242));
    PERFORM bucket_moving_begins();
    SELECT * INTO m FROM bucket_moving x WHERE x.bucket_id = p_bucket_id FOR UPDATE;
    IF m.state = 'in' AND m.holder <> p_holder AND m.seen_at > clock_timestamp() - make_interval(secs => p_lease_ms / 1000.0) THEN
        outcome := 1;
        RETURN NEXT;
        RETURN;
    END IF;
    IF NOT bucket_fence_open(p_bucket_id, '') THEN
        outcome := 2;
        RETURN NEXT;
        RETURN;
    END IF;
    INSERT INTO bucket_moving AS x (bucket_id, move_id, state, holder, seen_at) VALUES (p_bucket_id, p_move_id, 'in', p_holder, clock_timestamp())
        ON CONFLICT (bucket_id) DO UPDATE SET holder = p_holder, seen_at = clock_timestamp(), state = 'in', move_id = p_move_id,
            scan = CASE WHEN x.move_id = p_move_id AND x.state = 'in' THEN x.scan ELSE '' END,
            leftovers = CASE WHEN x.move_id = p_move_id AND x.state = 'in' THEN x.leftovers ELSE true END;
    outcome := 0;
    SELECT x.scan, x.leftovers, bucket_move_columns() INTO scan, leftovers, columns FROM bucket_moving x WHERE x.bucket_id = p_bucket_id;
    RETURN NEXT;
END $$;

-- Is it still p_holder's? Says that he lives.
CREATE FUNCTION bucket_move_holds(p_bucket_id uuid, p_move_id uuid, p_holder uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE bucket_moving m SET seen_at = clock_timestamp()
        WHERE m.bucket_id = p_bucket_id AND m.move_id = p_move_id AND m.state = 'in' AND m.holder = p_holder;
    RETURN FOUND;
END $$;

-- The copy begins anew: what is here of it goes (bucket_move_purge).
CREATE FUNCTION bucket_move_anew(p_bucket_id uuid, p_move_id uuid, p_holder uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE bucket_moving m SET leftovers = true, scan = ''
        WHERE m.bucket_id = p_bucket_id AND m.move_id = p_move_id AND m.state = 'in' AND m.holder = p_holder;
    RETURN FOUND;
END $$;

-- Removes at most p_max rows of each kind of a bucket that is not at home here (states in, gone), if any are to be removed;
-- true: none are left. A mover that comes late finds that they are not, and removes nothing of what another has copied since.
CREATE FUNCTION bucket_move_purge(p_bucket_id uuid, p_move_id uuid, p_max int) RETURNS boolean LANGUAGE plpgsql VOLATILE
    SET enable_seqscan = off AS $$
DECLARE
    n bigint;
    v_more boolean := false;
    v_leftovers boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(uuid_hash_extended(p_bucket_id, 4242));
    SELECT m.leftovers OR m.state = 'gone' INTO v_leftovers FROM bucket_moving m
        WHERE m.bucket_id = p_bucket_id AND m.move_id = p_move_id AND m.state IN ('in', 'gone') FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the bucket neither comes nor is gone by this move' USING ERRCODE = 'P0002';
    ELSIF NOT v_leftovers THEN
        RETURN true;
    END IF;
    PERFORM set_config('anvil.move', 'purge', true);
    DELETE FROM objects o WHERE o.bucket_id = p_bucket_id AND (o.key, o.ord) IN (SELECT x.key, x.ord FROM objects x
        WHERE x.bucket_id = p_bucket_id ORDER BY x.bucket_id, x.key, x.ord LIMIT p_max);
    GET DIAGNOSTICS n = ROW_COUNT;
    v_more := v_more OR n = p_max;
    DELETE FROM uploads u WHERE u.bucket_id = p_bucket_id AND (u.key, u.upload_id) IN (SELECT x.key, x.upload_id FROM uploads x
        WHERE x.bucket_id = p_bucket_id ORDER BY x.bucket_id, x.key, x.upload_id LIMIT p_max);
    GET DIAGNOSTICS n = ROW_COUNT;
    v_more := v_more OR n = p_max;
    DELETE FROM parts p WHERE p.bucket_id = p_bucket_id AND (p.upload_id, p.part_no) IN (SELECT x.upload_id, x.part_no FROM parts x
        WHERE x.bucket_id = p_bucket_id ORDER BY x.bucket_id, x.upload_id, x.part_no LIMIT p_max);
    GET DIAGNOSTICS n = ROW_COUNT;
    v_more := v_more OR n = p_max;
    IF NOT v_more THEN
        UPDATE bucket_moving m SET leftovers = false, scan = '' WHERE m.bucket_id = p_bucket_id AND m.state = 'in';
        IF NOT FOUND THEN -- it is gone: nothing of it is left
            DELETE FROM bucket_fences f WHERE f.bucket_id = p_bucket_id AND f.closed_at IS NULL;
            DELETE FROM bucket_moving m WHERE m.bucket_id = p_bucket_id;
        END IF;
    END IF;
    PERFORM set_config('anvil.move', '', true);
    RETURN NOT v_more;
END $$;

-- The copy that the row of an item has here already: its blob, or null.
CREATE FUNCTION bucket_move_have(p_bucket_id uuid, i bucket_move_item, p_source_id uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT m.blob_id FROM moved_blobs m WHERE m.source_id = p_source_id AND m.blob_id = CASE i.what
        WHEN 'o' THEN (SELECT o.blob_id FROM objects o WHERE o.bucket_id = p_bucket_id AND o.key = i.key AND o.ord = i.ord)
        ELSE (SELECT p.blob_id FROM parts p WHERE p.bucket_id = p_bucket_id AND p.upload_id = i.id AND p.part_no = i.no) END
$$;

-- The blobs that must be fetched before these items can be put in place.
CREATE FUNCTION bucket_move_need(p_bucket_id uuid, p_items text) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT DISTINCT (i."row" ->> 'blob_id')::uuid FROM json_populate_recordset(NULL::bucket_move_item, p_items::json) i
    WHERE i."row" ->> 'blob_id' IS NOT NULL AND bucket_move_have(p_bucket_id, i, (i."row" ->> 'blob_id')::uuid) IS NULL
$$;

-- Puts items in place, one as often as need be: p_blobs were fetched as p_ids, in the same order. false: it is another
-- mover's now, and nothing was done. p_scan: where the first copy has come to; null: that is not what these are of.
CREATE FUNCTION bucket_move_apply(p_bucket_id uuid, p_move_id uuid, p_holder uuid, p_items text, p_blobs uuid[], p_ids uuid[],
    p_scan text) RETURNS boolean LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
    i bucket_move_item;
    o objects;
    u uploads;
    p parts;
    v_source uuid;
    v_blob uuid;
    v_old uuid[];
    v_dead uuid[] := '{}';
    v_live uuid[] := '{}';
BEGIN
    PERFORM pg_advisory_xact_lock_shared(uuid_hash_extended(p_bucket_id, 4242)); -- before the row's, as everywhere
    PERFORM FROM bucket_moving m WHERE m.bucket_id = p_bucket_id AND m.move_id = p_move_id AND m.state = 'in' AND m.holder = p_holder
        FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM set_config('anvil.move', 'apply', true);
    FOR i IN SELECT * FROM json_populate_recordset(NULL::bucket_move_item, p_items::json) LOOP
        v_source := (i."row" ->> 'blob_id')::uuid;
        v_blob := CASE WHEN v_source IS NOT NULL THEN coalesce(p_ids[array_position(p_blobs, v_source)],
            bucket_move_have(p_bucket_id, i, v_source)) END;
        IF v_source IS NOT NULL AND v_blob IS NULL THEN
            RAISE EXCEPTION 'blob % was not fetched', v_source USING ERRCODE = 'P0002';
        ELSIF v_blob = ANY (p_ids) THEN
            INSERT INTO moved_blobs (blob_id, bucket_id, source_id, sealed_as) VALUES (v_blob, p_bucket_id, v_source, i.sealed_as)
                ON CONFLICT DO NOTHING;
        END IF;
        v_live := v_live || v_blob;
        IF i.what = 'o' THEN
            -- Of a key's null versions there is one: another that is here is none any more where the item comes from.
            WITH d AS (DELETE FROM objects x WHERE x.bucket_id = p_bucket_id AND x.key = i.key AND (x.ord = i.ord
                    OR (x.is_null AND x.ord <> 0 AND i.ord <> 0 AND (i."row" ->> 'is_null')::boolean)) RETURNING x.blob_id)
                SELECT array_agg(d.blob_id) INTO v_old FROM d;
            IF i."row" IS NOT NULL THEN
                o := json_populate_record(NULL::objects, i."row");
                o.blob_id := v_blob;
                INSERT INTO objects SELECT o.*;
            END IF;
        ELSIF i.what = 'u' THEN
            v_old := NULL;
            DELETE FROM uploads x WHERE x.bucket_id = p_bucket_id AND x.key = i.key AND x.upload_id = i.id;
            IF i."row" IS NOT NULL THEN
                u := json_populate_record(NULL::uploads, i."row");
                INSERT INTO uploads SELECT u.*;
            END IF;
        ELSE
            WITH d AS (DELETE FROM parts x WHERE x.bucket_id = p_bucket_id AND x.upload_id = i.id AND x.part_no = i.no
                RETURNING x.blob_id) SELECT array_agg(d.blob_id) INTO v_old FROM d;
            IF i."row" IS NOT NULL THEN
                p := json_populate_record(NULL::parts, i."row");
                p.blob_id := v_blob;
                INSERT INTO parts SELECT p.*;
            END IF;
        END IF;
        v_dead := v_dead || v_old;
    END LOOP;
    INSERT INTO dead_blobs (bucket_id, blob_id) SELECT DISTINCT p_bucket_id, d FROM unnest(v_dead) d
        WHERE d IS NOT NULL AND d <> ALL (array_remove(v_live, NULL)) ON CONFLICT DO NOTHING;
    UPDATE bucket_moving m SET seen_at = clock_timestamp(), scan = coalesce(p_scan, m.scan) WHERE m.bucket_id = p_bucket_id;
    PERFORM set_config('anvil.move', '', true);
    RETURN true;
END $$;

-- ---- the end, in both ----

-- What the primary global database said of the bucket, and of the move that this region knows of, is done here: p_home: it
-- is at home here; p_state: the move's ('' = there is none of that id); p_freeze_no: how often it was frozen by then, so
-- that what was said before a later freeze does not thaw it. Gives the state that it is in then; '' = none.
CREATE FUNCTION bucket_move_settle(p_bucket_id uuid, p_move_id uuid, p_home boolean, p_state text, p_freeze_no int,
    p_versioning text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    m bucket_moving;
BEGIN
    PERFORM pg_advisory_xact_lock(uuid_hash_extended(p_bucket_id, 4242));
    SELECT * INTO m FROM bucket_moving x WHERE x.bucket_id = p_bucket_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN '';
    ELSIF m.move_id <> p_move_id THEN
        RETURN m.state;
    END IF;
    IF m.state IN ('out', 'frozen') AND NOT p_home THEN
        DELETE FROM bucket_changes c WHERE c.bucket_id = p_bucket_id;
        UPDATE bucket_moving x SET state = 'gone', since = clock_timestamp(), leftovers = true WHERE x.bucket_id = p_bucket_id;
        RETURN 'gone';
    ELSIF m.state IN ('out', 'frozen') AND p_state IN ('cancelled', '') THEN
        DELETE FROM bucket_changes c WHERE c.bucket_id = p_bucket_id;
        DELETE FROM bucket_moving x WHERE x.bucket_id = p_bucket_id;
        RETURN '';
    ELSIF m.state = 'frozen' AND p_state = 'copying' AND m.freeze_no <= p_freeze_no THEN
        UPDATE bucket_moving x SET state = 'out', since = clock_timestamp() WHERE x.bucket_id = p_bucket_id;
        RETURN 'out';
    ELSIF m.state = 'in' AND p_home AND p_state = 'done' THEN
        PERFORM set_config('anvil.move', 'apply', true);
        UPDATE bucket_fences f SET versioning = nullif(left(p_versioning, 1), '')::"char" WHERE f.bucket_id = p_bucket_id;
        PERFORM set_config('anvil.move', '', true);
        DELETE FROM bucket_moving x WHERE x.bucket_id = p_bucket_id;
        RETURN '';
    ELSIF m.state = 'in' AND NOT p_home AND p_state IN ('cancelled', 'done', '') THEN
        UPDATE bucket_moving x SET state = 'gone', since = clock_timestamp(), leftovers = true, holder = NULL
            WHERE x.bucket_id = p_bucket_id;
        RETURN 'gone';
    END IF;
    RETURN m.state;
END $$;
