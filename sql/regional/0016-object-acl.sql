-- SPDX-License-Identifier: Apache-2.0
-- The access control list of a version that is there.

-- null: private. Outcomes as of object_tag; mtime stays what it was.
CREATE FUNCTION object_set_acl(p_bucket_id uuid, p_key text, p_which int, p_ord bigint, p_acl text) RETURNS object_placed
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_ord bigint := CASE p_which WHEN 1 THEN object_null_ord(p_bucket_id, p_key) ELSE p_ord END;
    o record;
BEGIN
    SELECT x.ord, x.is_null, x.is_marker, x.mtime INTO o FROM objects x
        WHERE x.bucket_id = p_bucket_id AND x.key = p_key AND (p_which = 0 OR x.ord = v_ord)
        ORDER BY x.bucket_id, x.key, x.ord LIMIT 1 FOR UPDATE;
    IF NOT FOUND OR (p_which <> 0 AND o.is_null <> (p_which = 1)) THEN
        RETURN ROW(4, NULL, NULL, NULL)::object_placed;
    ELSIF o.is_marker THEN
        RETURN ROW(6, NULL, NULL, NULL)::object_placed;
    END IF;
    UPDATE objects x SET acl = p_acl WHERE x.bucket_id = p_bucket_id AND x.key = p_key AND x.ord = o.ord;
    RETURN ROW(0, o.mtime, o.ord, o.is_null)::object_placed;
END $$;
