-- SPDX-License-Identifier: Apache-2.0
-- Versions of objects, what is kept beside their bytes, and the one function
-- that puts an object in its place.
--
-- Whether a bucket has versions is said by its fence, as whether it may be
-- written at all: every writer reads that row anyway, and a change of it waits
-- for the writers under way. So no write lands in the wrong state, however old
-- what its worker believes.

-- null: never had versioning; 'E' enabled, 'S' suspended.
ALTER TABLE bucket_fences ADD COLUMN versioning "char";

ALTER TABLE objects
    ADD COLUMN tags          text,                          -- form-urlencoded, as x-amz-tagging has them; null: none
    ADD COLUMN acl           text COLLATE "C",              -- a canned one; null: private
    ADD COLUMN sse           bytea,                         -- how the bytes are encrypted; null: they are not
    ADD COLUMN lock_mode     "char",                        -- 'G' governance, 'C' compliance
    ADD COLUMN retain_until  timestamptz,
    ADD COLUMN legal_hold    boolean NOT NULL DEFAULT false,
    ADD COLUMN parts_count   int;                           -- null: not uploaded in parts
ALTER TABLE uploads
    ADD COLUMN tags          text,
    ADD COLUMN acl           text COLLATE "C",
    ADD COLUMN sse           bytea,
    ADD COLUMN lock_mode     "char",
    ADD COLUMN retain_until  timestamptz,
    ADD COLUMN legal_hold    boolean NOT NULL DEFAULT false;

-- The null version of a key that has others. That of a bucket that never had
-- versioning has ord 0 and needs no second index.
CREATE UNIQUE INDEX objects_null ON objects (bucket_id, key) WHERE is_null AND ord <> 0;

-- outcome: 0 done, 1 the bucket has no fence yet, 2 its fence is closed, 3 the
-- condition does not hold, 4 there is no such object. The others: see objects.
CREATE TYPE object_placed AS (outcome int, mtime timestamptz, ord bigint, is_null boolean);

-- Writers of a key that has versions wait for one another here, to the end of
-- their transactions; so ord counts in the order of commits and a condition has
-- one winner. A space of numbers apart from the fences' locks. Whoever takes
-- several in one transaction takes them in the order of hashtext(key).
CREATE FUNCTION object_key_lock(p_bucket_id uuid, p_key text) RETURNS void LANGUAGE sql VOLATILE AS $$
    SELECT pg_advisory_xact_lock(uuid_hash(p_bucket_id), hashtext(p_key))
$$;

-- The part of object_place where there are versions: the fence is joined.
CREATE FUNCTION object_place_version(p objects, p_versioning "char", p_cond int, p_cond_etag text) RETURNS object_placed
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now timestamptz;
    v_ord bigint;
    v_etag text;
    v_marker boolean;
    v_there boolean;
BEGIN
    PERFORM object_key_lock(p.bucket_id, p.key);
    SELECT o.ord, o.etag, o.is_marker INTO v_ord, v_etag, v_marker FROM objects o
        WHERE o.bucket_id = p.bucket_id AND o.key = p.key ORDER BY o.bucket_id, o.key, o.ord LIMIT 1;
    v_there := FOUND AND NOT v_marker;
    IF p_cond = 1 AND v_there THEN
        RETURN ROW(3, NULL, NULL, NULL)::object_placed;
    ELSIF p_cond = 2 AND NOT v_there THEN
        RETURN ROW(4, NULL, NULL, NULL)::object_placed;
    ELSIF p_cond = 2 AND p_cond_etag <> '*' AND p_cond_etag <> v_etag THEN
        RETURN ROW(3, NULL, NULL, NULL)::object_placed;
    END IF;
    v_now := clock_timestamp();
    p.mtime := date_trunc('milliseconds', v_now);
    p.ord := least(coalesce(v_ord, 0) - 1, -(extract(epoch FROM v_now) * 1000000)::bigint);
    p.is_null := p_versioning <> 'E';
    IF p.is_null THEN -- it takes the place of the one that "null" named, wherever that lies
        DELETE FROM objects o WHERE o.bucket_id = p.bucket_id AND o.key = p.key AND o.ord = 0 AND o.is_null;
        DELETE FROM objects o WHERE o.bucket_id = p.bucket_id AND o.key = p.key AND o.is_null AND o.ord <> 0;
    END IF;
    INSERT INTO objects SELECT p.*;
    RETURN ROW(0, p.mtime, p.ord, p.is_null)::object_placed;
END $$;

-- Puts an object, or a delete marker, in its place as the newest version of its
-- key, in the caller's transaction: joins the fence, checks the condition, lets
-- go of what it replaces. Of p all is taken but ord, mtime and is_null, which
-- are given here; columns that are NOT NULL must be there.
--
-- cond: 0 none, 1 only if the key is not there (If-None-Match: *), 2 only if
-- it is there with this etag, '*' = any (If-Match); a delete marker is not
-- there. Exactly one of any number of racing conditional writers wins: the
-- unique index (1), the row's lock (2) or the key's (versions) makes them wait
-- for one another. Nothing here raises and catches a unique violation, so no
-- call needs a subtransaction.
--
-- The form is what makes it quick: see object_put in 0003, whose successor it is.
CREATE FUNCTION object_place(p objects, p_cond int, p_cond_etag text) RETURNS object_placed LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_closed boolean;
    v_versioning "char";
    v_etag text;
BEGIN
    -- The lock's void result is never null: it is the call that counts.
    IF current_setting('transaction_isolation') <> 'read committed'
        OR pg_advisory_xact_lock_shared(uuid_hash_extended(p.bucket_id, 4242)) IS NULL THEN
        RAISE EXCEPTION 'a bucket''s fence can be joined under READ COMMITTED only'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    p.mtime := date_trunc('milliseconds', clock_timestamp());
    p.ord := 0;
    p.is_null := true;
    LOOP
        IF p_cond <> 2 THEN
            INSERT INTO objects AS o SELECT p.* FROM bucket_fences f
                WHERE f.bucket_id = p.bucket_id AND f.closed_at IS NULL AND f.versioning IS NULL
                ON CONFLICT (bucket_id, key, ord) DO UPDATE SET
                    size = excluded.size, mtime = excluded.mtime, etag = excluded.etag, checksums = excluded.checksums,
                    headers = excluded.headers, storage_class = excluded.storage_class, owner_id = excluded.owner_id,
                    blob_id = excluded.blob_id, data = excluded.data, parts_id = excluded.parts_id,
                    is_marker = excluded.is_marker, tags = excluded.tags, acl = excluded.acl, sse = excluded.sse,
                    lock_mode = excluded.lock_mode, retain_until = excluded.retain_until,
                    legal_hold = excluded.legal_hold, parts_count = excluded.parts_count
                WHERE p_cond <> 1;
            IF FOUND THEN
                RETURN ROW(0, p.mtime, p.ord, p.is_null)::object_placed;
            END IF;
        END IF;
        SELECT f.closed_at IS NOT NULL, f.versioning INTO v_closed, v_versioning FROM bucket_fences f
            WHERE f.bucket_id = p.bucket_id;
        IF v_closed IS DISTINCT FROM false THEN
            RETURN ROW(CASE WHEN v_closed THEN 2 ELSE 1 END, NULL, NULL, NULL)::object_placed;
        ELSIF v_versioning IS NOT NULL THEN
            RETURN object_place_version(p, v_versioning, p_cond, p_cond_etag);
        ELSIF p_cond = 2 THEN
            SELECT o.etag INTO v_etag FROM objects o
                WHERE o.bucket_id = p.bucket_id AND o.key = p.key AND o.ord = 0 FOR UPDATE;
            IF NOT FOUND THEN
                RETURN ROW(4, NULL, NULL, NULL)::object_placed;
            ELSIF p_cond_etag <> '*' AND p_cond_etag <> v_etag THEN
                RETURN ROW(3, NULL, NULL, NULL)::object_placed;
            END IF;
            p_cond := 0; -- it holds, and the row is ours
        ELSIF p_cond = 1 AND EXISTS (SELECT FROM objects o
                WHERE o.bucket_id = p.bucket_id AND o.key = p.key AND o.ord = 0) THEN
            RETURN ROW(3, NULL, NULL, NULL)::object_placed;
        END IF;
        -- Open, and nothing in the way: since the INSERT's snapshot another first
        -- write opened the fence, or the key that was in the way was deleted. Again.
    END LOOP;
END $$;

-- What one PutObject does: object_place for a row that is not made of parts.
DROP FUNCTION object_put(uuid, text, bigint, text, bytea, bytea, text, text, uuid, bytea, int, text);
CREATE FUNCTION object_put(
    p_bucket_id uuid, p_key text, p_size bigint, p_etag text, p_checksums bytea, p_headers bytea,
    p_storage_class text, p_owner_id text, p_blob_id uuid, p_data bytea, p_tags text, p_acl text, p_sse bytea,
    p_lock_mode text, p_retain_until timestamptz, p_legal_hold boolean, p_cond int, p_cond_etag text)
RETURNS object_placed LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    o objects;
BEGIN
    o.bucket_id := p_bucket_id; o.key := p_key; o.size := p_size; o.etag := p_etag; o.checksums := p_checksums;
    o.headers := p_headers; o.storage_class := p_storage_class; o.owner_id := p_owner_id; o.blob_id := p_blob_id;
    o.data := p_data; o.tags := p_tags; o.acl := p_acl; o.sse := p_sse; o.lock_mode := p_lock_mode;
    o.retain_until := p_retain_until; o.legal_hold := p_legal_hold; o.is_marker := false;
    RETURN object_place(o, p_cond, p_cond_etag);
END $$;
