/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_tenant.c - tenants, and what several actions share.
 *
 * Owns:       nothing.
 * Called by:  admin/run.c through actions.def.
 * Blocks:     on the global database; changes wait for acknowledgements.
 */
#include "admin/act.h"

static const struct column tenant_cols[] = {
	{ "name", "Name", COL_TEXT },
	{ "state", "State", COL_STATE },
	{ "keys", "Keys", COL_INT },
	{ "buckets", "Buckets", COL_INT },
	{ "max_buckets", "At most", COL_INT },
	{ "bucket_bytes", "New bucket's quota, bytes", COL_SIZE },
	{ "bucket_objects", "New bucket's quota, objects", COL_INT },
	{ "created", "Created", COL_TIME },
	{ "owner_id", "Owner id", COL_TEXT },
};

const char *
act_uuid(const struct action_ctx *c, const struct uuid *u)
{
	char *s = arena_alloc(c->arena, UUID_TEXT_LEN + 1);

	if (s == NULL)
		return "";
	uuid_text(u, s);
	return s;
}

int
act_policy_check(const struct action_ctx *c, const char *document, enum policy_kind kind, const char *bucket,
    struct err *err)
{
	struct policy *p;
	struct s3_problem pr;

	s3_problem_clear(&pr);
	p = policy_parse(c->arena, span_of(document), kind, bucket, &pr);
	if (p != NULL && (kind != POLICY_BUCKET || policy_check(p, &pr) == 0))
		return 0;
	return FAIL(err, ERR_INVALID, "the document is no policy: %s",
	    pr.message == NULL ? "it is not as it must be" : pr.message);
}

static void
tenant_row(struct table *t, const struct tenant *x)
{
	ROW(t, C_TEXT(x->name), C_TEXT(enabled_word(x->enabled)), C_INT(x->n_apps),
	    C_INT(x->n_buckets), C_INT(x->limits.buckets), C_LIMIT(x->limits.of_bucket.bytes), C_LIMIT(x->limits.of_bucket.objects),
	    C_INT(x->created_us), C_TEXT(x->canonical_id));
}

static void
show_tenant(struct action_ctx *c, const struct tenant *x)
{
	tenant_row(RESULT_RECORD(c->result, "tenant", tenant_cols), x);
}

int
act_tenant_create(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name");
	struct tenant x;

	if (registry_tenant_create(c->thread, c->arena, name, arg_str(c, "owner-id"), &x, err) != 0)
		return -1;
	show_tenant(c, &x);
	SAY(c, "tenant \"%s\" is there; \"anvil-admin app create\" makes its first key", name);
	return 0;
}

int
act_tenant_list(struct action_ctx *c, struct err *err)
{
	int limit = list_limit(c);
	struct tenant *list;
	struct table *t;
	size_t n;

	if (registry_tenant_list(c->thread, c->arena, arg_str_or(c, "after", ""), limit + 1, &list,
	    &n, err) != 0)
		return -1;
	t = RESULT_LIST(c->result, "tenants", tenant_cols);
	for (size_t i = 0; i < n && i < (size_t)limit; i++)
		tenant_row(t, &list[i]);
	if (n > (size_t)limit)
		t->next = list[limit - 1].name;
	return 0;
}

int
act_tenant_show(struct action_ctx *c, struct err *err)
{
	struct tenant x;

	if (registry_tenant_find(c->thread, c->arena, arg_str(c, "name"), &x, err) != 0)
		return -1;
	show_tenant(c, &x);
	return 0;
}

int
act_tenant_limits(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name");
	struct tenant_limits *l;
	struct tenant x;

	if (registry_tenant_find(c->thread, c->arena, name, &x, err) != 0)
		return -1;
	l = &x.limits;
	*l = (struct tenant_limits){ arg_num(c, "buckets", l->buckets),
		{ arg_limit(c, "bucket-bytes", l->of_bucket.bytes), arg_limit(c, "bucket-objects", l->of_bucket.objects) } };
	if (registry_tenant_set_limits(c->thread, name, l, err) != 0)
		return -1;
	SAY(c, "tenant \"%s\" may have %" PRId64 " buckets", name, l->buckets);
	return 0;
}

static int
set_enabled(struct action_ctx *c, bool enabled, struct err *err)
{
	const char *name = arg_str(c, "name");

	if (registry_tenant_enable(c->thread, name, enabled, err) != 0)
		return -1;
	SAY(c, enabled ? "tenant \"%s\" is let in again" : "tenant \"%s\" is disabled: its keys are refused", name);
	return 0;
}

int
act_tenant_disable(struct action_ctx *c, struct err *err)
{
	return set_enabled(c, false, err);
}

int
act_tenant_enable(struct action_ctx *c, struct err *err)
{
	return set_enabled(c, true, err);
}

int
act_tenant_delete(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name");

	if (registry_tenant_delete(c->thread, name, err) != 0)
		return -1;
	SAY(c, "tenant \"%s\" and its keys are deleted", name);
	return 0;
}
