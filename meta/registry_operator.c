/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/registry_operator.c - who may log in to the pages, and what was done.
 *
 * Owns:       nothing; results live in the caller's arena.
 * Called by:  admin/.
 * Blocks:     on the global database; changes also as meta_change() does.
 */
#include "meta/internal.h"

static void
operator_from_row(const struct db_rows *r, size_t row, struct operator_info *out)
{
	memcpy(out->id.b, db_span(r, row, 0).p, UUID_LEN);
	out->name = db_text(r, row, 1);
	out->role = db_text(r, row, 2);
	out->password_hash = db_is_null(r, row, 3) ? "" : db_text(r, row, 3);
	out->session = db_i64(r, row, 4);
	out->enabled = db_bool(r, row, 5);
	out->created_us = db_i64(r, row, 6);
	out->last_login_us = db_i64(r, row, 7);
}

static int
find_by(struct meta_thread *t, struct arena *a, enum stmt st, struct db_param param, struct operator_info *out,
    struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->global, a, st, &param, 1, &r, err) != 0)
		return -1;
	if (db_count(r) == 0)
		return FAIL(err, ERR_NOT_FOUND, "there is no such operator");
	operator_from_row(r, 0, out);
	return 0;
}

/* Operators are not cached: no event, nobody to wait for. */
static int
change_operator(struct meta_thread *t, enum stmt st, const struct db_param *params, size_t n, struct err *err)
{
	return meta_change_one(t, st, params, n, "such operator", err);
}

int
registry_operator_create(struct meta_thread *t, const char *name, const char *password_hash, const char *role,
    struct err *err)
{
	return change_operator(t, STMT_OPERATOR_CREATE,
	    (const struct db_param[]){ P_TEXT(name), P_TEXT(password_hash), P_TEXT(role) }, 3, err);
}

int
registry_operator_find(struct meta_thread *t, struct arena *a, const char *name, struct operator_info *out, struct err *err)
{
	return find_by(t, a, STMT_OPERATOR_FIND, P_TEXT(name), out, err);
}

int
registry_operator_by_id(struct meta_thread *t, struct arena *a, const struct uuid *id, struct operator_info *out,
    struct err *err)
{
	return find_by(t, a, STMT_OPERATOR_FIND_ID, P_UUID(id), out, err);
}

int
registry_operator_list(struct meta_thread *t, struct arena *a, struct operator_info **out, size_t *n, struct err *err)
{
	struct operator_info *list;
	struct db_rows *r;

	if (db_query(t->meta->global, a, STMT_OPERATOR_LIST, NULL, 0, &r, err) != 0)
		return -1;
	list = arena_array(a, db_count(r) + 1, sizeof(*list));
	if (list == NULL)
		return FAIL(err, ERR_LIMIT, "the list does not fit in memory");
	for (size_t i = 0; i < db_count(r); i++)
		operator_from_row(r, i, &list[i]);
	*out = list;
	*n = db_count(r);
	return 0;
}

int
registry_operator_set_password(struct meta_thread *t, const char *name, const char *password_hash, struct err *err)
{
	return change_operator(t, STMT_OPERATOR_SET_PASSWORD, (const struct db_param[]){ P_TEXT(name), P_TEXT(password_hash) }, 2,
	    err);
}

int
registry_operator_set_role(struct meta_thread *t, const char *name, const char *role, struct err *err)
{
	return change_operator(t, STMT_OPERATOR_SET_ROLE, (const struct db_param[]){ P_TEXT(name), P_TEXT(role) }, 2, err);
}

int
registry_operator_enable(struct meta_thread *t, const char *name, bool enabled, struct err *err)
{
	return change_operator(t, STMT_OPERATOR_ENABLE, (const struct db_param[]){ P_TEXT(name), P_BOOL(enabled) }, 2, err);
}

int
registry_operator_logout(struct meta_thread *t, const char *name, struct err *err)
{
	return change_operator(t, STMT_OPERATOR_LOGOUT, (const struct db_param[]){ P_TEXT(name) }, 1, err);
}

int
registry_operator_delete(struct meta_thread *t, const char *name, struct err *err)
{
	return change_operator(t, STMT_OPERATOR_DELETE, (const struct db_param[]){ P_TEXT(name) }, 1, err);
}

int
registry_operator_logged_in(struct meta_thread *t, const char *name, struct err *err)
{
	return change_operator(t, STMT_OPERATOR_LOGGED_IN, (const struct db_param[]){ P_TEXT(name) }, 1, err);
}

int
registry_audit_append(struct meta_thread *t, const struct audit_entry *e, struct err *err)
{
	const struct db_param params[] = { P_TEXT(e->actor), P_TEXT(e->via), P_TEXT(e->region), P_TEXT(e->action),
		P_TEXT(e->target == NULL ? "" : e->target), P_TEXT(e->detail == NULL ? "" : e->detail), P_BOOL(e->ok) };

	return db_query(t->meta->global, NULL, STMT_AUDIT_APPEND, params, ARRAY_LEN(params), NULL, err);
}

int
registry_audit_list(struct meta_thread *t, struct arena *a, int64_t before_id, int max, struct audit_entry **out,
    size_t *n, struct err *err)
{
	const struct db_param params[] = { P_INT(before_id <= 0 ? INT64_MAX : before_id), P_INT(max) };
	struct audit_entry *list;
	struct db_rows *r;

	if (db_query(t->meta->global, a, STMT_AUDIT_LIST, params, ARRAY_LEN(params), &r, err) != 0)
		return -1;
	list = arena_array(a, db_count(r) + 1, sizeof(*list));
	if (list == NULL)
		return FAIL(err, ERR_LIMIT, "the list does not fit in memory");
	for (size_t i = 0; i < db_count(r); i++)
		list[i] = (struct audit_entry){ db_i64(r, i, 0), db_i64(r, i, 1), db_text(r, i, 2), db_text(r, i, 3),
			db_text(r, i, 4), db_text(r, i, 5), db_text(r, i, 6), db_text(r, i, 7), db_bool(r, i, 8) };
	*out = list;
	*n = db_count(r);
	return 0;
}
