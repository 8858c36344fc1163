-- SPDX-License-Identifier: Apache-2.0
-- sql/global/0001-schema.sql - what is known all over the world: regions, who may
-- sign, whose buckets are where, and what may be done with them.
--
-- Rules of form are here and nowhere else needed: psql is a client like any other.
-- The event clock and its triggers are in 0002.

CREATE TABLE regions (
	name        text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
	endpoint    text NOT NULL CHECK (endpoint ~ '^https?://[^/[:space:]]+$'),
	domains     text[] NOT NULL DEFAULT '{}',
	inv_pub     text NOT NULL DEFAULT '',
	inv_rep     text NOT NULL DEFAULT '',
	state       text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'leaving')),
	leaving_at  timestamptz,
	created_at  timestamptz NOT NULL DEFAULT now(),
	CHECK ((state = 'leaving') = (leaving_at IS NOT NULL))
);
COMMENT ON TABLE regions IS 'A region joins by its row. One that leaves is marked leaving first and removed after W.';
COMMENT ON COLUMN regions.inv_pub IS 'NNG addresses where its invalidators publish, blank-separated';

CREATE TABLE tenants (
	id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	name         text COLLATE "C" NOT NULL UNIQUE CHECK (char_length(name) BETWEEN 1 AND 128 AND name !~ '[[:cntrl:]]'),
	canonical_id text COLLATE "C" NOT NULL UNIQUE CHECK (canonical_id ~ '^[0-9a-f]{64}$'),
	enabled      boolean NOT NULL DEFAULT true,
	created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE apps (
	access_key    text COLLATE "C" PRIMARY KEY CHECK (access_key ~ '^[A-Za-z0-9._-]{3,128}$'),
	name          text NOT NULL CHECK (char_length(name) <= 128 AND name !~ '[[:cntrl:]]'),
	tenant_id     uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
	sealed_secret bytea NOT NULL CHECK (octet_length(sealed_secret) BETWEEN 34 AND 512),
	access        text NOT NULL DEFAULT 'full' CHECK (access IN ('full', 'policies')),
	enabled       boolean NOT NULL DEFAULT true,
	created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX apps_tenant ON apps (tenant_id, access_key);
COMMENT ON COLUMN apps.sealed_secret IS 'AES-256-GCM under the master key, bound to the access key';
COMMENT ON COLUMN apps.access IS 'full: all with its own tenant''s buckets; policies: only what policies allow, nothing without any';

-- Deleting a policy that is carried is refused: whoever carries it should be looked at first.
CREATE TABLE policies (
	id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	name       text COLLATE "C" NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z0-9+=,.@_-]{1,128}$'),
	document   text NOT NULL CHECK (octet_length(document) <= 20480 AND document::json IS NOT NULL),
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE app_policies (
	access_key text COLLATE "C" NOT NULL REFERENCES apps ON UPDATE CASCADE ON DELETE CASCADE,
	policy_id  uuid NOT NULL REFERENCES policies ON DELETE RESTRICT,
	PRIMARY KEY (access_key, policy_id)
);
CREATE INDEX app_policies_policy ON app_policies (policy_id, access_key);

-- Carrying a policy and full access exclude each other. The first policy ends full access, and taking the last one
-- away does not bring it back: rights become more only when somebody says so.
CREATE FUNCTION anvil_policies_decide() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	UPDATE apps SET access = 'policies' WHERE access_key = NEW.access_key AND access <> 'policies';
	RETURN NEW;
END $$;
CREATE TRIGGER policies_decide BEFORE INSERT OR UPDATE ON app_policies FOR EACH ROW
	EXECUTE FUNCTION anvil_policies_decide();
CREATE FUNCTION anvil_full_access() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM app_policies WHERE access_key = NEW.access_key) THEN
		RAISE EXCEPTION 'access key "%" carries policies: detach them before you give it full access', NEW.access_key
			USING ERRCODE = 'restrict_violation';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER full_access BEFORE UPDATE OF access ON apps FOR EACH ROW
	WHEN (NEW.access = 'full' AND OLD.access <> 'full') EXECUTE FUNCTION anvil_full_access();

-- A name is unique in the world. An id is never used twice: the regions' fences count on it.
CREATE TABLE buckets (
	id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	name         text COLLATE "C" NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$'),
	region       text COLLATE "C" NOT NULL REFERENCES regions ON UPDATE CASCADE ON DELETE RESTRICT,
	tenant_id    uuid NOT NULL REFERENCES tenants ON DELETE RESTRICT,
	status       text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'deleting')),
	routing_mode text NOT NULL DEFAULT '' CHECK (routing_mode IN ('', 'auto', 'redirect', 'relay')),
	versioning   text NOT NULL DEFAULT '' CHECK (versioning IN ('', 'Enabled', 'Suspended')),
	created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX buckets_tenant ON buckets (tenant_id, name);
CREATE INDEX buckets_region ON buckets (region, name);

CREATE FUNCTION anvil_bucket_id_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the id of bucket "%" cannot be changed', OLD.name USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER bucket_id_stays BEFORE UPDATE OF id ON buckets FOR EACH ROW
	WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION anvil_bucket_id_stays();

-- Documents of a bucket: policy, CORS, lifecycle ... (meta/config_kinds.def names the kinds).
CREATE TABLE bucket_configs (
	bucket_id  uuid NOT NULL REFERENCES buckets ON DELETE CASCADE,
	kind       text COLLATE "C" NOT NULL CHECK (kind ~ '^[a-z][a-z0-9-]{0,62}$'),
	document   text NOT NULL CHECK (octet_length(document) <= 262144),
	updated_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (bucket_id, kind),
	CHECK (kind <> 'policy' OR (octet_length(document) <= 20480 AND document::json IS NOT NULL))
);

CREATE TABLE operators (
	id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	name          text COLLATE "C" NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z0-9@._-]{1,64}$'),
	password_hash text NOT NULL CHECK (password_hash ~ '^\$'),
	role          text NOT NULL DEFAULT 'viewer' CHECK (role IN ('admin', 'viewer')),
	session       bigint NOT NULL DEFAULT 1,
	enabled       boolean NOT NULL DEFAULT true,
	created_at    timestamptz NOT NULL DEFAULT now(),
	last_login_at timestamptz
);
COMMENT ON COLUMN operators.session IS 'cookies carry it; adding one ends every login';

CREATE TABLE audit_log (
	id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at     timestamptz NOT NULL DEFAULT clock_timestamp(),
	actor  text NOT NULL,
	via    text NOT NULL,
	region text NOT NULL,
	action text NOT NULL,
	target text NOT NULL DEFAULT '',
	detail text NOT NULL DEFAULT '',
	ok     boolean NOT NULL
);

-- ---- what the programs read, stated once ----

-- A tenant by its name, its canonical id or its id. A name comes first.
CREATE FUNCTION anvil_tenant_id(who text) RETURNS uuid
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
	SELECT coalesce(
		(SELECT id FROM tenants WHERE name = who),
		(SELECT id FROM tenants WHERE canonical_id = who),
		(SELECT id FROM tenants WHERE id = CASE WHEN who ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN who::uuid END))
$$;

-- struct bucket of meta/meta.h, column by column.
CREATE VIEW bucket_rows AS
	SELECT b.id, b.name, b.region, b.tenant_id, t.canonical_id, t.name AS tenant_name, b.status, b.routing_mode,
		b.versioning, (SELECT c.document FROM bucket_configs c WHERE c.bucket_id = b.id AND c.kind = 'policy') AS policy,
		(SELECT string_agg(c.kind, ',') FROM bucket_configs c WHERE c.bucket_id = b.id) AS kinds, b.created_at
	FROM buckets b JOIN tenants t ON t.id = b.tenant_id;

-- struct app: what authentication and authorization need of an access key.
CREATE VIEW app_rows AS
	SELECT a.access_key, a.name, a.tenant_id, t.name AS tenant_name, t.canonical_id, a.enabled AND t.enabled AS enabled,
		a.sealed_secret, a.access = 'full' AS full_access, ARRAY(SELECT p.document FROM app_policies ap JOIN policies p ON p.id = ap.policy_id
			WHERE ap.access_key = a.access_key ORDER BY p.name) AS policies, a.created_at
	FROM apps a JOIN tenants t ON t.id = a.tenant_id;

-- struct app_info: what operators see of it.
CREATE VIEW app_infos AS
	SELECT a.access_key, a.name, t.name AS tenant_name, a.tenant_id, a.enabled, t.enabled AS tenant_enabled,
		a.access = 'full' AS full_access,
		ARRAY(SELECT p.name FROM app_policies ap JOIN policies p ON p.id = ap.policy_id
			WHERE ap.access_key = a.access_key ORDER BY p.name) AS policies, a.created_at
	FROM apps a JOIN tenants t ON t.id = a.tenant_id;
