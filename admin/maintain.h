/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/maintain.h - what keeps a region's bytes and rows in step: the only
 * place where store/ and meta/ meet outside a request. Every call can be
 * stopped at any step and run again, beside workers and beside itself.
 */
#ifndef ANVIL_ADMIN_MAINTAIN_H
#define ANVIL_ADMIN_MAINTAIN_H

#include "meta/upload.h"
#include "store/engine.h"

struct maintain {
	struct meta_thread *t; /* of a meta opened with META_REGIONAL */
	struct store *st;
	bool dry_run;          /* count only */
	int64_t lifecycle_day_s;
	bool again;            /* hold buckets against their lifecycle rules also where that was done today */
	bool force;            /* reap orphans even when most blobs are (see maintain_orphans) */
	/* counted */
	int64_t blobs_removed, bytes_removed; /* bytes: of orphans only; the dead list has no sizes */
	int64_t leftovers_removed;
	int64_t orphans_seen;
	int64_t buckets_ended;
	int64_t moves_ended;      /* buckets whose rows were removed since they are at home elsewhere */
	int64_t quotas_settled;   /* accounts that were not as their bucket's quota says (meta/quota.h) */
	int64_t versions_expired; /* by lifecycle rules (admin/lifecycle.h); a marker that hides a version counts as one */
	int64_t uploads_aborted;  /* by age (maintain_uploads), and by lifecycle rules */
	int64_t logs_delivered, logs_dropped; /* objects of access logs (admin/access_log.h), and files nobody may have */
	int64_t logs_kept;        /* files that the target's policy forbids for now */
	int64_t blobs_seen, rows_seen;        /* by the check and the reaping of orphans */
};

/* Blobs of overwritten and deleted objects, once dead for grace_s (settings: dead_blob_grace_s). */
MUST_CHECK int maintain_dead_blobs(struct maintain *m, int64_t grace_s, struct err *err);
/*
 * Files that no row names, older than min_age_s, of shards [first, end) (0, STORE_SHARDS = all); and, with
 * first = 0, leftovers of crashed writers. min_age_s must exceed the longest time between a blob's last
 * byte and its row: MAINTAIN_ORPHAN_AGE_S is far beyond db_timeout_ms. An age below MAINTAIN_ORPHAN_AGE_MIN_S is ERR_INVALID.
 * ERR_CONFLICT, with nothing more removed, once it finds more orphans than blobs with a row: then regional_dsn
 * is hardly the database of this store, or is restored from before most of it. m->force goes on.
 */
#define MAINTAIN_ORPHAN_AGE_S 86400
#define MAINTAIN_ORPHAN_AGE_MIN_S 1800
MUST_CHECK int maintain_orphans(struct maintain *m, unsigned first, unsigned end, int64_t min_age_s, struct err *err);
/* Uploads in parts that were begun longer ago than max_age_s and never ended; their blobs go to the dead list. */
MUST_CHECK int maintain_uploads(struct maintain *m, int64_t max_age_s, struct err *err);
/* Buckets whose fence is closed and whose global row is still there: a DeleteBucket that stopped half-way. */
MUST_CHECK int maintain_buckets(struct maintain *m, struct err *err);

/*
 * What moves of buckets left behind in this region: does what the primary says of them, and removes the rows of buckets that
 * are at home elsewhere, grace_s after they went.
 */
MUST_CHECK int maintain_moves(struct maintain *m, int64_t grace_s, struct err *err);

/* doctor: every row's blob is there with the row's size, every older file has a row. Shards [first, end), as above. */
enum blob_fault { BLOB_MISSING, BLOB_WRONG_SIZE, BLOB_ORPHAN };
struct blob_finding {
	enum blob_fault fault;
	struct blob_id id;
	const struct blob_row *row; /* NULL for an orphan */
	int64_t file_size;          /* -1 when missing */
};
/* 0 to go on, anything else to stop and be returned by maintain_check. */
typedef int (*maintain_found_fn)(const struct blob_finding *f, void *arg);
MUST_CHECK int maintain_check(struct maintain *m, unsigned first, unsigned end, int64_t min_age_s, maintain_found_fn fn, void *arg,
    struct err *err);

#endif
