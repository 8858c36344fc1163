/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_doctor_blobs.c - doctor's --blobs: every file of the store against
 * the rows that name it, both ways; and what accounts of buckets say against their rows.
 *
 * Owns:       nothing.
 * Called by:  act_doctor.c.
 * Blocks:     as long as reading the names of all files and rows takes.
 */
#include "admin/act.h"

#include "admin/maintain.h"
#include "admin/run.h"
#include "base/parse.h"
#include "meta/quota.h"

#define FAULTS_SHOWN 20
#define ACCOUNTS_PAGE 100

struct tally {
	struct doctor *d;
	int64_t n[3]; /* by enum blob_fault */
};

static int
on_fault(const struct blob_finding *f, void *arg)
{
	struct tally *t = arg;
	char id[2 * BLOB_ID_LEN + 1], bucket[UUID_TEXT_LEN + 1];

	t->n[f->fault]++;
	if (f->fault == BLOB_ORPHAN || t->n[f->fault] > FAULTS_SHOWN)
		return 0;
	hex_encode(&f->id, sizeof(f->id), id);
	uuid_text(&f->row->bucket_id, bucket);
	if (f->fault == BLOB_MISSING)
		check_say(t->d, CHECK_FAIL, "blobs", "bring the file back from a copy of store_dir, or delete the object",
		    "the bytes of \"%.*s\" in bucket %s are not there: blob=%s", (int)f->row->key.len, f->row->key.p, bucket, id);
	else
		check_say(t->d, CHECK_FAIL, "blobs", "bring the file back from a copy of store_dir, or delete the object",
		    "\"%.*s\" in bucket %s has %" PRId64 " bytes, its file %" PRId64 ": blob=%s", (int)f->row->key.len,
		    f->row->key.p, bucket, f->row->size, f->file_size, id);
	return 0;
}

void
check_blobs(struct doctor *d)
{
	struct runtime *run = d->ctx->runtime;
	struct maintain m = { .t = run->thread, .st = run->store };
	struct tally t = { .d = d };
	struct err err = { 0 };

	if (!arg_flag(d->ctx, "blobs"))
		return;
	if (run->store == NULL || maintain_check(&m, 0, STORE_SHARDS, MAINTAIN_ORPHAN_AGE_S, on_fault, &t, &err) != 0) {
		check_say(d, CHECK_FAIL, "blobs", "mend the checks above first", "files and rows could not be compared: %s",
		    run->store == NULL ? "the store is not open" : err.detail);
		return;
	}
	if (t.n[BLOB_MISSING] + t.n[BLOB_WRONG_SIZE] > 0)
		check_say(d, CHECK_FAIL, "blobs", "look at the lines above; the disk or a restore is the usual cause",
		    "%" PRId64 " objects have lost their bytes, %" PRId64 " have bytes of another size", t.n[BLOB_MISSING],
		    t.n[BLOB_WRONG_SIZE]);
	else
		check_say(d, CHECK_OK, "blobs", NULL, "all %" PRId64 " rows that name a file have it, whole", m.rows_seen);
	if (t.n[BLOB_ORPHAN] > 0)
		check_say(d, CHECK_WARN, "blobs", "\"anvil-admin maintain --orphans\" removes them",
		    "%" PRId64 " of %" PRId64 " files have no row", t.n[BLOB_ORPHAN], m.blobs_seen);
}

/* ---- accounts ---- */

struct accounts {
	struct doctor *d;
	struct meta_thread *t;
	int64_t seen, wrong;
};

static int
check_account(struct accounts *c, struct arena *a, const struct uuid *bucket, struct err *err)
{
	int64_t bytes = 0, objects = 0;
	char id[UUID_TEXT_LEN + 1];
	struct usage u;

	if (meta_usage(c->t, a, bucket, &u, err) != 0)
		return -1;
	if (!u.counted) /* not begun yet, or gone meanwhile */
		return 0;
	if (meta_usage_count(c->t, a, bucket, false, &bytes, &objects, err) != 0)
		return -1;
	c->seen++;
	if (bytes == 0 && objects == 0)
		return 0;
	c->wrong++;
	uuid_text(bucket, id);
	check_say(c->d, CHECK_FAIL, "quotas", "\"anvil-admin bucket recount\" corrects it; rows that were changed by hand are the usual cause",
	    "the account of bucket %s lacks %" PRId64 " bytes and %" PRId64 " objects", id, bytes, objects);
	return 0;
}

static int
each_account(struct accounts *c, struct err *err)
{
	struct arena *list = arena_new(1 << 20), *a = arena_new(1 << 20);
	struct uuid after = { { 0 } }, *ids;
	size_t n = ACCOUNTS_PAGE;
	int rc = 0;

	while (rc == 0 && n == ACCOUNTS_PAGE) {
		arena_reset(list);
		rc = meta_quota_accounts(c->t, list, &after, ACCOUNTS_PAGE, &ids, &n, err);
		for (size_t i = 0; rc == 0 && i < n; i++) {
			arena_reset(a);
			rc = check_account(c, a, &ids[i], err);
			after = ids[i];
		}
	}
	arena_free(a);
	arena_free(list);
	return rc;
}

void
check_accounts(struct doctor *d)
{
	struct accounts c = { .d = d, .t = d->ctx->runtime->thread };
	struct err err = { 0 };

	if (!arg_flag(d->ctx, "blobs"))
		return;
	if (c.t == NULL || each_account(&c, &err) != 0)
		check_say(d, CHECK_FAIL, "quotas", "mend the checks above first", "accounts of buckets could not be compared: %s",
		    c.t == NULL ? "the databases are not open" : err.detail);
	else if (c.wrong == 0 && c.seen > 0)
		check_say(d, CHECK_OK, "quotas", NULL, "all %" PRId64 " accounts are what their buckets hold", c.seen);
}
