/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/registry_bucket.c - buckets, whoever owns them.
 *
 * Owns:       nothing; results live in the caller's arena.
 * Called by:  admin/.
 * Blocks:     on the global database; changes also as meta_change() does.
 */
#include "meta/internal.h"

int
registry_bucket_list(struct meta_thread *t, struct arena *a, const char *tenant, const char *region, const char *prefix,
    const char *after, int max, struct bucket **out, size_t *n, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->global, a, STMT_BUCKET_LIST_ALL,
	        (const struct db_param[]){ P_TEXT(tenant), P_TEXT(region), P_TEXT(prefix), P_TEXT(after), P_INT(max) }, 5, &r,
	        err) != 0)
		return -1;
	return bucket_list_from_rows(r, a, out, n, err);
}

int
registry_bucket_find(struct meta_thread *t, struct arena *a, const char *name, struct bucket *out, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->global, a, STMT_BUCKET_FIND, (const struct db_param[]){ P_TEXT(name) }, 1, &r, err) != 0)
		return -1;
	if (db_count(r) == 0 || db_is_null(r, 0, 2))
		return FAIL(err, ERR_NOT_FOUND, "there is no bucket \"%s\"", name);
	bucket_from_row(r, 0, 2, out);
	return 0;
}

int
registry_bucket_set_routing(struct meta_thread *t, const char *name, const char *mode, struct err *err)
{
	return meta_change_one(t, STMT_BUCKET_SET_ROUTING, (const struct db_param[]){ P_TEXT(name), P_TEXT(mode) }, 2,
	    "such bucket", err);
}

static void
name_row(const struct db_rows *r, size_t i, struct arena *a, void *out)
{
	(void)a;
	*(struct id_name *)out = (struct id_name){ db_text(r, i, 0), db_text(r, i, 1), db_text(r, i, 2) };
}

int
registry_names(struct meta_thread *t, struct arena *a, const struct uuid *buckets, size_t n_buckets, const char *const *owners,
    struct id_name **out, size_t *n, struct err *err)
{
	*out = registry_rows(t, a, STMT_UPLOAD_NAMES, (const struct db_param[]){ P_UUIDS(buckets, n_buckets), P_TEXTS(owners) }, 2,
	    name_row, sizeof(**out), n, err);
	return *out == NULL ? -1 : 0;
}
