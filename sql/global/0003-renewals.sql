-- SPDX-License-Identifier: Apache-2.0
-- sql/global/0003-renewals.sql - a lost region taxes one writer, not all (DESIGN.md,
-- "The cache protocol"; tests/model/renewal.pml).
--
-- A region's trust in its cache counts from before it asked a source, and a source
-- commits the region's renewal before it reads the clock for the answer. So where no
-- renewal is committed for longer than a region trusts, it trusts no more; a writer
-- that saw that marks the region, and others need not wait for it until it asks again:
-- the clock that it is then told is read after whatever they had committed.
--
-- None of this is metadata that is cached: no triggers, no events. Rows stay when a
-- region goes, so that no number comes twice.

CREATE TABLE region_renewals (
	region     text COLLATE "C" PRIMARY KEY,
	renewal    bigint NOT NULL,
	renewed_at timestamptz,
	lost_at    bigint,
	lost_epoch uuid,
	lost_since timestamptz,
	CHECK ((lost_at IS NULL) = (lost_epoch IS NULL))
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
COMMENT ON TABLE region_renewals IS 'How often each region has asked a source what n is, and whether it holds no trust.';
COMMENT ON COLUMN region_renewals.lost_at IS 'the renewal at which it was found to hold no trust: so it is while it has not asked again';
COMMENT ON COLUMN region_renewals.lost_epoch IS 'and the epoch: a failover that loses a renewal begins another, and voids every mark';

-- For a source, before it asks for the clock, in a transaction of its own: the asker's
-- next number, and whether it was marked; null for a region that is not active. It must
-- be durable: a crash that lost it would leave a mark that does not hold. Where a
-- synchronous standby is configured its commit also shows that no other has been promoted.
CREATE FUNCTION anvil_region_renew(asker text, OUT renewal bigint, OUT was_lost boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	PERFORM anvil_must_be_durable();
	INSERT INTO region_renewals AS w (region, renewal, renewed_at)
		SELECT r.name, 1, clock_timestamp() FROM regions r WHERE r.name = asker AND r.state = 'active'
	ON CONFLICT (region) DO UPDATE SET renewal = w.renewal + 1, renewed_at = excluded.renewed_at
	RETURNING w.renewal, w.lost_at IS NOT DISTINCT FROM w.renewal - 1 INTO renewal, was_lost;
END $$;
REVOKE EXECUTE ON FUNCTION anvil_region_renew(text) FROM PUBLIC;

-- For a writer that saw this renewal in this epoch, and W later that nothing had come of
-- it: the region holds no trust, if it has not asked since. True when this call marked it.
CREATE FUNCTION anvil_region_lost(text, bigint, uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	INSERT INTO region_renewals AS w (region, renewal, lost_at, lost_epoch, lost_since)
		SELECT $1, $2, $2, $3, clock_timestamp() FROM event_clock c WHERE c.epoch = $3
	ON CONFLICT (region) DO UPDATE SET lost_at = excluded.lost_at, lost_epoch = excluded.lost_epoch,
		lost_since = excluded.lost_since
	WHERE w.renewal = excluded.renewal
		AND (w.lost_at IS DISTINCT FROM excluded.lost_at OR w.lost_epoch IS DISTINCT FROM excluded.lost_epoch);
	RETURN FOUND;
END $$;
REVOKE EXECUTE ON FUNCTION anvil_region_lost(text, bigint, uuid) FROM PUBLIC;

-- Regions with their renewals; is_lost: marked, and the mark holds here and now. (The clock
-- by sub-selects: in a join the planner expects hundreds of its row, and compiles for seconds.)
CREATE VIEW region_trust AS
	SELECT r.name, r.state, coalesce(w.renewal, 0) AS renewal,
		CASE WHEN w.lost_at = w.renewal AND w.lost_epoch = (SELECT c.epoch FROM event_clock c)
			THEN (SELECT anvil_epoch_fault(c) IS NULL FROM event_clock c) ELSE false END AS is_lost,
		w.renewed_at, w.lost_since
	FROM regions r LEFT JOIN region_renewals w ON w.region = r.name;
