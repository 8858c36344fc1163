/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_bucket.c - buckets of the whole namespace.
 *
 * Owns:       nothing.
 * Called by:  admin/run.c through actions.def.
 * Blocks:     on both databases; changes wait for acknowledgements.
 */
#include "admin/act.h"
#include "meta/move.h"
#include "meta/quota.h"

#include "s3/bucket_name.h"

static const struct column bucket_cols[] = {
	{ "name", "Name", COL_TEXT },
	{ "tenant", "Tenant", COL_TEXT },
	{ "region", "Region", COL_TEXT },
	{ "state", "State", COL_STATE },
	{ "routing", "Routing", COL_TEXT },
	{ "created", "Created", COL_TIME },
};
static const struct column shown_cols[] = {
	{ "name", "Name", COL_TEXT },
	{ "tenant", "Tenant", COL_TEXT },
	{ "owner_id", "Owner id", COL_TEXT },
	{ "region", "Region", COL_TEXT },
	{ "state", "State", COL_STATE },
	{ "routing", "Routing", COL_TEXT },
	{ "versioning", "Versioning", COL_TEXT },
	{ "configurations", "Configurations", COL_LIST },
	{ "quota_bytes", "Quota, bytes", COL_SIZE },
	{ "quota_objects", "Quota, objects", COL_INT },
	{ "created", "Created", COL_TIME },
	{ "id", "Id", COL_TEXT },
	{ "moving", "Moving", COL_TEXT },
	{ "policy", "Policy", COL_JSON },
};
static const char *const config_kinds[] = {
#define CONFIG_KIND(ID, kind, doc) kind,
#include "meta/config_kinds.def"
#undef CONFIG_KIND
};

static const char *
routing_word(const struct bucket *b)
{
	return b->routing_mode[0] == '\0' ? "default" : b->routing_mode;
}

static const char *const *
kinds_of(const struct action_ctx *c, const struct bucket *b)
{
	const char **list = arena_array(c->arena, ARRAY_LEN(config_kinds) + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; list != NULL && i < ARRAY_LEN(config_kinds); i++)
		if (b->config_kinds & (UINT32_C(1) << i))
			list[n++] = config_kinds[i];
	return list;
}

int
act_bucket_here(const struct action_ctx *c, const char *name, struct bucket *out, struct err *err)
{
	if (registry_bucket_find(c->thread, c->arena, name, out, err) != 0)
		return -1;
	if (strcmp(out->region, c->settings->region) != 0)
		return FAIL(err, ERR_CONFLICT, "bucket \"%s\" is at home in region \"%s\": ask that region's anvil-admin or pages", name,
		    out->region);
	return 0;
}

int
act_bucket_list(struct action_ctx *c, struct err *err)
{
	int limit = list_limit(c);
	struct bucket *list;
	struct table *t;
	size_t n;

	if (registry_bucket_list(c->thread, c->arena, arg_str(c, "tenant"), arg_str(c, "region"),
	    arg_str(c, "search"), arg_str_or(c, "after", ""), limit + 1, &list, &n, err) != 0)
		return -1;
	t = RESULT_LIST(c->result, "buckets", bucket_cols);
	for (size_t i = 0; i < n && i < (size_t)limit; i++)
		ROW(t, C_TEXT(list[i].name), C_TEXT(list[i].owner_name), C_TEXT(list[i].region),
		    C_TEXT(list[i].status), C_TEXT(routing_word(&list[i])), C_INT(list[i].created_us));
	if (n > (size_t)limit)
		t->next = list[limit - 1].name;
	return 0;
}

int
act_bucket_show(struct action_ctx *c, struct err *err)
{
	struct quota quota = { QUOTA_NO_LIMIT, QUOTA_NO_LIMIT };
	const char *moving = NULL;
	struct move *moves;
	struct bucket b;
	struct table *t;
	size_t n;

	if (registry_bucket_find(c->thread, c->arena, arg_str(c, "name"), &b, err) != 0 ||
	    meta_move_list(c->thread, c->arena, false, b.name, 1, &moves, &n, err) != 0)
		return -1;
	if (n > 0)
		moving = arena_printf(c->arena, "to %s: %s, %" PRId64 " rows", moves[0].target, moves[0].state, moves[0].rows);
	if (bucket_has_config(&b, CONFIG_KIND_QUOTA) && meta_quota_find(c->thread, c->arena, &b.id, &quota, err) < 0)
		return -1;
	t = RESULT_RECORD(c->result, "bucket", shown_cols);
	ROW(t, C_TEXT(b.name), C_TEXT(b.owner_name), C_TEXT(b.owner_id), C_TEXT(b.region),
	    C_TEXT(b.status), C_TEXT(routing_word(&b)),
	    C_TEXT(b.versioning[0] == '\0' ? "off" : b.versioning), C_LIST(kinds_of(c, &b)), C_LIMIT(quota.bytes), C_LIMIT(quota.objects),
	    C_INT(b.created_us), C_TEXT(act_uuid(c, &b.id)), C_TEXT(moving),
	    C_TEXT(b.policy));
	return 0;
}

int
act_bucket_create(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name");
	const char *region = arg_str_or(c, "region", c->settings->region);
	struct tenant owner;
	enum bucket_made made;

	if (bucket_name_reserved(span_of(name)))
		return FAIL(err, ERR_INVALID, "\"%s\" has a prefix or suffix that S3 reserves", name);
	if (registry_tenant_find(c->thread, c->arena, arg_str(c, "tenant"), &owner, err) != 0 ||
	    meta_bucket_create(c->thread, c->arena, name, region, &owner.id, &made, err) != 0)
		return -1;
	switch (made) {
	case BUCKET_MADE:
		SAY(c, "bucket \"%s\" of tenant \"%s\" is at home in region \"%s\"", name, owner.name, region);
		return 0;
	case BUCKET_YOURS:
		return FAIL(err, ERR_EXISTS, "tenant \"%s\" has a bucket \"%s\" already", owner.name, name);
	case BUCKET_TAKEN:
		return FAIL(err, ERR_EXISTS, "another tenant has a bucket \"%s\"", name);
	case BUCKET_TOO_MANY:
		return FAIL(err, ERR_LIMIT, "tenant \"%s\" has %" PRId64 " buckets, and may have %" PRId64, owner.name, owner.n_buckets,
		    owner.limits.buckets);
	case BUCKET_NO_REGION:
		break;
	}
	return FAIL(err, ERR_NOT_FOUND, "there is no active region \"%s\"", region);
}

int
act_bucket_delete(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name");
	struct bucket b;
	enum bucket_gone gone;

	if (act_bucket_here(c, name, &b, err) != 0)
		return -1;
	if (meta_bucket_delete(c->thread, c->arena, &b, &gone, err) != 0)
		return -1;
	switch (gone) {
	case BUCKET_GONE:
		SAY(c, "bucket \"%s\" is deleted", name);
		return 0;
	case BUCKET_NOT_EMPTY:
		return FAIL(err, ERR_CONFLICT, "bucket \"%s\" is not empty", name);
	case BUCKET_NOT_THERE:
		break;
	}
	return FAIL(err, ERR_NOT_FOUND, "there is no bucket \"%s\"", name);
}

int
act_bucket_routing(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name"), *mode = arg_str(c, "mode");

	if (registry_bucket_set_routing(c->thread, name, strcmp(mode, "default") == 0 ? "" : mode, err) != 0)
		return -1;
	SAY(c, "routing of bucket \"%s\" is \"%s\"", name, mode);
	return 0;
}

int
act_bucket_policy(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name"), *document = arg_str(c, "document");
	bool drop = arg_flag(c, "remove");
	enum config_done done;
	struct bucket b;

	if (drop == (document != NULL))
		return FAIL(err, ERR_INVALID, "give a document, or say that it is to be removed");
	if (document != NULL && act_policy_check(c, document, POLICY_BUCKET, name, err) != 0)
		return -1;
	if (registry_bucket_find(c->thread, c->arena, name, &b, err) != 0 ||
	    meta_bucket_set_config(c->thread, c->arena, &b.id, "policy", document, &done, err) != 0)
		return -1;
	if (done == CONFIG_NO_BUCKET)
		return FAIL(err, ERR_NOT_FOUND, "there is no bucket \"%s\"", name);
	if (done == CONFIG_NONE)
		return FAIL(err, ERR_NOT_FOUND, "bucket \"%s\" has no policy", name);
	SAY(c, drop ? "bucket \"%s\" has no policy any more" : "bucket \"%s\" has this policy now", name);
	return 0;
}
