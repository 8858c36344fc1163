-- SPDX-License-Identifier: Apache-2.0
-- The regional database: what lives in a region's buckets.
--
-- Every table leads with bucket_id, so that it can be distributed or
-- partitioned by it without a rewrite. There are no foreign keys: a reference
-- to bucket_fences would lock its row at every write. Keys are UTF-8 in the
-- order of bytes, which COLLATE "C" is, whatever the database's own collation.

DO $$ BEGIN
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'the regional database must have the encoding UTF8, not %', current_setting('server_encoding')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END $$;

CREATE TABLE bucket_fences (
    bucket_id   uuid PRIMARY KEY,
    opened_at   timestamptz NOT NULL DEFAULT now(),
    closed_at   timestamptz,            -- once set, set for ever: see bucket_fence_guard
    ended_at    timestamptz             -- the global row is known to be gone too
);
COMMENT ON TABLE bucket_fences IS 'Whether objects may be written under a bucket id; decides, whatever a cache believes';
-- maintain asks for the DeleteBuckets that stopped half-way, among all that ever were.
CREATE INDEX bucket_fences_half_done ON bucket_fences (closed_at) WHERE closed_at IS NOT NULL AND ended_at IS NULL;

-- ord orders the versions of a key, the newest first in plain index order: 0 is
-- the null version of a bucket that never had versioning, later ones count
-- down. So one index gives the current version, all versions, and listings.
-- There are no CHECKs: PostgreSQL reads their text anew at each INSERT, and they
-- were a tenth of object_put's time. What may be put is checked in meta/object.c.
CREATE TABLE objects (
    bucket_id     uuid NOT NULL,
    ord           bigint NOT NULL DEFAULT 0,
    size          bigint NOT NULL,
    mtime         timestamptz NOT NULL,
    blob_id       uuid,                 -- the bytes are one blob; or
    parts_id      uuid,                 -- they are the parts of this upload, in order; or they are in data
    is_null       boolean NOT NULL DEFAULT true,   -- the version that "null" names
    is_marker     boolean NOT NULL DEFAULT false,  -- a delete marker
    key           text COLLATE "C" NOT NULL,
    etag          text COLLATE "C" NOT NULL,
    storage_class text COLLATE "C",     -- null: STANDARD
    owner_id      text COLLATE "C",     -- null: the bucket's owner
    checksums     bytea,
    headers       bytea,
    data          bytea,                -- small objects; never read by a listing
    PRIMARY KEY (bucket_id, key, ord)
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05);
-- Bodies are mostly compressed already, and compressing them is most of a small PUT's time.
ALTER TABLE objects ALTER COLUMN data SET STORAGE EXTERNAL;
-- "Who names this blob?" for maintain and doctor. Objects that live in their row are not in it.
CREATE INDEX objects_blob ON objects (blob_id) WHERE blob_id IS NOT NULL;

CREATE TABLE uploads (
    bucket_id     uuid NOT NULL,
    upload_id     uuid NOT NULL,
    key           text COLLATE "C" NOT NULL,
    started_at    timestamptz NOT NULL DEFAULT now(),
    storage_class text COLLATE "C",
    owner_id      text COLLATE "C",
    checksums     bytea,
    headers       bytea,
    PRIMARY KEY (bucket_id, key, upload_id)
);
COMMENT ON TABLE uploads IS 'Multipart uploads under way; a completed one is an object with parts_id = upload_id';

CREATE TABLE parts (
    bucket_id     uuid NOT NULL,
    upload_id     uuid NOT NULL,
    part_no       int NOT NULL CHECK (part_no BETWEEN 1 AND 10000),
    size          bigint NOT NULL CHECK (size >= 0),
    first_byte    bigint,               -- where it lies in the object; null while the upload is under way
    mtime         timestamptz NOT NULL,
    blob_id       uuid,
    etag          text COLLATE "C" NOT NULL,
    checksums     bytea,
    data          bytea,
    PRIMARY KEY (bucket_id, upload_id, part_no)
);
ALTER TABLE parts ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE INDEX parts_blob ON parts (blob_id) WHERE blob_id IS NOT NULL;

CREATE TABLE dead_blobs (
    bucket_id   uuid NOT NULL,
    blob_id     uuid NOT NULL,
    died_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (blob_id, bucket_id)
);
COMMENT ON TABLE dead_blobs IS 'Blobs that no row names any more; removed after a grace time';
CREATE INDEX dead_blobs_died ON dead_blobs (died_at);

-- Whatever lets go of a blob puts it on the dead list in the same transaction,
-- by trigger, so that no statement, by whatever program, can lose one. An
-- insert costs nothing, and a row without a blob only the look at WHEN.

CREATE FUNCTION blob_died() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dead_blobs (bucket_id, blob_id) VALUES (OLD.bucket_id, OLD.blob_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE FUNCTION object_parts_died() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM parts WHERE bucket_id = OLD.bucket_id AND upload_id = OLD.parts_id;
    RETURN NULL;
END $$;

CREATE TRIGGER objects_blob_replaced AFTER UPDATE ON objects FOR EACH ROW
    WHEN (OLD.blob_id IS NOT NULL AND OLD.blob_id IS DISTINCT FROM NEW.blob_id) EXECUTE FUNCTION blob_died();
CREATE TRIGGER objects_blob_deleted AFTER DELETE ON objects FOR EACH ROW
    WHEN (OLD.blob_id IS NOT NULL) EXECUTE FUNCTION blob_died();
CREATE TRIGGER objects_parts_replaced AFTER UPDATE ON objects FOR EACH ROW
    WHEN (OLD.parts_id IS NOT NULL AND OLD.parts_id IS DISTINCT FROM NEW.parts_id) EXECUTE FUNCTION object_parts_died();
CREATE TRIGGER objects_parts_deleted AFTER DELETE ON objects FOR EACH ROW
    WHEN (OLD.parts_id IS NOT NULL) EXECUTE FUNCTION object_parts_died();
CREATE TRIGGER parts_blob_replaced AFTER UPDATE ON parts FOR EACH ROW
    WHEN (OLD.blob_id IS NOT NULL AND OLD.blob_id IS DISTINCT FROM NEW.blob_id) EXECUTE FUNCTION blob_died();
CREATE TRIGGER parts_blob_deleted AFTER DELETE ON parts FOR EACH ROW
    WHEN (OLD.blob_id IS NOT NULL) EXECUTE FUNCTION blob_died();
