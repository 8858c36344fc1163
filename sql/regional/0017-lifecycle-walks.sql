-- SPDX-License-Identifier: Apache-2.0
-- When a bucket's objects were last held against its lifecycle rules.

-- What rules end they end at a midnight, so that a bucket of any size is walked once a day, and once more when its rules change.
CREATE TABLE lifecycle_walks (
    bucket_id   uuid PRIMARY KEY,
    day         bigint NOT NULL,        -- since 1970, in UTC
    rules       text COLLATE "C" NOT NULL -- md5 of the document
);
COMMENT ON TABLE lifecycle_walks IS 'Buckets whose lifecycle rules were carried out whole, and when; a row lost costs one more walk';
