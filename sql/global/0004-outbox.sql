-- SPDX-License-Identifier: Apache-2.0
-- sql/global/0004-outbox.sql - how long the outbox keeps events: until every active
-- region has applied them, or has been silent for so long that it is given up, or
-- there are too many. Whoever misses some raises every slot instead, and loses
-- nothing but hits.

-- Through where each region has acknowledged, as the sources heard it. Written about
-- once a minute and only for pruning, so that no source's restart forgets it. Times
-- are the primary's.
CREATE TABLE region_progress (
	region   text COLLATE "C" PRIMARY KEY REFERENCES regions ON UPDATE CASCADE ON DELETE CASCADE,
	epoch    uuid NOT NULL,
	n        bigint NOT NULL,
	heard_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Within an epoch n never falls, and what was heard later holds.
CREATE FUNCTION anvil_region_heard(region text, epoch uuid, n bigint, age_ms bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
	INSERT INTO region_progress AS p
		SELECT r.name, $2, $3, now() - $4 * interval '1 ms' FROM regions r WHERE r.name = $1
	ON CONFLICT ON CONSTRAINT region_progress_pkey DO UPDATE SET
		epoch = CASE WHEN excluded.heard_at >= p.heard_at THEN excluded.epoch ELSE p.epoch END,
		n = CASE WHEN excluded.epoch = p.epoch THEN greatest(excluded.n, p.n)
			WHEN excluded.heard_at >= p.heard_at THEN excluded.n ELSE p.n END,
		heard_at = greatest(excluded.heard_at, p.heard_at)
$$;
REVOKE EXECUTE ON FUNCTION anvil_region_heard(text, uuid, bigint, bigint) FROM PUBLIC;

-- One batch: about `batch` rows, and always whole numbers, since a reader takes the
-- rows of a number that are there for all of it. `given_up`: regions that are waited
-- for no longer. `more`: call again. Of several sources that prune at once one does.
CREATE FUNCTION anvil_outbox_prune(keep_s bigint, silent_s bigint, max_rows bigint, batch integer,
	OUT pruned bigint, OUT more boolean, OUT given_up text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	c       event_clock;
	applied bigint;
	surplus bigint;
	last    bigint;
BEGIN
	pruned := 0;
	more := false;
	SELECT * INTO c FROM event_clock;
	-- The silence of a region that was never heard begins when a source first looks.
	INSERT INTO region_progress SELECT r.name, c.epoch, 0, now() FROM regions r WHERE r.state = 'active'
		AND NOT EXISTS (SELECT FROM region_progress p WHERE p.region = r.name) ON CONFLICT DO NOTHING;
	SELECT min(CASE WHEN p.epoch = c.epoch THEN p.n ELSE 0 END) FILTER (WHERE alive),
		coalesce(array_agg(r.name ORDER BY r.name) FILTER (WHERE NOT alive), '{}')
		INTO applied, given_up
		FROM regions r JOIN region_progress p ON p.region = r.name,
			LATERAL (SELECT p.heard_at > now() - silent_s * interval '1 s' AS alive) a
		WHERE r.state = 'active';
	IF NOT pg_try_advisory_xact_lock(hashtext('anvil outbox')) THEN
		RETURN;
	END IF;
	-- Rows are counted by their ids: one descent of the index, and never too few.
	SELECT e.n INTO surplus FROM metadata_events e
		WHERE e.id <= (SELECT max(id) FROM metadata_events) - max_rows ORDER BY e.id DESC LIMIT 1;
	surplus := coalesce(surplus, 0);
	applied := coalesce(applied, c.n); -- nobody is left to wait for
	SELECT coalesce(min(o.n) FILTER (WHERE NOT due) - 1, max(o.n)) INTO last FROM (
		SELECT e.n, e.n <= surplus OR e.epoch <> c.epoch
			OR (e.n <= applied AND e.at <= now() - keep_s * interval '1 s') AS due
		FROM metadata_events e WHERE e.n IS NOT NULL ORDER BY e.n LIMIT batch) o;
	DELETE FROM metadata_events e WHERE e.n <= last;
	GET DIAGNOSTICS pruned = ROW_COUNT;
	more := pruned >= batch;
END $$;
REVOKE EXECUTE ON FUNCTION anvil_outbox_prune(bigint, bigint, bigint, integer) FROM PUBLIC;
