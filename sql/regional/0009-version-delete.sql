-- SPDX-License-Identifier: Apache-2.0
-- Deleting where there are versions and locks, listing versions, and the state
-- of versioning that the fence carries.

-- Only after the primary global database said that the bucket is there, and
-- whether it has versions: see meta/fence.c. true = open. A closed fence stays closed.
DROP FUNCTION bucket_fence_open(uuid);
CREATE FUNCTION bucket_fence_open(p_bucket_id uuid, p_versioning text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO bucket_fences (bucket_id, versioning) VALUES (p_bucket_id, nullif(left(p_versioning, 1), '')::"char")
        ON CONFLICT DO NOTHING;
    RETURN (SELECT f.closed_at IS NULL FROM bucket_fences f WHERE f.bucket_id = p_bucket_id);
END $$;

-- 'Enabled' or 'Suspended', from the next write on: waits for those under way. false = the fence is closed.
CREATE FUNCTION bucket_fence_versioning(p_bucket_id uuid, p_versioning text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_closed boolean;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a bucket''s fence can be changed under READ COMMITTED only'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM pg_advisory_xact_lock(uuid_hash_extended(p_bucket_id, 4242));
    INSERT INTO bucket_fences AS f (bucket_id, versioning) VALUES (p_bucket_id, left(p_versioning, 1)::"char")
        ON CONFLICT (bucket_id) DO UPDATE SET versioning = excluded.versioning
        WHERE f.closed_at IS NULL;
    RETURN FOUND;
END $$;

-- May this version be deleted? Not under a legal hold, nor before its retention is over, which only governance lets be passed.
CREATE FUNCTION object_is_locked(p_mode "char", p_until timestamptz, p_hold boolean, p_bypass boolean) RETURNS boolean
LANGUAGE sql VOLATILE AS $$
    SELECT p_hold OR (p_mode IS NOT NULL AND p_until > clock_timestamp() AND NOT (p_mode = 'G' AND p_bypass))
$$;

-- Where "null" is, for whoever looks for one version: null = nowhere.
CREATE FUNCTION object_null_ord(p_bucket_id uuid, p_key text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT o.ord FROM objects o WHERE o.bucket_id = p_bucket_id AND o.key = p_key AND o.is_null AND o.ord <> 0),
        (SELECT o.ord FROM objects o WHERE o.bucket_id = p_bucket_id AND o.key = p_key AND o.ord = 0))
$$;

-- What a delete did: outcome 0 done, 2 the fence is closed, 3 the condition does
-- not hold, 4 there was nothing, 5 a lock forbids it. placed: a marker was put
-- there, which ord names; else ord, is_null and is_marker are the deleted row's.
CREATE TYPE object_removed AS (outcome int, placed boolean, ord bigint, is_null boolean, is_marker boolean);

-- Deletes one version of a key (which: 1 "null", 2 that of p_ord), or the key (0):
-- for good in a bucket without versions, by a delete marker in others.
--
-- The conditions are about the row that is named, or about the current one; those
-- that are null are not asked. An etag of '*' is any. A delete marker is not there.
CREATE FUNCTION object_remove(p_bucket_id uuid, p_key text, p_which int, p_ord bigint, p_etag text, p_mtime timestamptz,
    p_size bigint, p_bypass boolean, p_owner text) RETURNS object_removed LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    c_conditional CONSTANT boolean := p_etag IS NOT NULL OR p_mtime IS NOT NULL OR p_size IS NOT NULL;
    v_versioning "char";
    v_closed boolean;
    v_there boolean;
    v_ord bigint;
    o objects;
    placed object_placed;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed'
        OR pg_advisory_xact_lock_shared(uuid_hash_extended(p_bucket_id, 4242)) IS NULL THEN
        RAISE EXCEPTION 'a bucket''s fence can be joined under READ COMMITTED only'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    SELECT f.closed_at IS NOT NULL, f.versioning INTO v_closed, v_versioning FROM bucket_fences f WHERE f.bucket_id = p_bucket_id;
    IF v_closed IS DISTINCT FROM false THEN -- without a fence nothing was ever put
        RETURN ROW(CASE WHEN v_closed THEN 2 WHEN c_conditional THEN 4 ELSE 1 END, false, NULL, NULL, NULL)::object_removed;
    END IF;
    IF v_versioning IS NOT NULL THEN
        PERFORM object_key_lock(p_bucket_id, p_key);
    END IF;
    IF p_which = 0 THEN
        SELECT * INTO o FROM objects x WHERE x.bucket_id = p_bucket_id AND x.key = p_key
            ORDER BY x.bucket_id, x.key, x.ord LIMIT 1 FOR UPDATE;
    ELSE
        v_ord := CASE p_which WHEN 1 THEN object_null_ord(p_bucket_id, p_key) ELSE p_ord END;
        SELECT * INTO o FROM objects x WHERE x.bucket_id = p_bucket_id AND x.key = p_key AND x.ord = v_ord
            AND x.is_null = (p_which = 1) FOR UPDATE;
    END IF;
    v_there := FOUND;
    IF c_conditional THEN
        IF NOT v_there OR (p_which = 0 AND o.is_marker) THEN
            RETURN ROW(4, false, NULL, NULL, NULL)::object_removed;
        ELSIF (p_etag <> '*' AND p_etag <> o.etag) OR p_size <> o.size
            OR date_trunc('seconds', p_mtime) <> date_trunc('seconds', o.mtime) THEN
            RETURN ROW(3, false, o.ord, o.is_null, o.is_marker)::object_removed;
        END IF;
    END IF;
    IF p_which = 0 AND v_versioning IS NOT NULL THEN
        o := NULL;
        o.bucket_id := p_bucket_id; o.key := p_key; o.size := 0; o.etag := ''; o.is_marker := true; o.legal_hold := false;
        o.owner_id := p_owner;
        placed := object_place_version(o, v_versioning, 0, NULL);
        RETURN ROW(0, true, placed.ord, placed.is_null, true)::object_removed;
    ELSIF NOT v_there THEN
        RETURN ROW(4, false, NULL, NULL, NULL)::object_removed;
    ELSIF object_is_locked(o.lock_mode, o.retain_until, o.legal_hold, p_bypass) THEN
        RETURN ROW(5, false, o.ord, o.is_null, o.is_marker)::object_removed;
    END IF;
    DELETE FROM objects x WHERE x.bucket_id = p_bucket_id AND x.key = p_key AND x.ord = o.ord;
    RETURN ROW(0, false, o.ord, o.is_null, o.is_marker)::object_removed;
END $$;
DROP FUNCTION object_delete(uuid, text, int, text);

-- The same for many, in one transaction. Six texts each: key, which, ord, etag,
-- time (microseconds since 1970), size; '' for what is not asked. The order of the
-- locks is that of hashtext(key), for everybody who takes several.
CREATE FUNCTION object_remove_many(p_bucket_id uuid, p_items text[], p_bypass boolean[], p_owner text)
RETURNS TABLE (item int, outcome int, placed boolean, ord bigint, is_null boolean, is_marker boolean)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    r object_removed;
    v_key text;
BEGIN
    FOR item, v_key IN
        SELECT i, p_items[6 * i + 1] FROM generate_series(0, cardinality(p_items) / 6 - 1) i
        ORDER BY hashtext(p_items[6 * i + 1]), p_items[6 * i + 1] COLLATE "C", i
    LOOP
        r := object_remove(p_bucket_id, v_key, p_items[6 * item + 2]::int, nullif(p_items[6 * item + 3], '')::bigint,
            nullif(p_items[6 * item + 4], ''), to_timestamp(nullif(p_items[6 * item + 5], '')::bigint / 1000000),
            nullif(p_items[6 * item + 6], '')::bigint, p_bypass[item + 1], p_owner);
        outcome := r.outcome; placed := r.placed; ord := r.ord; is_null := r.is_null; is_marker := r.is_marker;
        RETURN NEXT;
    END LOOP;
END $$;

-- How long a version is kept; null mode and time: no longer. Outcome 0 done, 4
-- there is no such version, 5 the lock that is there forbids it, 6 it is a marker.
-- What is kept may always be kept longer; less, or otherwise, only under
-- governance and by whoever may bypass it.
CREATE FUNCTION object_retain(p_bucket_id uuid, p_key text, p_which int, p_ord bigint, p_mode text, p_until timestamptz,
    p_bypass boolean) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_ord bigint := CASE p_which WHEN 1 THEN object_null_ord(p_bucket_id, p_key) ELSE p_ord END;
    o record;
BEGIN
    SELECT x.ord, x.is_null, x.is_marker, x.lock_mode, x.retain_until INTO o FROM objects x
        WHERE x.bucket_id = p_bucket_id AND x.key = p_key AND (p_which = 0 OR x.ord = v_ord)
        ORDER BY x.bucket_id, x.key, x.ord LIMIT 1 FOR UPDATE;
    IF NOT FOUND OR (p_which <> 0 AND o.is_null <> (p_which = 1)) THEN
        RETURN 4;
    ELSIF o.is_marker THEN
        RETURN 6;
    ELSIF object_is_locked(o.lock_mode, o.retain_until, false, p_bypass)
        AND (p_mode IS DISTINCT FROM o.lock_mode::text OR p_until IS NULL OR p_until < o.retain_until) THEN
        RETURN 5;
    END IF;
    UPDATE objects x SET lock_mode = p_mode::"char", retain_until = p_until
        WHERE x.bucket_id = p_bucket_id AND x.key = p_key AND x.ord = o.ord;
    RETURN 0;
END $$;

-- Outcomes as of object_retain.
CREATE FUNCTION object_hold(p_bucket_id uuid, p_key text, p_which int, p_ord bigint, p_hold boolean) RETURNS int
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_ord bigint := CASE p_which WHEN 1 THEN object_null_ord(p_bucket_id, p_key) ELSE p_ord END;
    o record;
BEGIN
    SELECT x.ord, x.is_null, x.is_marker INTO o FROM objects x
        WHERE x.bucket_id = p_bucket_id AND x.key = p_key AND (p_which = 0 OR x.ord = v_ord)
        ORDER BY x.bucket_id, x.key, x.ord LIMIT 1 FOR UPDATE;
    IF NOT FOUND OR (p_which <> 0 AND o.is_null <> (p_which = 1)) THEN
        RETURN 4;
    ELSIF o.is_marker THEN
        RETURN 6;
    END IF;
    UPDATE objects x SET legal_hold = p_hold WHERE x.bucket_id = p_bucket_id AND x.key = p_key AND x.ord = o.ord;
    RETURN 0;
END $$;

-- One page of versions: at most p_max entries behind p_after (all of its versions
-- when p_which is 0, else behind that version), in the order of keys and, of one
-- key, the newest first. Probes behind a common prefix and reads in growing runs
-- elsewhere, as object_list does: see 0004 for why, and for the settings.
CREATE FUNCTION object_list_versions(p_bucket_id uuid, p_prefix text, p_delimiter text, p_after text, p_which int, p_ord bigint,
    p_max int)
RETURNS TABLE (is_prefix boolean, key text, ord bigint, is_null boolean, is_marker boolean, is_latest boolean, size bigint,
    mtime timestamptz, etag text, checksums bytea, storage_class text, owner_id text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_sort = off SET jit = off AS $$
DECLARE
    c_before CONSTANT bigint := -9223372036854775808; -- no version has it
    v_end CONSTANT text COLLATE "C" := coalesce(text_after_prefix(p_prefix), repeat(chr(1114111), 257));
    v_from text COLLATE "C" := p_prefix; -- the next entry is behind (v_from, v_ord)
    v_ord bigint := c_before;
    v_last text COLLATE "C" := ''; -- a version of this key was before
    v_run int := CASE WHEN p_delimiter = '' THEN p_max ELSE 1 END;
    v_read int;
    v_found int := 0;
    v_at int;
    r record;
BEGIN
    IF p_max <= 0 THEN
        RETURN;
    END IF;
    IF p_after COLLATE "C" >= p_prefix THEN
        v_at := CASE WHEN p_delimiter <> '' AND starts_with(p_after, p_prefix)
            THEN strpos(substr(p_after, length(p_prefix) + 1), p_delimiter) ELSE 0 END;
        IF v_at > 0 THEN -- a common prefix that covers p_after was in an earlier page
            v_from := text_after_prefix(left(p_after, length(p_prefix) + v_at - 1 + length(p_delimiter)));
        ELSE
            v_from := p_after;
            v_ord := CASE p_which WHEN 0 THEN NULL WHEN 1 THEN object_null_ord(p_bucket_id, p_after) ELSE p_ord END;
            IF v_ord IS NULL OR p_after = '' THEN
                v_from := CASE WHEN p_after = '' THEN p_prefix ELSE p_after || chr(1) END;
                v_ord := c_before;
            ELSIF EXISTS (SELECT FROM objects o WHERE o.bucket_id = p_bucket_id AND o.key = p_after AND o.ord <= v_ord) THEN
                v_last := p_after;
            END IF;
        END IF;
    END IF;
    WHILE v_from < v_end AND v_found < p_max LOOP -- null ends it too
        v_read := 0;
        v_at := 0;
        FOR r IN
            SELECT o.key, o.ord, o.is_null, o.is_marker, o.size, o.mtime, o.etag, o.checksums, o.storage_class, o.owner_id
            FROM objects o
            WHERE o.bucket_id = p_bucket_id AND (o.key, o.ord) > (v_from, v_ord) AND o.key < v_end
            ORDER BY o.bucket_id, o.key, o.ord LIMIT v_run
        LOOP
            v_read := v_read + 1;
            v_at := CASE WHEN p_delimiter = '' THEN 0 ELSE strpos(substr(r.key, length(p_prefix) + 1), p_delimiter) END;
            is_prefix := v_at > 0;
            v_found := v_found + 1;
            IF is_prefix THEN
                key := left(r.key, length(p_prefix) + v_at - 1 + length(p_delimiter));
                ord := NULL; is_null := NULL; is_marker := NULL; is_latest := NULL; size := NULL; mtime := NULL; etag := NULL;
                checksums := NULL; storage_class := NULL; owner_id := NULL;
                RETURN NEXT;
                EXIT;
            END IF;
            key := r.key; ord := r.ord; is_null := r.is_null; is_marker := r.is_marker; is_latest := r.key <> v_last;
            size := r.size; mtime := r.mtime; etag := r.etag; checksums := r.checksums; storage_class := r.storage_class;
            owner_id := r.owner_id;
            RETURN NEXT;
            v_last := r.key; v_from := r.key; v_ord := r.ord;
        END LOOP;
        IF v_at > 0 THEN
            v_from := text_after_prefix(key);
            v_ord := c_before;
            v_run := 1;
            CONTINUE;
        END IF;
        EXIT WHEN v_read < v_run;
        v_run := least(v_run * 2, p_max - v_found);
    END LOOP;
END $$;
