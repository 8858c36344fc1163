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
-- Behind a common prefix it probes: one descent to the next key, which costs the
-- same however many keys the prefix covered, and mostly finds the next prefix.
-- Where a probe finds anything else it reads the index in runs, of 2 rows, 4,
-- and so on, until a common prefix ends the run. So a page reads its rows alone
-- without a delimiter, one for a prefix, and at most about twice its rows when
-- keys and prefixes alternate. What follows a key in the order of texts is the
-- key and the least character there is (a text has no NUL), which also skips
-- the key's older versions.
--
-- STABLE: the whole page is one snapshot. The planner is held to the index,
-- because it cannot know how short the runs are, and the order is the index's;
-- and to one plan, because planning each probe anew was three quarters of a
-- page's time.
CREATE FUNCTION object_list(p_bucket_id uuid, p_prefix text, p_delimiter text, p_after text, p_max int)
RETURNS TABLE (is_prefix boolean, key text, size bigint, mtime timestamptz, etag text, checksums bytea,
    storage_class text, owner_id text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_sort = off SET jit = off AS $$
DECLARE
    c_older CONSTANT int := 16; -- versions of one key that are read past before it is skipped by a descent
    v_prefix_len CONSTANT int := length(p_prefix);
    v_delimiter_len CONSTANT int := length(p_delimiter);
    v_delimiter_after CONSTANT text := text_after_prefix(p_delimiter);
    v_end CONSTANT text COLLATE "C" := coalesce(text_after_prefix(p_prefix), repeat(chr(1114111), 257)); -- past any key of 1,024 bytes
    v_from text COLLATE "C" := p_prefix;
    v_last text COLLATE "C" := '';
    v_probe boolean := p_delimiter <> '';
    v_run int := CASE WHEN p_delimiter = '' THEN p_max ELSE 2 END;
    v_read int;
    v_found int := 0;
    v_older int;
    v_at int;
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
            v_from := text_after_prefix(left(p_after, v_prefix_len + v_at - 1 + v_delimiter_len));
        END IF;
    END IF;
    WHILE v_from < v_end AND v_found < p_max LOOP -- null ends it too
        IF v_probe THEN
            SELECT o.key, o.is_marker INTO r FROM objects o
                WHERE o.bucket_id = p_bucket_id AND o.key >= v_from AND o.key < v_end
                ORDER BY o.bucket_id, o.key, o.ord LIMIT 1;
            EXIT WHEN NOT FOUND;
            v_at := strpos(substr(r.key, v_prefix_len + 1), p_delimiter);
            IF v_at > 0 AND NOT r.is_marker THEN
                is_prefix := true;
                key := left(r.key, v_prefix_len + v_at - 1 + v_delimiter_len);
                RETURN NEXT;
                v_found := v_found + 1;
                v_from := CASE WHEN v_delimiter_after IS NULL THEN text_after_prefix(key)
                    ELSE left(key, -v_delimiter_len) || v_delimiter_after END;
                CONTINUE;
            END IF;
            v_from := r.key;
            v_probe := false;
            v_run := least(2, p_max - v_found);
        END IF;
        v_read := 0;
        v_older := 0;
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
            v_probe := v_at > 0;
            EXIT WHEN v_probe;
            is_prefix := false; key := r.key; size := r.size; mtime := r.mtime; etag := r.etag; checksums := r.checksums;
            storage_class := r.storage_class; owner_id := r.owner_id;
            RETURN NEXT;
            v_found := v_found + 1;
        END LOOP;
        IF v_probe THEN -- the run ended at a common prefix
            is_prefix := true;
            key := left(r.key, v_prefix_len + v_at - 1 + v_delimiter_len);
            size := NULL; mtime := NULL; etag := NULL; checksums := NULL; storage_class := NULL; owner_id := NULL;
            RETURN NEXT;
            v_found := v_found + 1;
            v_from := text_after_prefix(key);
            CONTINUE;
        END IF;
        EXIT WHEN v_read < v_run AND v_older < c_older;
        v_from := v_last || chr(1);
        v_run := least(v_run * 2, p_max - v_found);
    END LOOP;
END $$;
