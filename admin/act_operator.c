/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_operator.c - operators of the admin pages, and the audit log.
 *
 * Owns:       nothing.
 * Called by:  admin/run.c through actions.def.
 * Blocks:     on the global database; a password's hash takes its time.
 */
#include "admin/act.h"

#include "admin/password.h"

static const struct column operator_cols[] = {
	{ "name", "Name", COL_TEXT },
	{ "role", "Role", COL_TEXT },
	{ "state", "State", COL_STATE },
	{ "created", "Created", COL_TIME },
	{ "last_login", "Last login", COL_TIME },
};
static const struct column audit_cols[] = {
	{ "id", "Number", COL_INT },
	{ "at", "When", COL_TIME },
	{ "actor", "Who", COL_TEXT },
	{ "via", "Via", COL_TEXT },
	{ "region", "Region", COL_TEXT },
	{ "action", "Action", COL_TEXT },
	{ "target", "Target", COL_TEXT },
	{ "outcome", "Outcome", COL_STATE },
	{ "detail", "Detail", COL_TEXT },
};

int
act_operator_create(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name"), *role = arg_str_or(c, "role", "viewer");
	const char *hash = password_hash(c->arena, arg_str(c, "password"), err);

	if (hash == NULL || registry_operator_create(c->thread, name, hash, role, err) != 0)
		return -1;
	SAY(c, "operator \"%s\" may log in as %s", name, role);
	return 0;
}

int
act_operator_list(struct action_ctx *c, struct err *err)
{
	struct operator_info *list;
	struct table *t;
	size_t n;

	if (registry_operator_list(c->thread, c->arena, &list, &n, err) != 0)
		return -1;
	t = RESULT_LIST(c->result, "operators", operator_cols);
	for (size_t i = 0; i < n; i++)
		ROW(t, C_TEXT(list[i].name), C_TEXT(list[i].role), C_TEXT(enabled_word(list[i].enabled)),
		    C_INT(list[i].created_us), C_INT(list[i].last_login_us));
	return 0;
}

int
act_operator_role(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name"), *role = arg_str(c, "role");

	if (registry_operator_set_role(c->thread, name, role, err) != 0)
		return -1;
	SAY(c, "operator \"%s\" is %s now", name, role);
	return 0;
}

int
act_operator_password(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name");
	const char *hash = password_hash(c->arena, arg_str(c, "password"), err);

	if (hash == NULL || registry_operator_set_password(c->thread, name, hash, err) != 0)
		return -1;
	SAY(c, "operator \"%s\" has a new password; earlier logins have ended", name);
	return 0;
}

int
act_operator_logout(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name");

	if (registry_operator_logout(c->thread, name, err) != 0)
		return -1;
	SAY(c, "operator \"%s\" is logged out everywhere", name);
	return 0;
}

static int
set_enabled(struct action_ctx *c, bool enabled, struct err *err)
{
	const char *name = arg_str(c, "name");

	if (registry_operator_enable(c->thread, name, enabled, err) != 0)
		return -1;
	SAY(c, enabled ? "operator \"%s\" may log in again" : "operator \"%s\" is kept out", name);
	return 0;
}

int
act_operator_disable(struct action_ctx *c, struct err *err)
{
	return set_enabled(c, false, err);
}

int
act_operator_enable(struct action_ctx *c, struct err *err)
{
	return set_enabled(c, true, err);
}

int
act_operator_delete(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name");

	if (registry_operator_delete(c->thread, name, err) != 0)
		return -1;
	SAY(c, "operator \"%s\" is deleted", name);
	return 0;
}

int
act_audit_list(struct action_ctx *c, struct err *err)
{
	int limit = list_limit(c);
	struct audit_entry *list;
	struct table *t;
	size_t n;

	if (registry_audit_list(c->thread, c->arena, arg_num(c, "before", 0), limit + 1, &list, &n, err) != 0)
		return -1;
	t = RESULT_LIST(c->result, "entries", audit_cols);
	for (size_t i = 0; i < n && i < (size_t)limit; i++)
		ROW(t, C_INT(list[i].id), C_INT(list[i].at_us), C_TEXT(list[i].actor), C_TEXT(list[i].via),
		    C_TEXT(list[i].region), C_TEXT(list[i].action), C_TEXT(list[i].target),
		    C_TEXT(list[i].ok ? "done" : "failed"), C_TEXT(list[i].detail));
	if (n > (size_t)limit) {
		t->next = arena_printf(c->arena, "%" PRId64, list[limit - 1].id);
		t->next_option = "before";
	}
	return 0;
}
