-- SPDX-License-Identifier: Apache-2.0
-- sql/global/0014-region-guard.sql - a region's row goes, or takes another name, only
-- when the region holds no trust in its cache: nobody waits for a region that has no
-- row, so one that is removed by hand would answer from older metadata for as long as
-- it trusts. `anvil-admin region leave` and `region remove` see to it in the right order.

CREATE FUNCTION anvil_region_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	who text;
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		SELECT string_agg(t.name, ', ' ORDER BY t.name) INTO who FROM region_trust t WHERE NOT t.is_lost;
	ELSE
		SELECT t.name INTO who FROM region_trust t WHERE t.name = OLD.name AND NOT t.is_lost;
	END IF;
	IF who IS NOT NULL THEN
		RAISE EXCEPTION 'region % may believe its cache', who USING ERRCODE = 'restrict_violation',
			HINT = 'anvil-admin region leave NAME, then anvil-admin region remove NAME';
	END IF;
	IF TG_OP = 'UPDATE' THEN
		RETURN NEW;
	END IF;
	RETURN OLD;
END $$;
CREATE TRIGGER region_guard BEFORE DELETE ON regions FOR EACH ROW EXECUTE FUNCTION anvil_region_guard();
CREATE TRIGGER region_guard_name BEFORE UPDATE OF name ON regions FOR EACH ROW
	WHEN (NEW.name IS DISTINCT FROM OLD.name) EXECUTE FUNCTION anvil_region_guard();
CREATE TRIGGER region_guard_all BEFORE TRUNCATE ON regions FOR EACH STATEMENT EXECUTE FUNCTION anvil_region_guard();
