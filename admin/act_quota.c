/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_quota.c - how much a bucket may hold, and what it holds.
 *
 * Owns:       nothing.
 * Called by:  admin/run.c through actions.def.
 * Blocks:     on both databases; a quota of a bucket that had none, and counting, as long as it takes to read its rows.
 */
#include "admin/act.h"

#include "meta/quota.h"

static const struct column usage_cols[] = {
	{ "name", "Name", COL_TEXT },
	{ "quota", "Quota", COL_STATE },
	{ "bytes", "Bytes", COL_SIZE },
	{ "quota_bytes", "Quota, bytes", COL_SIZE },
	{ "objects", "Objects", COL_INT },
	{ "quota_objects", "Quota, objects", COL_INT },
};
static const struct column lacks_cols[] = {
	{ "missing_bytes", "Bytes that the account lacks", COL_INT },
	{ "missing_objects", "Objects that the account lacks", COL_INT },
};

static int
no_account(const char *name, struct err *err)
{
	return FAIL(err, ERR_NOT_FOUND, "bucket \"%s\" has no quota: nothing counts what it holds", name);
}

/* ---- setting ---- */

static int
told(struct action_ctx *c, const struct bucket *b, enum config_done done, bool remove, struct err *err)
{
	bool here = strcmp(b->region, c->settings->region) == 0;
	enum quota_settled settled;

	if (done == CONFIG_NO_BUCKET)
		return FAIL(err, ERR_NOT_FOUND, "there is no bucket \"%s\"", b->name);
	if (done == CONFIG_NONE)
		return FAIL(err, ERR_NOT_FOUND, "bucket \"%s\" has no quota", b->name);
	if (here && meta_quota_settle(c->thread, c->arena, &b->id, true, &settled, err) != 0)
		return -1;
	SAY(c, remove ? "bucket \"%s\" has no quota any more" : "bucket \"%s\" has this quota now", b->name);
	if (!here)
		SAY(c, "region \"%s\" learns of it with the bucket's next request there", b->region);
	return 0;
}

int
act_bucket_quota(struct action_ctx *c, struct err *err)
{
	bool drop = arg_flag(c, "remove");
	struct quota q = { QUOTA_NO_LIMIT, QUOTA_NO_LIMIT };
	enum config_done done;
	struct bucket b;

	if (drop == (arg_str(c, "bytes") != NULL || arg_str(c, "objects") != NULL))
		return FAIL(err, ERR_INVALID, "say how many bytes or objects, or that the quota is to be removed");
	if (registry_bucket_find(c->thread, c->arena, arg_str(c, "name"), &b, err) != 0 ||
	    meta_quota_find(c->thread, c->arena, &b.id, &q, err) < 0)
		return -1;
	_Static_assert(QUOTA_NO_LIMIT == ARG_NO_LIMIT, "none is said in one way");
	q.bytes = arg_limit(c, "bytes", q.bytes);
	q.objects = arg_limit(c, "objects", q.objects);
	if (meta_quota_set(c->thread, c->arena, &b.id, drop ? NULL : &q, &done, err) != 0)
		return -1;
	return told(c, &b, done, drop, err);
}

/* ---- looking ---- */

static const char *
state_of(const struct usage *u)
{
	if (!u->has_account)
		return "none";
	if (!u->counted)
		return "uncounted";
	if (u->limits.bytes == QUOTA_NO_LIMIT && u->limits.objects == QUOTA_NO_LIMIT)
		return "unlimited";
	if ((u->limits.bytes != QUOTA_NO_LIMIT && u->bytes >= u->limits.bytes) ||
	    (u->limits.objects != QUOTA_NO_LIMIT && u->objects >= u->limits.objects))
		return "full";
	return "active";
}

int
act_bucket_usage(struct action_ctx *c, struct err *err)
{
	int64_t bytes = 0, objects = 0;
	bool count = arg_flag(c, "count"), known;
	struct usage u;
	struct bucket b;

	if (act_bucket_here(c, arg_str(c, "name"), &b, err) != 0 ||
	    (count && meta_usage_count(c->thread, c->arena, &b.id, false, &bytes, &objects, err) != 0) ||
	    meta_usage(c->thread, c->arena, &b.id, &u, err) != 0)
		return -1;
	if (!u.has_account && !count)
		return no_account(b.name, err);
	if (!u.has_account) {
		u.bytes = bytes;
		u.objects = objects;
	}
	known = u.counted || !u.has_account;
	ROW(RESULT_RECORD(c->result, "usage", usage_cols), C_TEXT(b.name), C_TEXT(state_of(&u)), known ? C_INT(u.bytes) : C_NULL,
	    C_LIMIT(u.limits.bytes), known ? C_INT(u.objects) : C_NULL, C_LIMIT(u.limits.objects));
	if (count && u.has_account)
		ROW(RESULT_RECORD(c->result, "counted", lacks_cols), C_INT(bytes), C_INT(objects));
	return 0;
}

int
act_bucket_recount(struct action_ctx *c, struct err *err)
{
	int64_t bytes, objects;
	struct usage u;
	struct bucket b;

	if (act_bucket_here(c, arg_str(c, "name"), &b, err) != 0 || meta_usage(c->thread, c->arena, &b.id, &u, err) != 0)
		return -1;
	if (!u.has_account)
		return no_account(b.name, err);
	if (meta_usage_count(c->thread, c->arena, &b.id, true, &bytes, &objects, err) != 0)
		return -1;
	if (bytes == 0 && objects == 0)
		SAY(c, "the account of bucket \"%s\" was right", b.name);
	else
		SAY(c, "the account of bucket \"%s\" lacked %" PRId64 " bytes and %" PRId64 " objects: corrected", b.name, bytes, objects);
	return 0;
}
