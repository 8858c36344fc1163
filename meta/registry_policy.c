/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/registry_policy.c - named policies, as operators see them.
 *
 * Owns:       nothing; results live in the caller's arena.
 * Called by:  admin/.
 * Blocks:     on the global database; changes also as meta_change() does.
 */
#include "meta/internal.h"

static void
policy_from_row(const struct db_rows *r, size_t row, struct arena *a, void *it)
{
	struct policy_info *out = it;

	(void)a;
	out->name = db_text(r, row, 0);
	out->document = db_text(r, row, 1);
	out->n_apps = db_i64(r, row, 2);
	out->created_us = db_i64(r, row, 3);
	out->updated_us = db_i64(r, row, 4);
}

int
registry_policy_create(struct meta_thread *t, const char *name, const char *document, struct err *err)
{
	return meta_change_one(t, STMT_POLICY_CREATE, (const struct db_param[]){ P_TEXT(name), P_TEXT(document) }, 2,
	    "policy", err);
}

int
registry_policy_update(struct meta_thread *t, const char *name, const char *document, struct err *err)
{
	return meta_change_one(t, STMT_POLICY_UPDATE, (const struct db_param[]){ P_TEXT(name), P_TEXT(document) }, 2,
	    "such policy", err);
}

int
registry_policy_find(struct meta_thread *t, struct arena *a, const char *name, struct policy_info *out, struct err *err)
{
	return registry_row(t, a, STMT_POLICY_FIND, P_TEXT(name), "policy", policy_from_row, out, err);
}

int
registry_policy_list(struct meta_thread *t, struct arena *a, const char *after, int max, struct policy_info **out,
    size_t *n, struct err *err)
{
	*out = registry_rows(t, a, STMT_POLICY_LIST, (const struct db_param[]){ P_TEXT(after), P_INT(max) }, 2, policy_from_row,
	    sizeof(**out), n, err);
	return *out == NULL ? -1 : 0;
}

int
registry_policy_delete(struct meta_thread *t, const char *name, struct err *err)
{
	return meta_change_one(t, STMT_POLICY_DELETE, (const struct db_param[]){ P_TEXT(name) }, 1, "such policy", err);
}
