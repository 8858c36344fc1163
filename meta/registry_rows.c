/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/registry_rows.c - what finding and listing have in common for everything
 * that operators see.
 *
 * Owns:       nothing; results live in the caller's arena.
 * Called by:  registry_*.c.
 * Blocks:     on the global database.
 */
#include "meta/internal.h"

int
registry_row(struct meta_thread *t, struct arena *a, enum stmt st, struct db_param param, const char *what, registry_row_fn fn,
    void *out, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->global, a, st, &param, 1, &r, err) != 0)
		return -1;
	if (db_count(r) == 0 && param.type == DB_TEXT)
		return FAIL(err, ERR_NOT_FOUND, "there is no %s \"%s\"", what, (const char *)param.p);
	if (db_count(r) == 0)
		return FAIL(err, ERR_NOT_FOUND, "there is no such %s", what);
	fn(r, 0, a, out);
	return 0;
}

void *
registry_rows(struct meta_thread *t, struct arena *a, enum stmt st, const struct db_param *params, size_t n_params,
    registry_row_fn fn, size_t size, size_t *n, struct err *err)
{
	struct db_rows *r;
	char *list;

	if (db_query(t->meta->global, a, st, params, n_params, &r, err) != 0)
		return NULL;
	list = arena_array(a, db_count(r) + 1, size);
	for (size_t i = 0; list != NULL && i < db_count(r); i++)
		fn(r, i, a, list + i * size);
	if (list == NULL || arena_overflowed(a)) {
		(void)FAIL(err, ERR_LIMIT, "the list does not fit in memory");
		return NULL;
	}
	*n = db_count(r);
	return list;
}
