-- SPDX-License-Identifier: Apache-2.0
-- How many buckets a tenant may have (S3 lets an account have 10,000), and the quota that each new one begins with. Together
-- they are the most that all of a tenant's buckets can hold, in all regions, with nothing to be counted across them.
ALTER TABLE tenants
	ADD COLUMN max_buckets int NOT NULL DEFAULT 10000 CHECK (max_buckets >= 0),
	ADD COLUMN bucket_bytes bigint CHECK (bucket_bytes >= 0),     -- null, both: no quota
	ADD COLUMN bucket_objects bigint CHECK (bucket_objects >= 0);
