-- SPDX-License-Identifier: Apache-2.0
-- Of two words of the primary about a bucket's quota the one that was spoken later stands (0032 went by when the quota was
-- written, so that one of a backup that was restored was never heeded). p_at: when the primary said so, by its clock.
CREATE OR REPLACE FUNCTION bucket_quota_set(p_bucket_id uuid, p_bytes bigint, p_objects bigint, p_at timestamptz) RETURNS int
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
    ELSIF q.set_at IS NOT NULL AND (q.set_at >= p_at OR (q.bytes_max, q.objects_max) IS NOT DISTINCT FROM (p_bytes, p_objects)) THEN
        RETURN CASE WHEN q.counted_at IS NULL THEN 2 ELSE 0 END;
    END IF;
    PERFORM bucket_usage_lock(p_bucket_id);
    UPDATE bucket_quotas x SET bytes_max = p_bytes, objects_max = p_objects, set_at = p_at
        WHERE x.bucket_id = p_bucket_id AND (x.set_at < p_at) IS NOT FALSE;
    SELECT * INTO q FROM bucket_quotas x WHERE x.bucket_id = p_bucket_id;
    PERFORM bucket_usage_deal(p_bucket_id, 0, 0);
    RETURN CASE WHEN q.counted_at IS NULL THEN 2 ELSE 1 END;
END $$;
