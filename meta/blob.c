/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/blob.c - which blobs rows name, and which nobody does any more: what
 * maintain and doctor compare with the store.
 *
 * Owns:       nothing; results live in the caller's arena.
 * Called by:  admin/maintain.c.
 * Blocks:     on the regional database.
 */
#include "meta/internal.h"
#include "meta/object.h"

int
uuids_from_rows(const struct db_rows *r, struct arena *a, struct uuid **out, size_t *n, struct err *err)
{
	struct uuid *list = arena_array(a, db_count(r) + 1, sizeof(*list));

	if (list == NULL)
		return FAIL(err, ERR_LIMIT, "the request's memory is used up");
	for (size_t i = 0; i < db_count(r); i++)
		memcpy(list[i].b, db_span(r, i, 0).p, UUID_LEN);
	*out = list;
	*n = db_count(r);
	return 0;
}

int
meta_dead_blobs(struct meta_thread *t, struct arena *a, int64_t grace_s, int max, struct uuid **out, size_t *n,
    struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_DEAD_BLOBS, (const struct db_param[]){ P_INT(grace_s), P_INT(max) }, 2, &r,
	        err) != 0)
		return -1;
	return uuids_from_rows(r, a, out, n, err);
}

int
meta_dead_blobs_forget(struct meta_thread *t, struct arena *a, const struct uuid *ids, size_t n, struct err *err)
{
	if (n == 0)
		return 0;
	return db_query(t->meta->regional, a, STMT_DEAD_BLOBS_FORGET, (const struct db_param[]){ P_UUIDS(ids, n) }, 1, NULL,
	    err);
}

static int
uuid_order(const void *a, const void *b)
{
	return memcmp(a, b, UUID_LEN);
}

int
meta_blobs_known(struct meta_thread *t, struct arena *a, const struct uuid *ids, size_t n, bool *known, struct err *err)
{
	struct db_rows *r;
	struct uuid *found;
	size_t n_found;

	if (n == 0)
		return 0;
	if (db_query(t->meta->regional, a, STMT_BLOBS_KNOWN, (const struct db_param[]){ P_UUIDS(ids, n) }, 1, &r, err) != 0 ||
	    uuids_from_rows(r, a, &found, &n_found, err) != 0)
		return -1;
	qsort(found, n_found, sizeof(*found), uuid_order);
	for (size_t i = 0; i < n; i++)
		known[i] = bsearch(&ids[i], found, n_found, sizeof(*found), uuid_order) != NULL;
	return 0;
}

int
meta_blob_rows(struct meta_thread *t, struct arena *a, const struct uuid *first, const struct uuid *last, int max,
    struct blob_row **out, size_t *n, struct err *err)
{
	struct blob_row *list;
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_BLOB_ROWS,
	        (const struct db_param[]){ P_UUID(first), P_UUID(last), P_INT(max) }, 3, &r, err) != 0)
		return -1;
	list = arena_array(a, db_count(r) + 1, sizeof(*list));
	if (list == NULL)
		return FAIL(err, ERR_LIMIT, "the request's memory is used up");
	for (size_t i = 0; i < db_count(r); i++) {
		memcpy(list[i].blob_id.b, db_span(r, i, 0).p, UUID_LEN);
		memcpy(list[i].bucket_id.b, db_span(r, i, 1).p, UUID_LEN);
		list[i].key = db_span(r, i, 2);
		list[i].size = db_i64(r, i, 3);
	}
	*out = list;
	*n = db_count(r);
	return 0;
}

/* ---- lifecycle ---- */

int
meta_lifecycle_due(struct meta_thread *t, struct arena *a, const struct bucket *b, int64_t day, const char *rules, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_LIFECYCLE_DUE,
	        (const struct db_param[]){ P_UUID(&b->id), P_INT(day), P_TEXT(rules) }, 3, &r, err) != 0)
		return -1;
	return db_bool(r, 0, 0) ? 1 : 0;
}

int
meta_lifecycle_walked(struct meta_thread *t, struct arena *a, const struct bucket *b, int64_t day, const char *rules, struct err *err)
{
	struct db_rows *r;

	return db_query(t->meta->regional, a, STMT_LIFECYCLE_WALKED,
	    (const struct db_param[]){ P_UUID(&b->id), P_INT(day), P_TEXT(rules) }, 3, &r, err);
}
