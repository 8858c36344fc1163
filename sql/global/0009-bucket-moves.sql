-- SPDX-License-Identifier: Apache-2.0
-- sql/global/0009-bucket-moves.sql - buckets that move from region to region
-- (ARCHITECTURE.md, "A bucket moves"). The row of a move and buckets.region change
-- in one transaction: this database alone says where a bucket is at home.

-- copying    rows and bytes are copied; writes go on where they went
-- frozen     writes wait in the source until frozen_until; whoever finds that this is over makes it 'copying' again, and
--            a switch that comes later finds that
-- switched   it is at home in the target, where writes wait until every region knows, at the longest until opens_at
-- done, cancelled   over
CREATE TABLE bucket_moves (
	id           uuid PRIMARY KEY,
	bucket_id    uuid NOT NULL,
	bucket       text COLLATE "C" NOT NULL,
	source       text COLLATE "C" NOT NULL,
	target       text COLLATE "C" NOT NULL,
	state        text NOT NULL DEFAULT 'copying' CHECK (state IN ('copying', 'frozen', 'switched', 'done', 'cancelled')),
	freeze_no    integer NOT NULL DEFAULT 0,
	frozen_until timestamptz,
	opens_at     timestamptz,
	rows_copied  bigint NOT NULL DEFAULT 0,
	bytes_copied bigint NOT NULL DEFAULT 0,
	paused_us    bigint,
	started_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
	changed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
	ended_at     timestamptz
);
CREATE UNIQUE INDEX bucket_moves_one ON bucket_moves (bucket_id) WHERE state IN ('copying', 'frozen', 'switched');
CREATE INDEX bucket_moves_bucket ON bucket_moves (bucket_id, started_at);
COMMENT ON COLUMN bucket_moves.paused_us IS 'how long writes waited for the hand-over';

-- A move that is under way goes on. problem: '' none, 'no bucket', 'no region', 'home' it is there already, 'other' it is on
-- its way to another region (target says to which).
CREATE FUNCTION anvil_move_begin(p_id uuid, p_bucket text, p_target text)
RETURNS TABLE (problem text, id uuid, bucket_id uuid, source text, target text, state text, versioning text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	b buckets;
	m bucket_moves;
BEGIN
	problem := '';
	SELECT * INTO b FROM buckets WHERE name = p_bucket AND status = 'active' FOR UPDATE;
	IF NOT FOUND THEN
		problem := 'no bucket';
		RETURN NEXT;
		RETURN;
	END IF;
	SELECT * INTO m FROM bucket_moves x WHERE x.bucket_id = b.id AND x.state IN ('copying', 'frozen', 'switched');
	IF NOT FOUND THEN
		IF NOT EXISTS (SELECT FROM regions r WHERE r.name = p_target AND r.state = 'active') THEN
			problem := 'no region';
		ELSIF b.region = p_target THEN
			problem := 'home';
		ELSE
			INSERT INTO bucket_moves AS x (id, bucket_id, bucket, source, target)
				VALUES (p_id, b.id, b.name, b.region, p_target) RETURNING x.* INTO m;
		END IF;
	ELSIF m.target <> p_target THEN
		problem := 'other';
	END IF;
	id := m.id; bucket_id := b.id; source := m.source; target := m.target; state := m.state; versioning := b.versioning;
	RETURN NEXT;
END $$;

-- What is so about a bucket: home, versioning, and its last move (or the one of p_move_id) as it is by the clock.
-- home null: there is no such bucket any more. For a region whose writers wait, and for maintain.
CREATE FUNCTION anvil_move_ask(p_bucket_id uuid, p_move_id uuid, p_settle_ms bigint)
RETURNS TABLE (home text, versioning text, id uuid, state text, freeze_no integer)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	m bucket_moves;
BEGIN
	SELECT * INTO m FROM bucket_moves x WHERE x.bucket_id = p_bucket_id AND (p_move_id IS NULL OR x.id = p_move_id)
		ORDER BY x.bucket_id, x.started_at DESC LIMIT 1;
	IF m.state = 'frozen' AND m.frozen_until < clock_timestamp() THEN
		UPDATE bucket_moves x SET state = 'copying', changed_at = clock_timestamp()
			WHERE x.id = m.id AND x.state = 'frozen' AND x.freeze_no = m.freeze_no AND x.frozen_until < clock_timestamp();
	ELSIF m.state = 'switched' AND m.opens_at IS NULL THEN
		-- The time counts from when the switch was seen, not from when it was made: its commit may have taken long.
		UPDATE bucket_moves x SET opens_at = clock_timestamp() + make_interval(secs => p_settle_ms / 1000.0)
			WHERE x.id = m.id AND x.state = 'switched' AND x.opens_at IS NULL;
	ELSIF m.state = 'switched' AND m.opens_at < clock_timestamp() THEN
		UPDATE bucket_moves x SET state = 'done', changed_at = clock_timestamp(), ended_at = clock_timestamp()
			WHERE x.id = m.id AND x.state = 'switched';
	END IF;
	-- Home and move of one snapshot, which is newer than what was done here.
	RETURN QUERY SELECT b.region, b.versioning, x.id, x.state, x.freeze_no
		FROM (SELECT 1) one LEFT JOIN buckets b ON b.id = p_bucket_id LEFT JOIN bucket_moves x ON x.id = m.id;
END $$;

-- A bucket that is deleted moves no more.
CREATE FUNCTION anvil_bucket_moves_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE bucket_moves SET state = CASE state WHEN 'switched' THEN 'done' ELSE 'cancelled' END,
		changed_at = clock_timestamp(), ended_at = clock_timestamp()
		WHERE bucket_id = OLD.id AND state IN ('copying', 'frozen', 'switched');
	RETURN NULL;
END $$;
CREATE TRIGGER bucket_moves_end AFTER DELETE ON buckets FOR EACH ROW EXECUTE FUNCTION anvil_bucket_moves_end();
