/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_status.c - this region at a glance.
 *
 * Owns:       nothing.
 * Called by:  admin/run.c through actions.def.
 * Blocks:     on both databases and the disk; what is away is said, not failed.
 */
#include "admin/act.h"

#include "admin/run.h"
#include "meta/upload.h"
#include "store/engine.h"

static const struct column region_cols[] = {
	{ "region", "Region", COL_TEXT },
	{ "version", "Anvil", COL_TEXT },
	{ "conf", "Configuration", COL_TEXT },
	{ "consistency", "Metadata changes wait for", COL_TEXT },
	{ "routing", "Routing", COL_TEXT },
};
static const struct column database_cols[] = {
	{ "database", "Database", COL_TEXT },
	{ "state", "State", COL_STATE },
	{ "server", "PostgreSQL", COL_TEXT },
	{ "size", "Size", COL_SIZE },
	{ "connections", "Connections", COL_INT },
	{ "detail", "Detail", COL_TEXT },
};
static const struct column store_cols[] = {
	{ "store_dir", "Store", COL_TEXT },
	{ "store_state", "State", COL_STATE },
	{ "free", "Free", COL_SIZE },
	{ "total", "Of", COL_SIZE },
	{ "used_percent", "Used, percent", COL_INT },
	{ "store_detail", "Detail", COL_TEXT },
};

static const struct column unfinished_cols[] = {
	{ "uploads", "Uploads in parts under way", COL_INT },
	{ "parts", "Their parts", COL_INT },
	{ "bytes", "Bytes held", COL_SIZE },
	{ "oldest", "The oldest began", COL_TIME },
};

static void
database_row(struct action_ctx *c, struct table *t, const char *name)
{
	struct database_status db;
	struct err err = { 0 };

	if (registry_database(c->thread, c->arena, name[0], &db, &err) == 0)
		ROW(t, C_TEXT(name), C_TEXT("ok"), C_TEXT(db.version), C_INT(db.size_bytes),
		    C_INT(db.connections), C_NULL);
	else
		ROW(t, C_TEXT(name), C_TEXT("away"), C_NULL, C_NULL, C_NULL,
		    C_TEXT(arena_strdup(c->arena, err.detail)));
}

static void
store_row(struct action_ctx *c)
{
	struct table *t = RESULT_RECORD(c->result, "store", store_cols);
	int64_t free_bytes, total_bytes, used;
	struct err err = { 0 };

	if (runtime_open(c->runtime, c->conf, NEED_STORE, &err) != 0 ||
	    store_space(c->runtime->store, &free_bytes, &total_bytes, &err) != 0) {
		ROW(t, C_TEXT(c->settings->store_dir), C_TEXT("away"), C_NULL, C_NULL, C_NULL,
		    C_TEXT(arena_strdup(c->arena, err.detail)));
		return;
	}
	used = total_bytes <= 0 ? 0 : (total_bytes - free_bytes) / ((total_bytes + 99) / 100);
	ROW(t, C_TEXT(c->settings->store_dir), C_TEXT(used >= 99 ? "full" : used >= 95 ? "low" : "ok"),
	    C_INT(free_bytes), C_INT(total_bytes), C_INT(used), C_NULL);
}

/* Of a database that is away the list of databases tells. */
static void
uploads_row(struct action_ctx *c)
{
	struct uploads_sum sum;
	struct err err = { 0 };

	if (meta_uploads_sum(c->thread, c->arena, &sum, &err) == 0)
		ROW(RESULT_RECORD(c->result, "unfinished", unfinished_cols), C_INT(sum.uploads), C_INT(sum.parts), C_INT(sum.bytes),
		    C_INT(sum.oldest_us));
}

int
act_status(struct action_ctx *c, struct err *err)
{
	bool all = strcmp(c->settings->metadata_consistency, "acknowledged") == 0;
	struct table *t = RESULT_RECORD(c->result, "summary", region_cols);

	(void)err;
	ROW(t, C_TEXT(c->settings->region), C_TEXT(PACKAGE_VERSION), C_TEXT(c->settings->path),
	    C_TEXT(all ? "every region" : "this region"), C_TEXT(c->settings->routing_mode));
	t = RESULT_LIST(c->result, "databases", database_cols);
	database_row(c, t, "global");
	database_row(c, t, "regional");
	store_row(c);
	uploads_row(c);
	return 0;
}
