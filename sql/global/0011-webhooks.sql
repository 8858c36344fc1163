-- SPDX-License-Identifier: Apache-2.0
-- sql/global/0011-webhooks.sql - where buckets may send their events: made by operators
-- alone, since they make the servers call an address. Not cached: a bucket's document
-- names one, and what delivers reads the list (fcgi/deliver.c).

CREATE TABLE webhooks (
	name          text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9_-]{1,80}$'),
	url           text NOT NULL CHECK (octet_length(url) <= 2048 AND url ~ '^https?://[^/@[:space:][:cntrl:]]+(/[^[:space:][:cntrl:]]*)?$'),
	sealed_secret bytea NOT NULL CHECK (octet_length(sealed_secret) BETWEEN 34 AND 512),
	tenant_id     uuid REFERENCES tenants ON DELETE CASCADE,
	created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhooks_tenant ON webhooks (tenant_id);
COMMENT ON COLUMN webhooks.sealed_secret IS 'AES-256-GCM under the master key, bound to "webhook:" and the name';
COMMENT ON COLUMN webhooks.tenant_id IS 'whose buckets may name it; null: everybody''s';

-- The buckets whose configuration names a webhook, by queue or by topic, whatever region and account the ARN has.
CREATE FUNCTION anvil_webhook_buckets(p_name text) RETURNS SETOF uuid
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
	SELECT c.bucket_id FROM bucket_configs c
	WHERE c.kind = 'notification' AND c.document ~ ('<(Queue|Topic)>[^<]*:' || p_name || '</')
$$;

-- Whoever still counts on it should be asked first.
CREATE FUNCTION anvil_webhook_is_used() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM public.anvil_webhook_buckets(OLD.name)) THEN
		RAISE EXCEPTION 'webhook "%" is named by a bucket''s notification configuration', OLD.name
			USING ERRCODE = 'restrict_violation';
	END IF;
	RETURN OLD;
END $$;
CREATE TRIGGER webhook_is_used BEFORE DELETE ON webhooks FOR EACH ROW EXECUTE FUNCTION anvil_webhook_is_used();
