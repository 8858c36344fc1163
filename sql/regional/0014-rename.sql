-- SPDX-License-Identifier: Apache-2.0
-- Another key for an object: its row moves, its bytes do not.

-- In a bucket that never had versions. The object keeps all it has, its time too. p_etag, p_mtime: of the source as it was
-- looked at. p_cond, p_cond_etag: of the destination, as of object_place, whose object is replaced.
--
-- 0 done, 2 the fence is closed, 3 the condition does not hold, 4 the source is not there any more, or is another, 7 the
-- bucket has versions, 8 there is no destination for the condition.
--
-- The rows are locked in the order of hashtext(key), as by everybody who takes several. A destination that is not there is
-- put there first: so no other first write of that key can come between, and none fails for it.
CREATE FUNCTION object_rename(p_bucket_id uuid, p_from text, p_to text, p_etag text, p_mtime timestamptz, p_cond int,
    p_cond_etag text) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_closed boolean;
    v_versioning "char";
    v_key text;
    v_etag text;
    v_made boolean := false;
    v_there boolean := false;
    v_same boolean := false;
    v_outcome int := 0;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed'
        OR pg_advisory_xact_lock_shared(uuid_hash_extended(p_bucket_id, 4242)) IS NULL THEN
        RAISE EXCEPTION 'a bucket''s fence can be joined under READ COMMITTED only'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    SELECT f.closed_at IS NOT NULL, f.versioning INTO v_closed, v_versioning FROM bucket_fences f WHERE f.bucket_id = p_bucket_id;
    IF v_closed IS DISTINCT FROM false THEN -- without a fence nothing was ever put
        RETURN CASE WHEN v_closed THEN 2 ELSE 4 END;
    ELSIF v_versioning IS NOT NULL THEN
        RETURN 7;
    END IF;
    FOR v_key IN SELECT k FROM unnest(ARRAY[p_from, p_to]) k ORDER BY hashtext(k), k COLLATE "C" LOOP
        IF v_key = p_from THEN
            PERFORM FROM objects o WHERE o.bucket_id = p_bucket_id AND o.key = p_from AND o.ord = 0
                AND o.etag = p_etag AND o.mtime = p_mtime FOR UPDATE;
            v_same := FOUND;
            CONTINUE;
        END IF;
        LOOP
            INSERT INTO objects (bucket_id, key, size, mtime, etag, legal_hold) VALUES (p_bucket_id, p_to, 0, p_mtime, '', false)
                ON CONFLICT DO NOTHING;
            v_made := FOUND;
            EXIT WHEN v_made;
            SELECT o.etag INTO v_etag FROM objects o WHERE o.bucket_id = p_bucket_id AND o.key = p_to AND o.ord = 0 FOR UPDATE;
            v_there := FOUND;
            EXIT WHEN v_there; -- else it went away in between
        END LOOP;
    END LOOP;
    IF NOT v_same THEN
        v_outcome := 4;
    ELSIF p_cond = 2 AND NOT v_there THEN
        v_outcome := 8;
    ELSIF v_there AND (p_cond = 1 OR (p_cond = 2 AND p_cond_etag <> '*' AND p_cond_etag <> v_etag)) THEN
        v_outcome := 3;
    END IF;
    IF v_made OR v_outcome = 0 THEN
        DELETE FROM objects o WHERE o.bucket_id = p_bucket_id AND o.key = p_to AND o.ord = 0;
    END IF;
    IF v_outcome = 0 THEN
        UPDATE objects o SET key = p_to WHERE o.bucket_id = p_bucket_id AND o.key = p_from AND o.ord = 0;
    END IF;
    RETURN v_outcome;
END $$;
