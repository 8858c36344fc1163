/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/fence.c - opening and closing a bucket's fence.
 *
 * Owns:       nothing.
 * Called by:  meta/object.c at a bucket's first write, meta/bucket.c for
 *             DeleteBucket, admin/maintain.c.
 * Blocks:     on the regional database (closing: also on the bucket's writes
 *             under way); opening also on the global one.
 * Invariant:  DeleteBucket closes the fence before it removes the global row,
 *             so whoever still sees that row, however late, finds the fence
 *             closed; and a closed one cannot be opened (bucket_fence_guard).
 */
#include "meta/fence.h"

#include "base/fault.h"
#include "meta/internal.h"

/* Is it an active bucket of this region, in the primary's words, and has it versions? */
static int
ask_primary(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, bool *active, const char **versioning,
    struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->global, a, STMT_BUCKET_FIND_ID, (const struct db_param[]){ P_UUID(bucket_id) }, 1, &r, err) != 0)
		return -1;
	*versioning = db_count(r) == 1 ? db_text(r, 0, 3) : "";
	*active = db_count(r) == 1 && strcmp(db_text(r, 0, 2), "active") == 0;
	if (*active && strcmp(db_text(r, 0, 1), t->meta->settings->region) != 0)
		return FAIL(err, ERR_UNAVAILABLE, "the bucket has moved to another region");
	return 0;
}

static int
run_bool(struct meta_thread *t, struct arena *a, enum stmt st, const struct uuid *bucket_id, bool *out, struct err *err)
{
	struct db_rows *r;

	if (meta_write(t, a, bucket_id, st, (const struct db_param[]){ P_UUID(bucket_id) }, 1, &r, err) != 0)
		return -1;
	*out = db_bool(r, 0, 0);
	return 0;
}

static int
run_with(struct meta_thread *t, struct arena *a, enum stmt st, const struct uuid *bucket_id, const char *versioning, bool *out,
    struct err *err)
{
	struct db_rows *r;

	if (meta_write(t, a, bucket_id, st, (const struct db_param[]){ P_UUID(bucket_id), P_TEXT(versioning) }, 2, &r, err) != 0)
		return -1;
	*out = db_bool(r, 0, 0);
	return 0;
}

int
meta_fence_open(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, bool *open, struct err *err)
{
	const char *versioning;

	if (ask_primary(t, a, bucket_id, open, &versioning, err) != 0)
		return -1;
	fault_point(FAULT_POINT_fence_before_open);
	return *open ? run_with(t, a, STMT_FENCE_OPEN, bucket_id, versioning, open, err) : 0;
}

int
meta_fence_versioning(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, const char *versioning, bool *open,
    struct err *err)
{
	return run_with(t, a, STMT_FENCE_VERSIONING, bucket_id, versioning, open, err);
}

int
meta_fence_close(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, bool *closed, struct err *err)
{
	return run_bool(t, a, STMT_FENCE_CLOSE, bucket_id, closed, err);
}

int
meta_fence_end(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, struct err *err)
{
	return db_query(t->meta->regional, a, STMT_FENCE_END, (const struct db_param[]){ P_UUID(bucket_id) }, 1, NULL, err);
}

int
meta_fences_half_done(struct meta_thread *t, struct arena *a, int max, struct uuid **out, size_t *n, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_FENCES_HALF_DONE, (const struct db_param[]){ P_INT(max) }, 1, &r, err) != 0)
		return -1;
	return uuids_from_rows(r, a, out, n, err);
}

int
meta_fences_of_restored(struct meta_thread *t, struct arena *a, struct uuid *after, int max, struct uuid **out, size_t *n,
    bool *more, struct err *err)
{
	struct uuid *ids;
	struct db_rows *r;

	if (db_query(t->meta->global, a, STMT_BUCKET_PAGE,
	        (const struct db_param[]){ P_TEXT(t->meta->settings->region), P_UUID(after), P_INT(max) }, 3, &r, err) != 0 ||
	    uuids_from_rows(r, a, &ids, n, err) != 0)
		return -1;
	*more = *n == (size_t)max;
	*out = ids;
	if (*n == 0)
		return 0;
	*after = ids[*n - 1];
	if (db_query(t->meta->regional, a, STMT_FENCES_ENDED, (const struct db_param[]){ P_UUIDS(ids, *n) }, 1, &r, err) != 0)
		return -1;
	return uuids_from_rows(r, a, out, n, err);
}
