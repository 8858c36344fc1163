/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/maintain.c - bytes and rows brought back into step.
 *
 * Owns:       an arena a batch.
 * Called by:  anvil-admin maintain and doctor.
 * Blocks:     on the store and the databases, batch by batch.
 * Invariant:  a blob is removed only when no row names it and none can come to:
 *             it is on the dead list and its grace is over, or it is so old that
 *             whoever wrote it has long committed its row or given up.
 */
#include "admin/maintain.h"

#include "base/chunk_seal.h"
#include "base/clock.h"
#include "meta/fence.h"

#define BATCH 1000
#define BATCH_ARENA ((size_t)64 * 1024 * 1024)
#define DRY_RUN_MAX 100000 /* dead blobs that a dry run counts */
#define ORPHANS_UNSUSPECTED 1000 /* so many may outnumber the blobs with a row, in a small store */

static struct uuid
uuid_of(const struct blob_id *id)
{
	struct uuid u;

	_Static_assert(sizeof(u) == sizeof(*id), "a blob's id is a uuid in the database");
	memcpy(&u, id, sizeof(u));
	return u;
}

static struct blob_id
blob_of(const struct uuid *u)
{
	struct blob_id id;

	memcpy(&id, u, sizeof(id));
	return id;
}

/* ---- the dead list ---- */

/* One batch; *n is how many there were. What was removed is forgotten also when the next one fails. */
static int
dead_batch(struct maintain *m, struct arena *a, int64_t grace_s, size_t *n, struct err *err)
{
	struct uuid *ids;
	size_t removed = 0;
	int rc = 0;

	if (meta_dead_blobs(m->t, a, grace_s, m->dry_run ? DRY_RUN_MAX : BATCH, &ids, n, err) != 0)
		return -1;
	if (m->dry_run) {
		m->blobs_removed += (int64_t)*n;
		return 0;
	}
	while (rc == 0 && removed < *n) {
		struct blob_id id = blob_of(&ids[removed]);

		rc = store_remove(m->st, &id, err);
		removed += rc == 0 ? 1 : 0;
	}
	if (meta_dead_blobs_forget(m->t, a, ids, removed, err) != 0)
		return -1;
	m->blobs_removed += (int64_t)removed;
	return rc;
}

int
maintain_dead_blobs(struct maintain *m, int64_t grace_s, struct err *err)
{
	struct arena *a = arena_new(BATCH_ARENA);
	size_t n;
	int rc;

	do {
		arena_reset(a);
		rc = dead_batch(m, a, grace_s, &n, err);
	} while (rc == 0 && n == BATCH && !m->dry_run);
	arena_free(a);
	return rc;
}

/* ---- uploads ---- */

/* One batch; *ended of them are over now. */
static int
uploads_batch(struct maintain *m, struct arena *a, int64_t max_age_s, size_t *ended, struct err *err)
{
	struct upload_stale *stale;
	enum upload_did did;
	size_t n;

	*ended = 0;
	if (meta_uploads_stale(m->t, a, max_age_s, m->dry_run ? DRY_RUN_MAX : BATCH, &stale, &n, err) != 0)
		return -1;
	if (m->dry_run) {
		m->uploads_aborted += (int64_t)n;
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (meta_upload_abort(m->t, a, &stale[i].bucket_id, stale[i].key, &stale[i].id, &did, err) != 0)
			return -1;
		*ended += did == UPLOAD_DONE; /* else it ended by itself meanwhile */
	}
	m->uploads_aborted += (int64_t)*ended;
	return 0;
}

int
maintain_uploads(struct maintain *m, int64_t max_age_s, struct err *err)
{
	struct arena *a = arena_new(BATCH_ARENA);
	size_t ended;
	int rc;

	do {
		arena_reset(a);
		rc = uploads_batch(m, a, max_age_s, &ended, err);
	} while (rc == 0 && ended > 0);
	arena_free(a);
	return rc;
}

/* ---- orphans ---- */

struct reap {
	struct maintain *m;
	struct arena *arena;
	struct err *err;
	int64_t older_than_us;
	size_t n;
	struct uuid ids[BATCH];
	int64_t sizes[BATCH];
	bool known[BATCH];
};

static int
reap_one(struct reap *r, size_t i)
{
	struct maintain *m = r->m;
	struct blob_id id = blob_of(&r->ids[i]);

	m->orphans_seen++;
	if (!m->force && m->orphans_seen > ORPHANS_UNSUSPECTED && m->orphans_seen * 2 > m->blobs_seen)
		return FAIL(r->err, ERR_CONFLICT, "most blobs have no row (%" PRId64 " of %" PRId64 "): is regional_dsn the database "
		    "of this store_dir?", m->orphans_seen, m->blobs_seen);
	if (!m->dry_run && store_remove(m->st, &id, r->err) != 0)
		return -1;
	m->blobs_removed++;
	m->bytes_removed += r->sizes[i];
	return 0;
}

static int
reap_batch(struct reap *r)
{
	size_t n = r->n;

	r->n = 0;
	arena_reset(r->arena);
	if (meta_blobs_known(r->m->t, r->arena, r->ids, n, r->known, r->err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!r->known[i] && reap_one(r, i) != 0)
			return -1;
	return 0;
}

static int
reap_seen(const struct blob_id *id, int64_t size, int64_t mtime_us, void *arg)
{
	struct reap *r = arg;

	r->m->blobs_seen++;
	if (mtime_us > r->older_than_us)
		return 0;
	r->ids[r->n] = uuid_of(id);
	r->sizes[r->n++] = size;
	return r->n < BATCH ? 0 : reap_batch(r);
}

static int
check_age(int64_t min_age_s, struct err *err)
{
	if (min_age_s < MAINTAIN_ORPHAN_AGE_MIN_S)
		return FAIL(err, ERR_INVALID, "blobs younger than %d s may be about to get their row", MAINTAIN_ORPHAN_AGE_MIN_S);
	return 0;
}

static int
sweep(struct maintain *m, int64_t min_age_s, struct err *err)
{
	int64_t removed;

	if (m->dry_run)
		return 0;
	if (store_sweep(m->st, min_age_s, &removed, err) != 0)
		return -1;
	m->leftovers_removed += removed;
	return 0;
}

int
maintain_orphans(struct maintain *m, unsigned first, unsigned end, int64_t min_age_s, struct err *err)
{
	struct arena *own, *batch;
	struct reap *r;
	int rc = 0;

	if (check_age(min_age_s, err) != 0 || (first == 0 && sweep(m, min_age_s, err) != 0))
		return -1;
	own = arena_new(sizeof(*r) + 65536);
	batch = arena_new(BATCH_ARENA);
	r = ARENA_NEW(own, struct reap);
	ASSERT(r != NULL);
	r->m = m;
	r->arena = batch;
	r->err = err;
	r->older_than_us = clock_wall_us() - min_age_s * US_PER_S;
	for (unsigned shard = first; rc == 0 && shard < end && shard < STORE_SHARDS; shard++)
		rc = store_each(m->st, shard, reap_seen, r, err);
	if (rc == 0)
		rc = reap_batch(r);
	arena_free(batch);
	arena_free(own);
	return rc;
}

/* ---- buckets ---- */

static int
end_buckets(struct maintain *m, struct arena *a, const struct uuid *ids, size_t n, struct err *err)
{
	for (size_t i = 0; i < n && !m->dry_run; i++) {
		char name[UUID_TEXT_LEN + 1];
		struct bucket b = { .id = ids[i], .name = name, .region = meta_settings(meta_of(m->t))->region };
		enum bucket_gone gone;

		/* Its name is the global row's, which may be gone; deleting goes by the id. */
		uuid_text(&ids[i], name);
		if (meta_bucket_delete(m->t, a, &b, &gone, err) != 0)
			return -1;
		if (gone == BUCKET_NOT_EMPTY)
			return FAIL(err, ERR_INTERNAL, "bucket %s is closed and has objects", name);
	}
	m->buckets_ended += (int64_t)n;
	return 0;
}

/* Deletes that a crash left half done, and those that a restore of the global database undid: nobody could write there. */
int
maintain_buckets(struct maintain *m, struct err *err)
{
	struct arena *a = arena_new(BATCH_ARENA);
	struct uuid *ids, after = { { 0 } };
	bool more = true;
	size_t n = 0;
	int rc = meta_fences_half_done(m->t, a, BATCH, &ids, &n, err);

	if (rc == 0)
		rc = end_buckets(m, a, ids, n, err);
	while (rc == 0 && more) {
		arena_reset(a);
		rc = meta_fences_of_restored(m->t, a, &after, BATCH, &ids, &n, &more, err);
		if (rc == 0)
			rc = end_buckets(m, a, ids, n, err);
	}
	arena_free(a);
	return rc;
}

/* ---- doctor ---- */

struct file {
	struct blob_id id; /* first: files are sorted and found by it */
	int64_t size, mtime_us;
	bool has_row;
};
/* One shard's files, in an array that grows in its arena. */
struct files {
	struct arena *arena;
	struct file *v;
	size_t n, room;
	struct err *err;
};

static int
file_seen(const struct blob_id *id, int64_t size, int64_t mtime_us, void *arg)
{
	struct files *f = arg;

	if (f->n == f->room) {
		size_t room = f->room == 0 ? 4096 : f->room * 2;
		struct file *v = arena_array(f->arena, room, sizeof(*v));

		if (v == NULL)
			return FAIL(f->err, ERR_LIMIT, "a shard of the store has more than %zu blobs", f->n);
		if (f->n > 0)
			memcpy(v, f->v, f->n * sizeof(*v));
		f->v = v;
		f->room = room;
	}
	f->v[f->n++] = (struct file){ *id, size, mtime_us, false };
	return 0;
}

static int
id_order(const void *a, const void *b)
{
	return memcmp(a, b, BLOB_ID_LEN);
}

/* Its size now; -1 when it is not there. */
static int
size_now(struct maintain *m, const struct blob_id *id, int64_t *size, struct err *err)
{
	struct err why = { 0 };
	struct blob_reader *r;

	*size = -1;
	if (store_open_blob(m->st, id, &r, &why) == 0) {
		*size = blob_size(r);
		blob_close(r);
		return 0;
	}
	return why.code == ERR_NOT_FOUND ? 0 : err_fail(err, why.code, why.where, "%s", why.detail);
}

/* An encrypted object's file is longer by what seals it; that it is one is the object's or the upload's to know. */
static bool
size_fits(int64_t file_size, const struct blob_row *row)
{
	return file_size == row->size || file_size == chunk_seal_size(row->size);
}

/* A row and its file. Before either is accused, both are looked at again: workers go on meanwhile. */
static int
check_row(struct maintain *m, struct arena *a, struct files *f, const struct blob_row *row, maintain_found_fn fn, void *arg,
    struct err *err)
{
	struct blob_finding found = { BLOB_MISSING, blob_of(&row->blob_id), row, -1 };
	struct file *file = f->n == 0 ? NULL : bsearch(&found.id, f->v, f->n, sizeof(*f->v), id_order);
	struct blob_row *again;
	size_t n;

	m->rows_seen++;
	if (file != NULL)
		file->has_row = true;
	if (file != NULL && size_fits(file->size, row))
		return 0;
	if (size_now(m, &found.id, &found.file_size, err) != 0 ||
	    meta_blob_rows(m->t, a, &row->blob_id, &row->blob_id, 1, &again, &n, err) != 0)
		return -1;
	if (n == 0 || size_fits(found.file_size, row))
		return 0;
	found.fault = found.file_size < 0 ? BLOB_MISSING : BLOB_WRONG_SIZE;
	return fn(&found, arg);
}

/* The next id in order; false after the last of all. */
static bool
uuid_next(struct uuid *u)
{
	for (int i = UUID_LEN - 1; i >= 0; i--)
		if (++u->b[i] != 0)
			return true;
	return false;
}

static int
check_rows(struct maintain *m, struct files *f, unsigned shard, maintain_found_fn fn, void *arg, struct err *err)
{
	struct arena *a = arena_new(BATCH_ARENA);
	struct blob_id first, last;
	struct uuid from, to;
	struct blob_row *rows;
	size_t n = BATCH;
	int rc = 0;

	store_shard_range(shard, &first, &last);
	from = uuid_of(&first);
	to = uuid_of(&last);
	while (rc == 0 && n == BATCH) {
		arena_reset(a);
		rc = meta_blob_rows(m->t, a, &from, &to, BATCH, &rows, &n, err);
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = check_row(m, a, f, &rows[i], fn, arg, err);
		if (rc == 0 && n == BATCH) {
			from = rows[n - 1].blob_id;
			if (!uuid_next(&from))
				break;
		}
	}
	arena_free(a);
	return rc;
}

/* Files that had no row: unless young, on the dead list, or removed meanwhile, they are orphans. */
static int
check_files(struct maintain *m, struct files *f, int64_t older_than_us, maintain_found_fn fn, void *arg, struct err *err)
{
	struct arena *a = arena_new(BATCH_ARENA);
	struct uuid *ids = arena_array(a, f->n + 1, sizeof(*ids));
	bool *known = arena_array(a, f->n + 1, sizeof(*known));
	size_t n = 0;
	int rc = 0;

	if (ids == NULL || known == NULL)
		rc = FAIL(err, ERR_LIMIT, "a shard of the store has more than %zu blobs", f->n);
	for (size_t i = 0; rc == 0 && i < f->n; i++)
		if (!f->v[i].has_row && f->v[i].mtime_us <= older_than_us)
			ids[n++] = uuid_of(&f->v[i].id);
	for (size_t at = 0; rc == 0 && at < n; at += BATCH) {
		struct arena_mark mark = arena_mark(a);

		rc = meta_blobs_known(m->t, a, ids + at, n - at < BATCH ? n - at : BATCH, known + at, err);
		arena_rewind(a, mark);
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct blob_finding found = { BLOB_ORPHAN, blob_of(&ids[i]), NULL, -1 };

		if (!known[i])
			rc = size_now(m, &found.id, &found.file_size, err);
		if (rc == 0 && found.file_size >= 0) {
			m->orphans_seen++;
			rc = fn(&found, arg);
		}
	}
	arena_free(a);
	return rc;
}

int
maintain_check(struct maintain *m, unsigned first, unsigned end, int64_t min_age_s, maintain_found_fn fn, void *arg,
    struct err *err)
{
	struct arena *a;
	int rc = 0;

	if (check_age(min_age_s, err) != 0)
		return -1;
	a = arena_new(BATCH_ARENA * 16);
	for (unsigned shard = first; rc == 0 && shard < end && shard < STORE_SHARDS; shard++) {
		struct files f = { .arena = a, .err = err };

		arena_reset(a);
		rc = store_each(m->st, shard, file_seen, &f, err);
		if (rc != 0)
			break;
		m->blobs_seen += (int64_t)f.n;
		if (f.n > 0)
			qsort(f.v, f.n, sizeof(*f.v), id_order);
		rc = check_rows(m, &f, shard, fn, arg, err);
		if (rc == 0)
			rc = check_files(m, &f, clock_wall_us() - min_age_s * US_PER_S, fn, arg, err);
	}
	arena_free(a);
	return rc;
}
