/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_doctor_blobs.c - doctor's --blobs: every file of the store against
 * the rows that name it, both ways.
 *
 * Owns:       nothing.
 * Called by:  act_doctor.c.
 * Blocks:     as long as reading the names of all files and rows takes.
 */
#include "admin/act.h"

#include "admin/maintain.h"
#include "admin/run.h"
#include "base/parse.h"

#define FAULTS_SHOWN 20

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
