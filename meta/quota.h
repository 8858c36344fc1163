/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/quota.h - how much a bucket may hold, and what it holds.
 *
 * A quota is a document of the bucket in the global database, so it goes where the bucket
 * goes. The region where the bucket is at home keeps an account of what is there, and its
 * database refuses what would be too much (sql/regional/0032-quotas.sql); whoever writes
 * fails with ERR_QUOTA. Bytes are those of all versions and of the parts of uploads under
 * way; objects are versions, delete markers not counted.
 */
#ifndef ANVIL_META_QUOTA_H
#define ANVIL_META_QUOTA_H

#include "meta/meta.h"

/* Sets (NULL: removes) a bucket's quota. It is in force once its home settled it. CONFIG_NONE: it had none. */
MUST_CHECK int meta_quota_set(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, const struct quota *q,
    enum config_done *out, struct err *err);
/* The bucket's quota, from the primary: 1, or 0 it has none, and *out no limits. ERR_NOT_FOUND: there is no such bucket. */
MUST_CHECK int meta_quota_find(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, struct quota *out,
    struct err *err);

/* ---- in the bucket's home region ---- */

enum quota_settled {
	QUOTA_AS_BEFORE,
	QUOTA_IN_FORCE,   /* from now on */
	QUOTA_UNCOUNTED,  /* it will be, once the bucket is counted */
	QUOTA_GONE        /* there is no account here any more */
};
/*
 * Does here what the primary says of a bucket's quota: the account is begun, its limits are set, or it goes. count: also
 * counts what was there before, which reads all of the bucket's rows and may take minutes; else the caller does not wait
 * for more than db_timeout_ms, and a bucket too big for that stays uncounted.
 */
MUST_CHECK int meta_quota_settle(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, bool count,
    enum quota_settled *out, struct err *err);
/* The same for all buckets of this region, with counting; *changed of them were not as they should be. For maintain. */
MUST_CHECK int meta_quotas_settle(struct meta_thread *t, int64_t *changed, struct err *err);

struct usage {
	bool has_account, counted; /* counted: bytes and objects are all there is, and limits are in force */
	struct quota limits;       /* that are in force here */
	int64_t bytes, objects;
};
/* What the account says, by what is committed. */
MUST_CHECK int meta_usage(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, struct usage *out, struct err *err);
/*
 * What counting all of the bucket's rows gives more than the account says: 0 and 0, when all is well; without an account
 * all there is. Of one snapshot: writers may go on. correct: the account is told. May take minutes.
 */
MUST_CHECK int meta_usage_count(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, bool correct,
    int64_t *bytes, int64_t *objects, struct err *err);
/* Accounts of this region, in the order of their ids, behind `after`. */
MUST_CHECK int meta_quota_accounts(struct meta_thread *t, struct arena *a, const struct uuid *after, int max, struct uuid **out,
    size_t *n, struct err *err);

/* What is about to be written: an object, or a part of an upload (upload_id not NULL). */
struct usage_add {
	const struct uuid *bucket_id, *upload_id;
	struct span key;
	int part;
	int64_t size;
};
/* Would it fit, by what is committed? Advice, before much is sent in vain: the write itself decides. */
MUST_CHECK int meta_usage_fits(struct meta_thread *t, struct arena *a, const struct usage_add *add, bool *fits, struct err *err);

struct quotas_sum {
	int64_t accounts, nearly_full, full, uncounted; /* nearly full: nine tenths, full ones too */
};
MUST_CHECK int meta_quotas_sum(struct meta_thread *t, struct arena *a, struct quotas_sum *out, struct err *err);

#endif
