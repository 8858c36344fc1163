-- SPDX-License-Identifier: Apache-2.0
-- Object lock: whether a bucket's versions may be locked, and for how long they
-- are unless their writer says otherwise. In the bucket's row, because every
-- write asks for it, and because it must agree with versioning.

ALTER TABLE buckets
	ADD COLUMN object_lock text NOT NULL DEFAULT ''
		CHECK (object_lock ~ '^(|Enabled|(GOVERNANCE|COMPLIANCE) [1-9][0-9]{0,4} (Days|Years))$'),
	ADD CONSTRAINT object_lock_has_versions CHECK (object_lock = '' OR versioning = 'Enabled');
COMMENT ON COLUMN buckets.object_lock IS 'empty: never; Enabled; or the default retention, "GOVERNANCE 30 Days"';
