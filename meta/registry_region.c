/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/registry_region.c - regions: how they join, move and leave.
 *
 * Owns:       nothing; results live in the caller's arena.
 * Called by:  admin/.
 * Blocks:     on the global database; changes also as meta_change() does.
 */
#include "meta/internal.h"

int
registry_region_create(struct meta_thread *t, const struct region *r, struct err *err)
{
	return meta_change_one(t, STMT_REGION_CREATE,
	    (const struct db_param[]){ P_TEXT(r->name), P_TEXT(r->endpoint), P_TEXTS(r->domains), P_TEXT(r->inv_pub),
	        P_TEXT(r->inv_rep) }, 5, "region", err);
}

int
registry_region_update(struct meta_thread *t, const struct region *r, struct err *err)
{
	return meta_change_one(t, STMT_REGION_UPDATE,
	    (const struct db_param[]){ P_TEXT(r->name), P_TEXT(r->endpoint), P_TEXTS(r->domains), P_TEXT(r->inv_pub),
	        P_TEXT(r->inv_rep) }, 5, "such region", err);
}

int
registry_region_list(struct meta_thread *t, struct arena *a, struct region_info **out, size_t *n, struct err *err)
{
	struct region_info *list;
	struct db_rows *r;

	if (db_query(t->meta->global, a, STMT_REGION_LIST, NULL, 0, &r, err) != 0)
		return -1;
	list = arena_array(a, db_count(r) + 1, sizeof(*list));
	for (size_t i = 0; list != NULL && i < db_count(r); i++) {
		region_from_row(r, i, 0, a, &list[i].r);
		list[i].n_buckets = db_i64(r, i, 7);
		list[i].leaving_us = db_i64(r, i, 8);
		list[i].lost_us = db_i64(r, i, 9);
	}
	if (arena_overflowed(a))
		return FAIL(err, ERR_LIMIT, "the list does not fit in memory");
	*out = list;
	*n = db_count(r);
	return 0;
}

int
registry_region_leave(struct meta_thread *t, const char *name, struct err *err)
{
	return meta_change_one(t, STMT_REGION_LEAVE, (const struct db_param[]){ P_TEXT(name) }, 1, "such region", err);
}

struct removal {
	const char *name;
	struct arena *arena;
};

static int
remove_tx(struct db *db, void *arg, struct err *err)
{
	struct removal *rm = arg;
	struct db_rows *r;

	if (db_run(db, rm->arena, STMT_REGION_REMOVE, (const struct db_param[]){ P_TEXT(rm->name) }, 1, &r, err) != 0)
		return -1;
	return db_count(r) > 0 ? 0 : FAIL(err, ERR_CONFLICT, "the region may still trust its cache: it has asked again");
}

/* Only one that is leaving goes. */
static int
is_leaving(struct meta_thread *t, struct removal *rm, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->global, rm->arena, STMT_REGION_STATE, (const struct db_param[]){ P_TEXT(rm->name) }, 1, &r, err) != 0)
		return -1;
	if (db_count(r) == 0)
		return FAIL(err, ERR_NOT_FOUND, "there is no such region");
	return strcmp(db_text(r, 0, 0), "leaving") == 0 ? 0 : FAIL(err, ERR_CONFLICT, "the region is not leaving");
}

int
registry_region_remove(struct meta_thread *t, const char *name, struct err *err)
{
	struct removal rm = { name, arena_new(1 << 20) };
	int rc = is_leaving(t, &rm, err);

	if (rc == 0)
		rc = meta_wait_lost(t, rm.arena, name, err);
	if (rc == 0)
		rc = meta_change(t, remove_tx, &rm, err);
	arena_free(rm.arena);
	return rc;
}
