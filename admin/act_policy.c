/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_policy.c - policies that access keys carry.
 *
 * Owns:       nothing.
 * Called by:  admin/run.c through actions.def.
 * Blocks:     on the global database; changes wait for acknowledgements.
 */
#include "admin/act.h"

static const struct column policy_cols[] = {
	{ "name", "Name", COL_TEXT },
	{ "keys", "Keys", COL_INT },
	{ "created", "Created", COL_TIME },
	{ "updated", "Updated", COL_TIME },
};
static const struct column shown_cols[] = {
	{ "name", "Name", COL_TEXT },
	{ "keys", "Keys", COL_INT },
	{ "created", "Created", COL_TIME },
	{ "updated", "Updated", COL_TIME },
	{ "document", "Document", COL_JSON },
};

int
act_policy_create(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name"), *document = arg_str(c, "document");

	if (act_policy_check(c, document, POLICY_IDENTITY, NULL, err) != 0 ||
	    registry_policy_create(c->thread, name, document, err) != 0)
		return -1;
	SAY(c, "policy \"%s\" is there; \"anvil-admin app attach\" gives it to a key", name);
	return 0;
}

int
act_policy_update(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name"), *document = arg_str(c, "document");

	if (act_policy_check(c, document, POLICY_IDENTITY, NULL, err) != 0 ||
	    registry_policy_update(c->thread, name, document, err) != 0)
		return -1;
	SAY(c, "policy \"%s\" is replaced", name);
	return 0;
}

int
act_policy_list(struct action_ctx *c, struct err *err)
{
	int limit = list_limit(c);
	struct policy_info *list;
	struct table *t;
	size_t n;

	if (registry_policy_list(c->thread, c->arena, arg_str_or(c, "after", ""), limit + 1, &list,
	    &n, err) != 0)
		return -1;
	t = RESULT_LIST(c->result, "policies", policy_cols);
	for (size_t i = 0; i < n && i < (size_t)limit; i++)
		ROW(t, C_TEXT(list[i].name), C_INT(list[i].n_apps), C_INT(list[i].created_us),
		    C_INT(list[i].updated_us));
	if (n > (size_t)limit)
		t->next = list[limit - 1].name;
	return 0;
}

int
act_policy_show(struct action_ctx *c, struct err *err)
{
	struct policy_info x;
	struct table *t;

	if (registry_policy_find(c->thread, c->arena, arg_str(c, "name"), &x, err) != 0)
		return -1;
	t = RESULT_RECORD(c->result, "policy", shown_cols);
	ROW(t, C_TEXT(x.name), C_INT(x.n_apps), C_INT(x.created_us), C_INT(x.updated_us),
	    C_TEXT(x.document));
	return 0;
}

int
act_policy_delete(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name");

	if (registry_policy_delete(c->thread, name, err) != 0)
		return -1;
	SAY(c, "policy \"%s\" is deleted", name);
	return 0;
}
