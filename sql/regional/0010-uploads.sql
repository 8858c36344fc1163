-- SPDX-License-Identifier: Apache-2.0
-- Uploads in parts: one call is one statement and one transaction.
--
-- Who writes a part, ends an upload, or makes it an object first joins the
-- bucket's fence and then takes the upload's advisory lock, parts shared, the
-- others alone, to the end of the transaction. So a part is in the upload before
-- it ends or finds that it has ended, and of Complete and Abort one comes first.
-- Both then read in a NEW statement, for the reasons that 0002 gives. Whoever
-- holds a fence alone needs no upload's lock.
--
-- Outcomes: 0 done, 1 the bucket has no fence yet, 2 its fence is closed, 3 and 4
-- as of object_place, 7 there is no such upload, 8 the parts are not as they
-- were said to be.

CREATE INDEX uploads_started ON uploads (started_at);
-- "Which object did this upload become?" for a Complete that is asked again.
CREATE INDEX objects_parts ON objects (parts_id) WHERE parts_id IS NOT NULL;
-- A range begins with one descent, among however many parts.
CREATE INDEX parts_first_byte ON parts (bucket_id, upload_id, first_byte) WHERE first_byte IS NOT NULL;

-- Many parts die at once: one statement for all of their blobs.
CREATE FUNCTION part_blobs_died() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dead_blobs (bucket_id, blob_id) SELECT d.bucket_id, d.blob_id FROM died d WHERE d.blob_id IS NOT NULL
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
DROP TRIGGER parts_blob_deleted ON parts;
CREATE TRIGGER parts_blob_deleted AFTER DELETE ON parts REFERENCING OLD TABLE AS died
    FOR EACH STATEMENT EXECUTE FUNCTION part_blobs_died();

CREATE FUNCTION upload_lock(p_upload_id uuid) RETURNS void LANGUAGE sql VOLATILE AS $$
    SELECT pg_advisory_xact_lock(uuid_hash_extended(p_upload_id, 4243))
$$;

CREATE FUNCTION upload_create(p_bucket_id uuid, p_upload_id uuid, p_key text, p_checksums bytea, p_headers bytea,
    p_storage_class text, p_owner_id text, p_tags text, p_acl text, p_sse bytea, p_lock_mode text, p_retain_until timestamptz,
    p_legal_hold boolean) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_outcome int := bucket_fence_join(p_bucket_id);
BEGIN
    IF v_outcome = 0 THEN
        INSERT INTO uploads (bucket_id, upload_id, key, started_at, checksums, headers, storage_class, owner_id, tags, acl,
                sse, lock_mode, retain_until, legal_hold)
            VALUES (p_bucket_id, p_upload_id, p_key, clock_timestamp(), p_checksums, p_headers, p_storage_class, p_owner_id,
                p_tags, p_acl, p_sse, p_lock_mode::"char", p_retain_until, p_legal_hold);
    END IF;
    RETURN v_outcome;
END $$;

-- Stores a part, or replaces it: the trigger puts the blob that it had on the dead list.
CREATE FUNCTION upload_part(p_bucket_id uuid, p_key text, p_upload_id uuid, p_part_no int, p_size bigint, p_blob_id uuid,
    p_etag text, p_checksums bytea, p_data bytea) RETURNS TABLE (outcome int, mtime timestamptz) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_mtime CONSTANT timestamptz := date_trunc('milliseconds', clock_timestamp());
BEGIN
    outcome := bucket_fence_join(p_bucket_id);
    IF outcome = 1 THEN
        outcome := 7;
    ELSIF outcome = 0 THEN
        PERFORM pg_advisory_xact_lock_shared(uuid_hash_extended(p_upload_id, 4243));
        INSERT INTO parts AS p (bucket_id, upload_id, part_no, size, mtime, blob_id, etag, checksums, data)
            SELECT p_bucket_id, p_upload_id, p_part_no, p_size, v_mtime, p_blob_id, p_etag, p_checksums, p_data FROM uploads u
            WHERE u.bucket_id = p_bucket_id AND u.key = p_key AND u.upload_id = p_upload_id
            ON CONFLICT (bucket_id, upload_id, part_no) DO UPDATE SET
                size = excluded.size, mtime = excluded.mtime, blob_id = excluded.blob_id, etag = excluded.etag,
                checksums = excluded.checksums, data = excluded.data;
        outcome := CASE WHEN FOUND THEN 0 ELSE 7 END;
        mtime := v_mtime;
    END IF;
    RETURN NEXT;
END $$;

-- Makes the listed parts an object, and lets go of those that were not listed.
-- What depends on their bytes (etag, checksums) was computed from rows that were
-- read before; that they are still those is checked here, by their etags.
--
-- Everything is done to sets: 10,000 parts are four statements. The planner must
-- not loop over them in pairs, which without statistics it believes to be few.
CREATE FUNCTION upload_complete(p_bucket_id uuid, p_key text, p_upload_id uuid, p_nos int[], p_etags text[], p_etag text,
    p_checksums bytea, p_cond int, p_cond_etag text) RETURNS object_placed
LANGUAGE plpgsql VOLATILE SET enable_nestloop = off SET enable_seqscan = off SET jit = off AS $$
DECLARE
    v_outcome int := bucket_fence_join(p_bucket_id);
    u uploads;
    o objects;
    placed object_placed;
BEGIN
    IF v_outcome <> 0 THEN
        RETURN ROW(CASE v_outcome WHEN 1 THEN 7 ELSE v_outcome END, NULL, NULL, NULL)::object_placed;
    END IF;
    PERFORM upload_lock(p_upload_id);
    SELECT * INTO u FROM uploads x WHERE x.bucket_id = p_bucket_id AND x.key = p_key AND x.upload_id = p_upload_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN ROW(7, NULL, NULL, NULL)::object_placed;
    END IF;
    SELECT count(*), sum(p.size) INTO o.parts_count, o.size
        FROM unnest(p_nos, p_etags) AS l (part_no, etag) JOIN parts p USING (part_no)
        WHERE p.bucket_id = p_bucket_id AND p.upload_id = p_upload_id AND p.etag = l.etag;
    IF o.parts_count <> cardinality(p_nos) OR o.parts_count = 0 THEN
        RETURN ROW(8, NULL, NULL, NULL)::object_placed;
    END IF;
    o.bucket_id := p_bucket_id; o.key := p_key; o.parts_id := p_upload_id; o.etag := p_etag; o.checksums := p_checksums;
    o.headers := u.headers; o.storage_class := u.storage_class; o.owner_id := u.owner_id; o.tags := u.tags; o.acl := u.acl;
    o.sse := u.sse; o.lock_mode := u.lock_mode; o.retain_until := u.retain_until; o.legal_hold := u.legal_hold;
    o.is_marker := false;
    placed := object_place(o, p_cond, p_cond_etag);
    IF placed.outcome <> 0 THEN
        RETURN placed; -- nothing was changed, and the upload goes on
    END IF;
    DELETE FROM parts p WHERE p.bucket_id = p_bucket_id AND p.upload_id = p_upload_id
        AND NOT EXISTS (SELECT FROM unnest(p_nos) AS l (part_no) WHERE l.part_no = p.part_no);
    UPDATE parts p SET first_byte = w.first_byte
        FROM (SELECT q.part_no, (sum(q.size) OVER (ORDER BY q.part_no ROWS UNBOUNDED PRECEDING) - q.size)::bigint AS first_byte
            FROM parts q WHERE q.bucket_id = p_bucket_id AND q.upload_id = p_upload_id) w
        WHERE p.bucket_id = p_bucket_id AND p.upload_id = p_upload_id AND p.part_no = w.part_no;
    DELETE FROM uploads x WHERE x.bucket_id = p_bucket_id AND x.key = p_key AND x.upload_id = p_upload_id;
    RETURN placed;
END $$;

CREATE FUNCTION upload_abort(p_bucket_id uuid, p_key text, p_upload_id uuid) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_outcome int := bucket_fence_join(p_bucket_id);
BEGIN
    IF v_outcome = 1 THEN
        RETURN 7;
    ELSIF v_outcome <> 0 THEN
        RETURN v_outcome;
    END IF;
    PERFORM upload_lock(p_upload_id);
    DELETE FROM uploads x WHERE x.bucket_id = p_bucket_id AND x.key = p_key AND x.upload_id = p_upload_id;
    IF NOT FOUND THEN
        RETURN 7; -- its parts, if there are any, are an object's
    END IF;
    DELETE FROM parts p WHERE p.bucket_id = p_bucket_id AND p.upload_id = p_upload_id;
    RETURN 0;
END $$;

-- Uploads under way do not keep a bucket, they go with it: with the fence held
-- alone no part can come, and none of them can become an object afterwards.
CREATE OR REPLACE FUNCTION bucket_fence_close(p_bucket_id uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE
    SET enable_seqscan = off AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a bucket''s fence can be closed under READ COMMITTED only'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM pg_advisory_xact_lock(uuid_hash_extended(p_bucket_id, 4242));
    IF EXISTS (SELECT FROM objects o WHERE o.bucket_id = p_bucket_id) THEN
        RETURN false;
    END IF;
    DELETE FROM uploads u WHERE u.bucket_id = p_bucket_id;
    DELETE FROM parts p WHERE p.bucket_id = p_bucket_id;
    INSERT INTO bucket_fences AS f (bucket_id, closed_at) VALUES (p_bucket_id, now())
        ON CONFLICT (bucket_id) DO UPDATE SET closed_at = excluded.closed_at WHERE f.closed_at IS NULL;
    RETURN true;
END $$;

-- One page of uploads: at most p_max entries behind p_after, or, with an upload
-- of that key, behind it. In the order of keys, and of one key in that of their
-- ids, which begin with the time. Probes and runs as object_list does: see 0004.
CREATE FUNCTION upload_list(p_bucket_id uuid, p_prefix text, p_delimiter text, p_after text, p_after_upload uuid, p_max int)
RETURNS TABLE (is_prefix boolean, key text, upload_id uuid, started_at timestamptz, checksums bytea, storage_class text,
    owner_id text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_sort = off SET jit = off AS $$
DECLARE
    c_first CONSTANT uuid := '00000000-0000-0000-0000-000000000000'; -- no upload has it
    v_end CONSTANT text COLLATE "C" := coalesce(text_after_prefix(p_prefix), repeat(chr(1114111), 257));
    v_from text COLLATE "C" := p_prefix; -- the next entry is behind (v_from, v_upload)
    v_upload uuid := c_first;
    v_run int := CASE WHEN p_delimiter = '' THEN p_max ELSE 1 END;
    v_read int;
    v_found int := 0;
    v_at int;
    r record;
BEGIN
    IF p_max <= 0 THEN
        RETURN;
    END IF;
    IF p_after <> '' AND p_after COLLATE "C" >= p_prefix THEN
        v_at := CASE WHEN p_delimiter <> '' AND starts_with(p_after, p_prefix)
            THEN strpos(substr(p_after, length(p_prefix) + 1), p_delimiter) ELSE 0 END;
        IF v_at > 0 THEN -- a common prefix that covers p_after was in an earlier page
            v_from := text_after_prefix(left(p_after, length(p_prefix) + v_at - 1 + length(p_delimiter)));
        ELSE
            v_from := CASE WHEN p_after_upload IS NULL THEN p_after || chr(1) ELSE p_after END;
            v_upload := coalesce(p_after_upload, c_first);
        END IF;
    END IF;
    WHILE v_from < v_end AND v_found < p_max LOOP -- null ends it too
        v_read := 0;
        v_at := 0;
        FOR r IN
            SELECT u.key, u.upload_id, u.started_at, u.checksums, u.storage_class, u.owner_id FROM uploads u
            WHERE u.bucket_id = p_bucket_id AND (u.key, u.upload_id) > (v_from, v_upload) AND u.key < v_end
            ORDER BY u.bucket_id, u.key, u.upload_id LIMIT v_run
        LOOP
            v_read := v_read + 1;
            v_at := CASE WHEN p_delimiter = '' THEN 0 ELSE strpos(substr(r.key, length(p_prefix) + 1), p_delimiter) END;
            is_prefix := v_at > 0;
            v_found := v_found + 1;
            IF is_prefix THEN
                key := left(r.key, length(p_prefix) + v_at - 1 + length(p_delimiter));
                upload_id := NULL; started_at := NULL; checksums := NULL; storage_class := NULL; owner_id := NULL;
                RETURN NEXT;
                EXIT;
            END IF;
            key := r.key; upload_id := r.upload_id; started_at := r.started_at; checksums := r.checksums;
            storage_class := r.storage_class; owner_id := r.owner_id;
            RETURN NEXT;
            v_from := r.key; v_upload := r.upload_id;
        END LOOP;
        IF v_at > 0 THEN
            v_from := text_after_prefix(key);
            v_upload := c_first;
            v_run := 1;
            CONTINUE;
        END IF;
        EXIT WHEN v_read < v_run;
        v_run := least(v_run * 2, p_max - v_found);
    END LOOP;
END $$;
