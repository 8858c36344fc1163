-- SPDX-License-Identifier: Apache-2.0
-- Quotas of buckets are documents of theirs, of the kind "quota": {"bytes": N, "objects": N}, null for no limit. Their
-- regions look for all of them now and then.
CREATE INDEX bucket_configs_quota ON bucket_configs (bucket_id) WHERE kind = 'quota';
