-- SPDX-License-Identifier: Apache-2.0
-- The fence of a bucket. Writers of objects join it, DeleteBucket closes it.
--
-- Joining by FOR SHARE would write the fence's row at every PUT and breed
-- multixacts, so it is done with an advisory lock on the bucket's id: writers
-- hold it shared, and DeleteBucket exclusively, to the end of their
-- transaction, which is after the commit became visible. Whoever has it reads
-- the fence in a NEW statement, hence with a snapshot taken after the lock was
-- got: under READ COMMITTED a writer that waited for DeleteBucket sees the
-- closed fence, and a DeleteBucket that waited for writers sees their objects.
-- Higher isolation levels keep one old snapshot and would break this, so they
-- are refused. Two ids with the same hash wait for one another, no more.

-- 0 = open: the caller may write in this transaction; 1 = there is no fence; 2 = closed.
CREATE FUNCTION bucket_fence_join(p_bucket_id uuid) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_closed boolean;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a bucket''s fence can be joined under READ COMMITTED only'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM pg_advisory_xact_lock_shared(uuid_hash_extended(p_bucket_id, 4242));
    SELECT f.closed_at IS NOT NULL INTO v_closed FROM bucket_fences f WHERE f.bucket_id = p_bucket_id;
    RETURN CASE v_closed WHEN false THEN 0 WHEN true THEN 2 ELSE 1 END;
END $$;

-- Only after the primary global database said that the bucket is there: see
-- meta/fence.c. true = open. A closed fence stays closed.
CREATE FUNCTION bucket_fence_open(p_bucket_id uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO bucket_fences (bucket_id) VALUES (p_bucket_id) ON CONFLICT DO NOTHING;
    RETURN (SELECT f.closed_at IS NULL FROM bucket_fences f WHERE f.bucket_id = p_bucket_id);
END $$;

-- true = closed, now or before; false = not empty. A fence that was never
-- opened is made closed, so that it never can be. Sequential scans are off
-- because statistics of a bucket that was full an hour ago recommend them.
CREATE FUNCTION bucket_fence_close(p_bucket_id uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE
    SET enable_seqscan = off AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a bucket''s fence can be closed under READ COMMITTED only'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM pg_advisory_xact_lock(uuid_hash_extended(p_bucket_id, 4242));
    IF EXISTS (SELECT FROM objects o WHERE o.bucket_id = p_bucket_id)
        OR EXISTS (SELECT FROM uploads u WHERE u.bucket_id = p_bucket_id) THEN
        RETURN false;
    END IF;
    INSERT INTO bucket_fences AS f (bucket_id, closed_at) VALUES (p_bucket_id, now())
        ON CONFLICT (bucket_id) DO UPDATE SET closed_at = excluded.closed_at WHERE f.closed_at IS NULL;
    RETURN true;
END $$;

-- What no statement may do, by whatever program: open a closed fence, or forget one.
CREATE FUNCTION bucket_fence_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a bucket''s fence, once closed, stays closed and is never removed'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER bucket_fence_stays_closed BEFORE UPDATE ON bucket_fences FOR EACH ROW
    WHEN (OLD.bucket_id <> NEW.bucket_id OR (OLD.closed_at IS NOT NULL AND NEW.closed_at IS NULL))
    EXECUTE FUNCTION bucket_fence_guard();
CREATE TRIGGER bucket_fence_is_kept BEFORE DELETE ON bucket_fences FOR EACH ROW
    EXECUTE FUNCTION bucket_fence_guard();
CREATE TRIGGER bucket_fences_are_kept BEFORE TRUNCATE ON bucket_fences EXECUTE FUNCTION bucket_fence_guard();
