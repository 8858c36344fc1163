/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_region.c - regions join, change, leave and go.
 *
 * Owns:       nothing.
 * Called by:  admin/run.c through actions.def.
 * Blocks:     on the global database; changes wait for acknowledgements.
 */
#include "admin/act.h"

static const struct column region_cols[] = {
	{ "name", "Name", COL_TEXT },
	{ "state", "State", COL_STATE },
	{ "endpoint", "Endpoint", COL_TEXT },
	{ "domains", "Domains", COL_LIST },
	{ "buckets", "Buckets", COL_INT },
	{ "created", "Created", COL_TIME },
};
static const struct column shown_cols[] = {
	{ "name", "Name", COL_TEXT },
	{ "state", "State", COL_STATE },
	{ "endpoint", "Endpoint", COL_TEXT },
	{ "domains", "Domains", COL_LIST },
	{ "inv_pub", "Invalidator publishes", COL_TEXT },
	{ "inv_rep", "Invalidator answers", COL_TEXT },
	{ "buckets", "Buckets", COL_INT },
	{ "created", "Created", COL_TIME },
	{ "leaving", "Leaving since", COL_TIME },
};

int
act_region_create(struct action_ctx *c, struct err *err)
{
	static const char *const none[] = { NULL };
	struct region r = { 0 };

	r.name = arg_str(c, "name");
	r.endpoint = arg_str(c, "endpoint");
	r.domains = arg_list(c, "domain");
	if (r.domains == NULL)
		r.domains = none;
	r.inv_pub = arg_str_or(c, "inv-pub", "");
	r.inv_rep = arg_str_or(c, "inv-rep", "");
	if (registry_region_create(c->thread, &r, err) != 0)
		return -1;
	SAY(c, "region \"%s\" is part of the namespace", r.name);
	if (r.inv_pub[0] == '\0')
		WARN(c, "without --inv-pub other regions cannot subscribe to its events; they read the database instead");
	return 0;
}

int
act_region_list(struct action_ctx *c, struct err *err)
{
	struct region_info *list;
	struct table *t;
	size_t n;

	if (registry_region_list(c->thread, c->arena, &list, &n, err) != 0)
		return -1;
	t = RESULT_LIST(c->result, "regions", region_cols);
	for (size_t i = 0; i < n; i++)
		ROW(t, C_TEXT(list[i].r.name), C_TEXT(list[i].r.state), C_TEXT(list[i].r.endpoint),
		    C_LIST(list[i].r.domains), C_INT(list[i].n_buckets), C_INT(list[i].r.created_us));
	return 0;
}

int
act_region_show(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name");
	struct region_info *list;
	struct table *t;
	size_t n;

	if (registry_region_list(c->thread, c->arena, &list, &n, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct region_info *x = &list[i];

		if (strcmp(x->r.name, name) != 0)
			continue;
		t = RESULT_RECORD(c->result, "region", shown_cols);
		ROW(t, C_TEXT(x->r.name), C_TEXT(x->r.state), C_TEXT(x->r.endpoint),
		    C_LIST(x->r.domains), C_TEXT(x->r.inv_pub), C_TEXT(x->r.inv_rep),
		    C_INT(x->n_buckets), C_INT(x->r.created_us),
		    x->leaving_us == 0 ? C_NULL : C_INT(x->leaving_us));
		return 0;
	}
	return FAIL(err, ERR_NOT_FOUND, "there is no region \"%s\"", name);
}

int
act_region_update(struct action_ctx *c, struct err *err)
{
	struct region r = { 0 };

	r.name = arg_str(c, "name");
	r.endpoint = arg_str(c, "endpoint");
	r.domains = arg_list(c, "domain");
	r.inv_pub = arg_str(c, "inv-pub");
	r.inv_rep = arg_str(c, "inv-rep");
	if (r.endpoint == NULL && r.domains == NULL && r.inv_pub == NULL && r.inv_rep == NULL)
		return FAIL(err, ERR_INVALID, "say what to change");
	if (registry_region_update(c->thread, &r, err) != 0)
		return -1;
	SAY(c, "region \"%s\" is changed", r.name);
	return 0;
}

int
act_region_leave(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name");

	if (registry_region_leave(c->thread, name, err) != 0)
		return -1;
	SAY(c, "region \"%s\" is leaving; after %" PRId64 " s and without buckets it can be removed", name,
	    (c->settings->metadata_ack_ms + 999) / 1000);
	return 0;
}

int
act_region_remove(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name");

	if (registry_region_remove(c->thread, name, err) != 0)
		return -1;
	SAY(c, "region \"%s\" is removed", name);
	return 0;
}
