-- SPDX-License-Identifier: Apache-2.0
-- Listing objects by the one ordered index.

-- The least text that is greater than every text that begins with p_prefix;
-- null when there is none. UTF-8 in the order of bytes is the order of code
-- points, so the last code point is raised by one (over the surrogates, which
-- no text holds); the highest of all is dropped and the one before it raised.
CREATE FUNCTION text_after_prefix(p_prefix text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    v_head text := p_prefix;
    v_last int;
BEGIN
    WHILE v_head <> '' LOOP
        v_last := ascii(right(v_head, 1));
        v_head := left(v_head, -1);
        IF v_last < 1114111 THEN
            RETURN v_head || chr(CASE v_last WHEN 55295 THEN 57344 ELSE v_last + 1 END);
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- One page: at most p_max entries (keys and common prefixes) greater than
-- p_after, in the order of bytes. Current versions only; keys whose current
-- version is a delete marker are not there.
--
-- It reads the index in runs. A run ends early at a common prefix, and the next
-- one begins behind all that the prefix covers, so each prefix costs one
-- descent, however many keys it covers. Runs start with one row and double
-- while they meet plain keys: a page reads at most about twice its rows when
-- keys and prefixes alternate, and its rows exactly without a delimiter. What
-- follows a key in the order of texts is the key and the least character there
-- is (a text has no NUL), which also skips the key's older versions.
--
-- STABLE: the whole page is one snapshot. The planner is held to the index,
-- because it cannot know how short the runs are, and the order is the index's.
CREATE FUNCTION object_list(p_bucket_id uuid, p_prefix text, p_delimiter text, p_after text, p_max int)
RETURNS TABLE (is_prefix boolean, key text, size bigint, mtime timestamptz, etag text, checksums bytea,
    storage_class text, owner_id text)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
DECLARE
    c_older CONSTANT int := 16; -- versions of one key that are read past before it is skipped by a descent
    v_prefix_len CONSTANT int := length(p_prefix);
    v_end CONSTANT text COLLATE "C" := coalesce(text_after_prefix(p_prefix), repeat(chr(1114111), 257)); -- past any key of 1,024 bytes
    v_from text COLLATE "C" := p_prefix;
    v_last text COLLATE "C" := '';
    v_run int;
    v_read int;
    v_found int := 0;
    v_older int := 0;
    v_at int;
    v_jumped boolean;
    r record;
BEGIN
    IF p_max <= 0 THEN
        RETURN;
    END IF;
    IF p_after COLLATE "C" >= p_prefix THEN
        v_from := p_after || chr(1);
        v_at := CASE WHEN p_delimiter <> '' AND starts_with(p_after, p_prefix)
            THEN strpos(substr(p_after, v_prefix_len + 1), p_delimiter) ELSE 0 END;
        IF v_at > 0 THEN -- a common prefix that covers p_after was in an earlier page
            v_from := text_after_prefix(left(p_after, v_prefix_len + v_at - 1 + length(p_delimiter)));
        END IF;
    END IF;
    v_run := CASE WHEN p_delimiter = '' THEN p_max ELSE 1 END;
    WHILE v_from < v_end LOOP -- null ends it too
        v_read := 0;
        v_older := 0;
        v_jumped := false;
        FOR r IN
            SELECT o.key, o.is_marker, o.size, o.mtime, o.etag, o.checksums, o.storage_class, o.owner_id FROM objects o
            WHERE o.bucket_id = p_bucket_id AND o.key >= v_from AND o.key < v_end
            ORDER BY o.bucket_id, o.key, o.ord LIMIT v_run
        LOOP
            v_read := v_read + 1;
            IF r.key = v_last THEN
                v_older := v_older + 1;
                EXIT WHEN v_older >= c_older;
                CONTINUE;
            END IF;
            v_last := r.key;
            v_older := 0;
            CONTINUE WHEN r.is_marker;
            v_at := CASE WHEN p_delimiter = '' THEN 0 ELSE strpos(substr(r.key, v_prefix_len + 1), p_delimiter) END;
            v_found := v_found + 1;
            is_prefix := v_at > 0;
            IF is_prefix THEN
                key := left(r.key, v_prefix_len + v_at - 1 + length(p_delimiter));
                size := NULL; mtime := NULL; etag := NULL; checksums := NULL; storage_class := NULL; owner_id := NULL;
                RETURN NEXT;
                v_from := text_after_prefix(key);
                v_jumped := true;
                v_run := 1;
                EXIT;
            END IF;
            key := r.key; size := r.size; mtime := r.mtime; etag := r.etag; checksums := r.checksums;
            storage_class := r.storage_class; owner_id := r.owner_id;
            RETURN NEXT;
        END LOOP;
        EXIT WHEN v_found >= p_max;
        IF NOT v_jumped THEN
            EXIT WHEN v_read < v_run AND v_older < c_older;
            v_from := v_last || chr(1);
            v_run := least(v_run * 2, p_max - v_found);
        END IF;
    END LOOP;
END $$;
