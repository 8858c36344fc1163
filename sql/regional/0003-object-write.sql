-- SPDX-License-Identifier: Apache-2.0
-- Writing objects. One call is one statement and one transaction.
--
-- Outcomes: 0 done, 1 the bucket has no fence yet, 2 its fence is closed,
-- 3 the condition does not hold, 4 there is no such object.

-- Gives Last-Modified (microseconds since 1970, of whole milliseconds) when
-- the object is written, else minus the outcome.
--
-- cond: 0 none, 1 only if the key is not there (If-None-Match: *), 2 only if
-- it is there with this etag, '*' = any (If-Match). Exactly one of any number
-- of racing conditional writers wins: the unique index (1) or the row's lock (2)
-- makes them wait for one another. Nothing here raises and catches a unique
-- violation, so no call needs a subtransaction.
--
-- The form is what made it quick: the fence is joined as bucket_fence_join
-- does, but read by the INSERT itself, whose snapshot is taken after the lock
-- was got; IF and := are evaluated without the executor, which PERFORM is not;
-- and one number as the result spares the caller a function scan. Together they
-- halved what a call costs besides the INSERT.
CREATE FUNCTION object_put(
    p_bucket_id uuid, p_key text, p_size bigint, p_etag text, p_checksums bytea, p_headers bytea,
    p_storage_class text, p_owner_id text, p_blob_id uuid, p_data bytea, p_cond int, p_cond_etag text)
RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_mtime timestamptz;
    v_etag text;
    v_outcome int;
BEGIN
    -- The lock's void result is never null: it is the call that counts.
    IF current_setting('transaction_isolation') <> 'read committed'
        OR pg_advisory_xact_lock_shared(uuid_hash_extended(p_bucket_id, 4242)) IS NULL THEN
        RAISE EXCEPTION 'a bucket''s fence can be joined under READ COMMITTED only'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    IF p_cond = 2 THEN
        SELECT o.etag INTO v_etag FROM objects o
            WHERE o.bucket_id = p_bucket_id AND o.key = p_key AND o.ord = 0 FOR UPDATE;
        IF NOT FOUND THEN
            v_outcome := bucket_fence_join(p_bucket_id);
            RETURN -CASE v_outcome WHEN 0 THEN 4 ELSE v_outcome END;
        END IF;
        IF p_cond_etag <> '*' AND p_cond_etag <> v_etag THEN
            RETURN -3;
        END IF;
    END IF;
    v_mtime := date_trunc('milliseconds', clock_timestamp());
    LOOP
        INSERT INTO objects AS o (bucket_id, key, size, mtime, etag, checksums, headers, storage_class, owner_id, blob_id, data)
            SELECT p_bucket_id, p_key, p_size, v_mtime, p_etag, p_checksums, p_headers, p_storage_class, p_owner_id, p_blob_id,
                p_data
            FROM bucket_fences f WHERE f.bucket_id = p_bucket_id AND f.closed_at IS NULL
            ON CONFLICT (bucket_id, key, ord) DO UPDATE SET
                size = excluded.size, mtime = excluded.mtime, etag = excluded.etag, checksums = excluded.checksums,
                headers = excluded.headers, storage_class = excluded.storage_class, owner_id = excluded.owner_id,
                blob_id = excluded.blob_id, data = excluded.data, parts_id = NULL
            WHERE p_cond <> 1;
        EXIT WHEN FOUND;
        v_outcome := bucket_fence_join(p_bucket_id);
        IF v_outcome <> 0 THEN
            RETURN -v_outcome;
        END IF;
        IF p_cond = 1 AND EXISTS (SELECT FROM objects o WHERE o.bucket_id = p_bucket_id AND o.key = p_key AND o.ord = 0) THEN
            RETURN -3;
        END IF;
        -- Open, and nothing in the way: since the INSERT's snapshot another first
        -- write opened the fence, or the key that was in the way was deleted. Again.
    END LOOP;
    RETURN (extract(epoch FROM v_mtime) * 1000000)::bigint;
END $$;

-- Gives the outcome. cond: 0 none, 2 only with this etag, '*' = any.
CREATE FUNCTION object_delete(p_bucket_id uuid, p_key text, p_cond int, p_cond_etag text) RETURNS int
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_outcome int;
BEGIN
    v_outcome := bucket_fence_join(p_bucket_id);
    IF v_outcome <> 0 THEN
        RETURN v_outcome;
    END IF;
    DELETE FROM objects o WHERE o.bucket_id = p_bucket_id AND o.key = p_key AND o.ord = 0
        AND (p_cond <> 2 OR p_cond_etag = '*' OR p_cond_etag = o.etag);
    IF FOUND THEN
        RETURN 0;
    END IF;
    IF p_cond = 2 AND EXISTS (SELECT FROM objects o WHERE o.bucket_id = p_bucket_id AND o.key = p_key AND o.ord = 0) THEN
        RETURN 3;
    END IF;
    RETURN 4;
END $$;
