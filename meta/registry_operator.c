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
operator_from_row(const struct db_rows *r, size_t row, struct arena *a, void *it)
{
	struct operator_info *out = it;

	(void)a;
	memcpy(out->id.b, db_span(r, row, 0).p, UUID_LEN);
	out->name = db_text(r, row, 1);
	out->role = db_text(r, row, 2);
	out->password_hash = db_is_null(r, row, 3) ? "" : db_text(r, row, 3);
	out->session = db_i64(r, row, 4);
	out->enabled = db_bool(r, row, 5);
	out->created_us = db_i64(r, row, 6);
	out->last_login_us = db_i64(r, row, 7);
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
	return registry_row(t, a, STMT_OPERATOR_FIND, P_TEXT(name), "operator", operator_from_row, out, err);
}

int
registry_operator_by_id(struct meta_thread *t, struct arena *a, const struct uuid *id, struct operator_info *out,
    struct err *err)
{
	return registry_row(t, a, STMT_OPERATOR_FIND_ID, P_UUID(id), "operator", operator_from_row, out, err);
}

int
registry_operator_list(struct meta_thread *t, struct arena *a, struct operator_info **out, size_t *n, struct err *err)
{
	*out = registry_rows(t, a, STMT_OPERATOR_LIST, NULL, 0, operator_from_row, sizeof(**out), n, err);
	return *out == NULL ? -1 : 0;
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

static void
audit_from_row(const struct db_rows *r, size_t row, struct arena *a, void *it)
{
	(void)a;
	*(struct audit_entry *)it = (struct audit_entry){ db_i64(r, row, 0), db_i64(r, row, 1), db_text(r, row, 2), db_text(r, row, 3),
		db_text(r, row, 4), db_text(r, row, 5), db_text(r, row, 6), db_text(r, row, 7), db_bool(r, row, 8) };
}

int
registry_audit_list(struct meta_thread *t, struct arena *a, int64_t before_id, int max, struct audit_entry **out,
    size_t *n, struct err *err)
{
	const struct db_param params[] = { P_INT(before_id <= 0 ? INT64_MAX : before_id), P_INT(max) };

	*out = registry_rows(t, a, STMT_AUDIT_LIST, params, ARRAY_LEN(params), audit_from_row, sizeof(**out), n, err);
	return *out == NULL ? -1 : 0;
}
