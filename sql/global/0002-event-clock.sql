-- SPDX-License-Identifier: Apache-2.0
-- sql/global/0002-event-clock.sql - every change of cacheable metadata takes a
-- number, whoever makes it (DESIGN.md, "The cache protocol": Clock, Epoch).
--
-- Row triggers write (kind, key) to metadata_events. A trigger deferred to the
-- commit locks the one row of event_clock, adds one to n and numbers the
-- transaction's events; the lock is held until the commit is visible, so numbers
-- are without gaps and in the order of commits. A reader that takes a row and the
-- clock in one SELECT knows as of which number the row is true.
--
-- All is ENABLE ALWAYS, so that session_replication_role and logical replication
-- do not go past it. ALTER TABLE ... DISABLE TRIGGER does: never do that
-- (pg_restore --disable-triggers does it), or run `anvil-admin db restored` after it.
--
-- The functions run as their owner, so that whoever may write a table needs no
-- right on the clock.

-- What a number means changes when the database is another one than it was: a
-- restore, a promotion, a copy. The last four columns say where the epoch began.
CREATE TABLE event_clock (
	one               boolean PRIMARY KEY DEFAULT true CHECK (one),
	epoch             uuid NOT NULL,
	n                 bigint NOT NULL CHECK (n > 0),
	xid               xid8 NOT NULL,
	changed_at        timestamptz NOT NULL,
	epoch_since       timestamptz NOT NULL,
	epoch_reason      text NOT NULL,
	system_identifier bigint NOT NULL,
	timeline          text NOT NULL,
	filenode          oid NOT NULL,
	database          oid NOT NULL
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
COMMENT ON COLUMN event_clock.xid IS 'the transaction that took n: all its events have one number';

-- The outbox. n and epoch are null until the transaction's commit numbers them.
CREATE TABLE metadata_events (
	id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	xid   xid8 NOT NULL DEFAULT pg_current_xact_id(),
	epoch uuid,
	n     bigint,
	kind  text COLLATE "C" NOT NULL,
	key   text COLLATE "C" NOT NULL,
	at    timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);
CREATE INDEX metadata_events_n ON metadata_events (n, id);
CREATE INDEX metadata_events_pending ON metadata_events (xid) WHERE n IS NULL;
COMMENT ON COLUMN metadata_events.kind IS 'letter of meta/event.def';

-- The database as it is now. The timeline is that of the WAL being written: the control file tells it late.
CREATE FUNCTION anvil_clock_here(OUT system_identifier bigint, OUT timeline text, OUT filenode oid, OUT database oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
	SELECT s.system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8),
		pg_relation_filenode('public.event_clock'::regclass), d.oid
	FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()
$$;

-- A commit that others are told of must not be lost by a crash. Stronger settings are left alone.
CREATE FUNCTION anvil_must_be_durable() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	IF current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') THEN
		PERFORM set_config('synchronous_commit', 'on', true);
	END IF;
END $$;

-- Begins a new epoch: every cached value is a miss from then on.
CREATE FUNCTION anvil_epoch_begin(reason text) RETURNS event_clock
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	c event_clock;
	h record;
BEGIN
	SELECT * INTO h FROM anvil_clock_here();
	INSERT INTO event_clock AS e VALUES (true, gen_random_uuid(), 1, pg_current_xact_id(), clock_timestamp(),
		clock_timestamp(), reason, h.system_identifier, h.timeline, h.filenode, h.database)
	ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch, n = e.n + 1, xid = excluded.xid,
		changed_at = excluded.changed_at, epoch_since = excluded.epoch_since, epoch_reason = excluded.epoch_reason,
		system_identifier = excluded.system_identifier, timeline = excluded.timeline, filenode = excluded.filenode,
		database = excluded.database
	RETURNING * INTO c;
	INSERT INTO metadata_events (epoch, n, kind, key) VALUES (c.epoch, c.n, '*', '*');
	PERFORM anvil_must_be_durable();
	PERFORM pg_notify('anvil_events', c.n::text);
	RETURN c;
END $$;
REVOKE EXECUTE ON FUNCTION anvil_epoch_begin(text) FROM PUBLIC;

-- Why the stored epoch does not hold here; null when it does.
CREATE FUNCTION anvil_epoch_fault(c event_clock) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	h record;
BEGIN
	IF c.epoch IS NULL THEN
		RETURN 'the clock had no row';
	END IF;
	SELECT * INTO h FROM anvil_clock_here();
	RETURN CASE
		WHEN c.system_identifier <> h.system_identifier THEN 'another database cluster'
		WHEN c.timeline <> h.timeline THEN 'another timeline'
		WHEN c.database <> h.database THEN 'another database'
		WHEN c.filenode <> h.filenode THEN 'the clock''s table was rewritten' END;
END $$;

-- Letters that only this file sees: a tenant (T), a policy (P), a bucket by its id (B).
-- What they stand for is looked up under the clock's lock and in a new snapshot: an app
-- that was inserted meanwhile has either been numbered before, and is seen here, or will
-- be numbered after, and whoever reads it as of that number sees this change. (A
-- transaction of REPEATABLE READ has no new snapshot; taking the lock fails it when
-- anybody was numbered since its own.)
CREATE FUNCTION anvil_events_expand(me xid8, number bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	m record;
BEGIN
	FOR m IN DELETE FROM metadata_events WHERE xid = me AND n IS NULL AND kind IN ('T', 'P', 'B')
		RETURNING kind, key::uuid AS id
	LOOP
		IF m.kind = 'T' THEN
			PERFORM anvil_events_add('a', ARRAY(SELECT access_key FROM apps WHERE tenant_id = m.id LIMIT 1001));
			PERFORM anvil_events_add('b', ARRAY(SELECT name FROM buckets WHERE tenant_id = m.id LIMIT 1001));
		ELSIF m.kind = 'P' THEN
			PERFORM anvil_events_add('a', ARRAY(SELECT access_key FROM app_policies WHERE policy_id = m.id LIMIT 1001));
		ELSE
			PERFORM anvil_events_add('b', ARRAY(SELECT name FROM buckets WHERE id = m.id));
		END IF;
	END LOOP;
	-- A number without an event would look like a gap to whoever counts: name an app that cannot be.
	IF NOT EXISTS (SELECT FROM metadata_events WHERE xid = me AND n IS NULL)
		AND NOT EXISTS (SELECT FROM metadata_events WHERE n = number) THEN
		PERFORM anvil_events_add('a', ARRAY['']);
	END IF;
END $$;
REVOKE EXECUTE ON FUNCTION anvil_events_expand(xid8, bigint) FROM PUBLIC;

-- Deferred to the commit, once for each event; the first numbers them all.
-- More than 5,000 events in one transaction become one for everything.
CREATE FUNCTION anvil_event_number() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	me    xid8 := pg_current_xact_id();
	c     event_clock;
	fault text;
BEGIN
	-- Not "n IS NULL": the planner would read the whole of metadata_events_pending, with what is dead in it, for each event.
	IF NEW.n IS NOT NULL OR NOT EXISTS (SELECT FROM metadata_events WHERE id = NEW.id AND coalesce(n, 0) = 0) THEN
		RETURN NULL;
	END IF;
	PERFORM anvil_must_be_durable();
	UPDATE event_clock SET n = n + CASE WHEN xid = me THEN 0 ELSE 1 END, xid = me, changed_at = clock_timestamp()
		RETURNING * INTO c;
	fault := anvil_epoch_fault(c);
	IF fault IS NOT NULL THEN
		c := anvil_epoch_begin(fault);
	END IF;
	PERFORM anvil_events_expand(me, c.n);
	IF (SELECT count(*) FROM (SELECT FROM metadata_events WHERE xid = me AND n IS NULL LIMIT 5001) pending) > 5000 THEN
		DELETE FROM metadata_events WHERE xid = me AND n IS NULL;
		INSERT INTO metadata_events (epoch, n, kind, key) VALUES (c.epoch, c.n, '*', '*');
	ELSE
		UPDATE metadata_events SET epoch = c.epoch, n = c.n WHERE xid = me AND n IS NULL;
	END IF;
	PERFORM pg_notify('anvil_events', c.n::text);
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER metadata_events_number AFTER INSERT ON metadata_events
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION anvil_event_number();
ALTER TABLE metadata_events ENABLE ALWAYS TRIGGER metadata_events_number;

-- For a writer, as the last statement before COMMIT: the number its transaction takes
-- and what it changed (kind and key; max of them).
-- From here on the transaction holds the clock's lock: COMMIT is sent along with it.
CREATE FUNCTION anvil_event_flush(max integer, OUT epoch uuid, OUT n bigint, OUT changed boolean, OUT events text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	SET CONSTRAINTS metadata_events_number IMMEDIATE;
	SET CONSTRAINTS metadata_events_number DEFERRED;
	SELECT c.epoch, c.n, coalesce(c.xid = pg_current_xact_id_if_assigned(), false)
		INTO epoch, n, changed FROM event_clock c;
	IF changed THEN
		events := ARRAY(SELECT m.kind || m.key FROM metadata_events m WHERE m.n = anvil_event_flush.n
			ORDER BY m.id LIMIT max);
	END IF;
END $$;

-- For a source, each time it is asked: is this the primary, does it know the asker,
-- and what is n? Nothing of it is from memory. The asker's renewal (0003) has been
-- committed before, in a transaction of its own.
CREATE FUNCTION anvil_source_clock(asker text, OUT is_primary boolean, OUT known boolean, OUT epoch uuid, OUT n bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	c     event_clock;
	fault text;
BEGIN
	is_primary := NOT pg_is_in_recovery();
	known := EXISTS (SELECT FROM regions r WHERE r.name = asker AND r.state = 'active');
	IF NOT is_primary THEN
		RETURN;
	END IF;
	SELECT * INTO c FROM event_clock;
	fault := anvil_epoch_fault(c);
	IF fault IS NOT NULL THEN
		LOCK TABLE event_clock IN SHARE ROW EXCLUSIVE MODE; -- of several sources one begins it
		SELECT * INTO c FROM event_clock;
		fault := anvil_epoch_fault(c);
		IF fault IS NOT NULL THEN
			c := anvil_epoch_begin(fault);
		END IF;
	END IF;
	epoch := c.epoch;
	n := c.n;
END $$;

-- A source saw (seen_epoch, seen_n) earlier, and now less: the clock went back
-- without leaving a trace. True when this call began a new epoch.
CREATE FUNCTION anvil_clock_went_back(seen_epoch uuid, seen_n bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	PERFORM FROM event_clock WHERE epoch = seen_epoch AND n < seen_n FOR UPDATE;
	IF FOUND THEN
		PERFORM anvil_epoch_begin('the clock went back');
	END IF;
	RETURN FOUND;
END $$;
REVOKE EXECUTE ON FUNCTION anvil_clock_went_back(uuid, bigint) FROM PUBLIC;

-- ---- what a change of each table means ----

-- More keys of a kind than it is worth to name: all of the kind.
CREATE FUNCTION anvil_events_add(kind text, keys text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	IF cardinality(keys) > 1000 THEN
		keys := ARRAY['*'];
	END IF;
	INSERT INTO metadata_events (kind, key)
		SELECT anvil_events_add.kind, k FROM unnest(keys) k WHERE k IS NOT NULL GROUP BY k ORDER BY k;
END $$;
REVOKE EXECUTE ON FUNCTION anvil_events_add(text, text[]) FROM PUBLIC;

CREATE FUNCTION anvil_changed_regions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	PERFORM anvil_events_add('r', ARRAY['regions']);
	RETURN NULL;
END $$;

-- A tenant is part of what is cached of its apps and buckets. Its apps go with it and tell themselves.
CREATE FUNCTION anvil_changed_tenants() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	PERFORM anvil_events_add('T', ARRAY[OLD.id, NEW.id]::text[]);
	RETURN NULL;
END $$;

-- OLD is null at INSERT, NEW at DELETE. Not by anvil_events_add: these two are what bulk changes spend their time in.
CREATE FUNCTION anvil_changed_apps() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	INSERT INTO metadata_events (kind, key) VALUES ('a', coalesce(NEW.access_key, OLD.access_key));
	IF OLD.access_key <> NEW.access_key THEN
		INSERT INTO metadata_events (kind, key) VALUES ('a', OLD.access_key);
	END IF;
	RETURN NULL;
END $$;

CREATE FUNCTION anvil_changed_policies() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	PERFORM anvil_events_add('P', ARRAY[OLD.id, NEW.id]::text[]);
	RETURN NULL;
END $$;

CREATE FUNCTION anvil_changed_buckets() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	INSERT INTO metadata_events (kind, key) VALUES ('b', coalesce(NEW.name, OLD.name));
	IF OLD.name <> NEW.name THEN
		INSERT INTO metadata_events (kind, key) VALUES ('b', OLD.name);
	END IF;
	RETURN NULL;
END $$;

-- A bucket's cached value has its policy and knows which other documents there are.
-- When the bucket itself goes, its own trigger has told its name.
CREATE FUNCTION anvil_changed_bucket_configs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	PERFORM anvil_events_add('c', ARRAY[OLD.bucket_id || '/' || OLD.kind, NEW.bucket_id || '/' || NEW.kind]);
	PERFORM anvil_events_add('B', ARRAY[OLD.bucket_id, NEW.bucket_id]::text[]);
	RETURN NULL;
END $$;

-- TRUNCATE: all of the kinds in which the table has a part, named in the trigger.
CREATE FUNCTION anvil_truncated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	FOR i IN 0 .. TG_NARGS - 1 LOOP
		PERFORM anvil_events_add(TG_ARGV[i], ARRAY['*']);
	END LOOP;
	RETURN NULL;
END $$;

CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON regions FOR EACH ROW EXECUTE FUNCTION anvil_changed_regions();
CREATE TRIGGER changed AFTER UPDATE OR DELETE ON tenants FOR EACH ROW EXECUTE FUNCTION anvil_changed_tenants();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON apps FOR EACH ROW EXECUTE FUNCTION anvil_changed_apps();
CREATE TRIGGER changed AFTER UPDATE OR DELETE ON policies FOR EACH ROW EXECUTE FUNCTION anvil_changed_policies();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON app_policies FOR EACH ROW EXECUTE FUNCTION anvil_changed_apps();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON buckets FOR EACH ROW EXECUTE FUNCTION anvil_changed_buckets();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON bucket_configs FOR EACH ROW
	EXECUTE FUNCTION anvil_changed_bucket_configs();
ALTER TABLE regions ENABLE ALWAYS TRIGGER changed;
ALTER TABLE tenants ENABLE ALWAYS TRIGGER changed;
ALTER TABLE apps ENABLE ALWAYS TRIGGER changed;
ALTER TABLE policies ENABLE ALWAYS TRIGGER changed;
ALTER TABLE app_policies ENABLE ALWAYS TRIGGER changed;
ALTER TABLE buckets ENABLE ALWAYS TRIGGER changed;
ALTER TABLE bucket_configs ENABLE ALWAYS TRIGGER changed;

CREATE TRIGGER truncated AFTER TRUNCATE ON regions EXECUTE FUNCTION anvil_truncated('r');
CREATE TRIGGER truncated AFTER TRUNCATE ON tenants EXECUTE FUNCTION anvil_truncated('a', 'b');
CREATE TRIGGER truncated AFTER TRUNCATE ON apps EXECUTE FUNCTION anvil_truncated('a');
CREATE TRIGGER truncated AFTER TRUNCATE ON policies EXECUTE FUNCTION anvil_truncated('a');
CREATE TRIGGER truncated AFTER TRUNCATE ON app_policies EXECUTE FUNCTION anvil_truncated('a');
CREATE TRIGGER truncated AFTER TRUNCATE ON buckets EXECUTE FUNCTION anvil_truncated('b', 'c');
CREATE TRIGGER truncated AFTER TRUNCATE ON bucket_configs EXECUTE FUNCTION anvil_truncated('b', 'c');
ALTER TABLE regions ENABLE ALWAYS TRIGGER truncated;
ALTER TABLE tenants ENABLE ALWAYS TRIGGER truncated;
ALTER TABLE apps ENABLE ALWAYS TRIGGER truncated;
ALTER TABLE policies ENABLE ALWAYS TRIGGER truncated;
ALTER TABLE app_policies ENABLE ALWAYS TRIGGER truncated;
ALTER TABLE buckets ENABLE ALWAYS TRIGGER truncated;
ALTER TABLE bucket_configs ENABLE ALWAYS TRIGGER truncated;

SELECT anvil_epoch_begin('the schema was made');
