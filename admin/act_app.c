/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_app.c - access keys of tenants, and the policies they carry.
 *
 * Owns:       nothing; a new secret is in the result alone, and is wiped by
 *             whoever shows it.
 * Called by:  admin/run.c through actions.def.
 * Blocks:     on the global database; changes wait for acknowledgements.
 */
#include "admin/act.h"

static const struct column app_cols[] = {
	{ "access_key", "Access key", COL_TEXT },
	{ "name", "Name", COL_TEXT },
	{ "tenant", "Tenant", COL_TEXT },
	{ "state", "State", COL_STATE },
	{ "access", "Access", COL_STATE },
	{ "policies", "Policies", COL_LIST },
	{ "created", "Created", COL_TIME },
};
static const struct column new_app_cols[] = {
	{ "access_key", "Access key", COL_TEXT },
	{ "secret", "Secret key", COL_SECRET },
	{ "name", "Name", COL_TEXT },
	{ "tenant", "Tenant", COL_TEXT },
};

static const char *
state_of(const struct app_info *x)
{
	if (!x->tenant_enabled)
		return "tenant disabled";
	return enabled_word(x->enabled);
}

static const char *
access_of(const struct app_info *x)
{
	return x->access == APP_FULL ? "full" : "policies";
}

static void
app_row(struct table *t, const struct app_info *x)
{
	ROW(t, C_TEXT(x->access_key), C_TEXT(x->name), C_TEXT(x->tenant_name), C_TEXT(state_of(x)),
	    C_TEXT(access_of(x)), C_LIST(x->policies), C_INT(x->created_us));
}

static int
make_app(struct action_ctx *c, struct app_info *x, char secret[APP_SECRET_MAX + 1], struct err *err)
{
	const char *tenant = arg_str(c, "tenant"), *name = arg_str(c, "name");
	const char *key = arg_str(c, "import-key"), *given = arg_str(c, "import-secret");
	bool has_policies = arg_list(c, "policy") != NULL && arg_list(c, "policy")[0] != NULL;
	bool full = strcmp(arg_str_or(c, "access", has_policies ? "policies" : "full"), "full") == 0;
	enum app_access access = full ? APP_FULL : APP_POLICIES;

	if (full && has_policies)
		return FAIL(err, ERR_INVALID, "a key has policies or full access, not both");
	if (key == NULL && given == NULL)
		return registry_app_create(c->thread, c->arena, tenant, name, access, x, secret, err);
	if (key == NULL || given == NULL)
		return FAIL(err, ERR_INVALID, "import-key and import-secret go together");
	snprintf(secret, APP_SECRET_MAX + 1, "%s", given);
	return registry_app_import(c->thread, c->arena, tenant, name, access, key, given, x, err);
}

/* One that could not get all of its policies is not what was asked for: a Deny may be missing. */
static int
attach_all(struct action_ctx *c, const char *key, const char *const *policies, struct err *err)
{
	struct err ignored = { 0 };

	for (size_t i = 0; policies != NULL && policies[i] != NULL; i++) {
		if (registry_app_attach(c->thread, key, policies[i], err) == 0)
			continue;
		if (registry_app_delete(c->thread, key, &ignored) != 0)
			WARN(c, "key %s was made and could not be taken back: %s", key, ignored.detail);
		return -1;
	}
	return 0;
}

int
act_app_create(struct action_ctx *c, struct err *err)
{
	const char *const *policies = arg_list(c, "policy");
	char secret[APP_SECRET_MAX + 1];
	struct app_info x;
	struct table *t;
	int rc = -1;

	if (make_app(c, &x, secret, err) != 0)
		goto out;
	if (attach_all(c, x.access_key, policies, err) != 0)
		goto out;
	c->audit_target = x.access_key;
	t = RESULT_RECORD(c->result, "app", new_app_cols);
	ROW(t, C_TEXT(x.access_key), C_TEXT(arena_strdup(c->arena, secret)), C_TEXT(x.name),
	    C_TEXT(x.tenant_name));
	SAY(c, "keep the secret now: it is not shown again");
	if (x.access == APP_FULL)
		SAY(c, "the key may do everything with its own tenant's buckets");
	rc = 0;
out:
	crypto_wipe(secret, sizeof(secret));
	return rc;
}

int
act_app_list(struct action_ctx *c, struct err *err)
{
	int limit = list_limit(c);
	struct app_info *list;
	struct table *t;
	size_t n;

	if (registry_app_list(c->thread, c->arena, arg_str(c, "tenant"), arg_str_or(c, "after", ""),
	    limit + 1, &list, &n, err) != 0)
		return -1;
	t = RESULT_LIST(c->result, "apps", app_cols);
	for (size_t i = 0; i < n && i < (size_t)limit; i++)
		app_row(t, &list[i]);
	if (n > (size_t)limit)
		t->next = list[limit - 1].access_key;
	return 0;
}

int
act_app_show(struct action_ctx *c, struct err *err)
{
	struct app_info x;

	if (registry_app_find(c->thread, c->arena, arg_str(c, "key"), &x, err) != 0)
		return -1;
	app_row(RESULT_RECORD(c->result, "app", app_cols), &x);
	return 0;
}

static int
set_enabled(struct action_ctx *c, bool enabled, struct err *err)
{
	const char *key = arg_str(c, "key");

	if (registry_app_enable(c->thread, key, enabled, err) != 0)
		return -1;
	SAY(c, enabled ? "key %s is accepted again" : "key %s is refused from now on", key);
	return 0;
}

int
act_app_disable(struct action_ctx *c, struct err *err)
{
	return set_enabled(c, false, err);
}

int
act_app_enable(struct action_ctx *c, struct err *err)
{
	return set_enabled(c, true, err);
}

int
act_app_logout(struct action_ctx *c, struct err *err)
{
	const char *key = arg_str(c, "key");

	if (registry_app_end_sessions(c->thread, c->arena, key, err) != 0)
		return -1;
	SAY(c, "temporary credentials made with key %s are refused from now on; the key itself is accepted", key);
	return 0;
}

int
act_app_delete(struct action_ctx *c, struct err *err)
{
	const char *key = arg_str(c, "key");

	if (registry_app_delete(c->thread, key, err) != 0)
		return -1;
	SAY(c, "key %s is deleted", key);
	return 0;
}

int
act_app_access(struct action_ctx *c, struct err *err)
{
	const char *key = arg_str(c, "key");
	bool full = strcmp(arg_str(c, "access"), "full") == 0;

	if (registry_app_set_access(c->thread, key, full ? APP_FULL : APP_POLICIES, err) != 0)
		return -1;
	SAY(c, full ? "key %s may do everything with its own tenant's buckets" :
		      "key %s may do only what policies allow", key);
	return 0;
}

int
act_app_attach(struct action_ctx *c, struct err *err)
{
	const char *key = arg_str(c, "key"), *policy = arg_str(c, "policy");
	struct app_info x;

	if (registry_app_find(c->thread, c->arena, key, &x, err) != 0 ||
	    registry_app_attach(c->thread, key, policy, err) != 0)
		return -1;
	SAY(c, "key %s carries policy \"%s\" now", key, policy);
	if (x.access == APP_FULL)
		SAY(c, "its full access is over: it may do only what policies allow");
	return 0;
}

int
act_app_detach(struct action_ctx *c, struct err *err)
{
	const char *key = arg_str(c, "key"), *policy = arg_str(c, "policy");
	struct app_info x;
	struct err later = { 0 };

	if (registry_app_detach(c->thread, key, policy, err) != 0)
		return -1;
	SAY(c, "key %s carries policy \"%s\" no more", key, policy);
	if (registry_app_find(c->thread, c->arena, key, &x, &later) == 0 && x.policies[0] == NULL)
		WARN(c, "key %s carries no policy now, and may do nothing but what buckets' policies allow it", key);
	return 0;
}
