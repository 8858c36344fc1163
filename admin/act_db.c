/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_db.c - the databases: schema, migrations, the event clock.
 *
 * Owns:       nothing.
 * Called by:  admin/run.c through actions.def.
 * Blocks:     on the databases; migrations wait for each other.
 */
#include "admin/act.h"

#include "admin/run.h"
#include "meta/migrate.h"

static const struct column done_cols[] = {
	{ "database", "Database", COL_TEXT },
	{ "created", "Created", COL_BOOL },
	{ "applied", "Migrations applied", COL_INT },
};
static const struct column status_cols[] = {
	{ "database", "Database", COL_TEXT },
	{ "state", "State", COL_STATE },
	{ "version", "Schema", COL_INT },
	{ "pending", "Pending", COL_INT },
	{ "server", "PostgreSQL", COL_TEXT },
	{ "size", "Size", COL_SIZE },
	{ "connections", "Connections", COL_INT },
	{ "detail", "Detail", COL_TEXT },
};
static const struct column migration_cols[] = {
	{ "database", "Database", COL_TEXT },
	{ "version", "Version", COL_INT },
	{ "name", "Name", COL_TEXT },
	{ "state", "State", COL_STATE },
	{ "applied", "Applied", COL_TIME },
};
static const struct column clock_cols[] = {
	{ "epoch", "Epoch", COL_TEXT },
	{ "n", "Event number", COL_INT },
	{ "epoch_since", "Epoch since", COL_TIME },
	{ "epoch_reason", "Because", COL_TEXT },
	{ "changed", "Last change", COL_TIME },
	{ "events_kept", "Events kept", COL_INT },
};
static const char *const names[2] = { "global", "regional" };

static bool
wanted(const struct action_ctx *c, int i)
{
	const char *only = arg_str(c, "only");

	return only == NULL || strcmp(only, names[i]) == 0;
}

static int
bring_up(struct action_ctx *c, bool create, struct err *err)
{
	struct table *t = RESULT_LIST(c->result, "databases", done_cols);
	struct err later = { 0 };
	int total = 0;

	for (int i = 0; i < 2; i++) {
		bool created = false;
		int applied = 0;

		if (!wanted(c, i))
			continue;
		if (create && migrate_create_database(c->settings, names[i][0], &created, err) != 0)
			return -1;
		if (migrate_apply(c->settings, names[i][0], &applied, err) != 0)
			return -1;
		ROW(t, C_TEXT(names[i]), C_BOOL(created), C_INT(applied));
		total += applied;
	}
	if (total == 0)
		SAY(c, "the schema was there already");
	/* For the audit log, which is there from now on. */
	if (runtime_open(c->runtime, c->conf, NEED_GLOBAL, &later) != 0)
		WARN(c, "%s", later.detail);
	return 0;
}

int
act_db_init(struct action_ctx *c, struct err *err)
{
	return bring_up(c, true, err);
}

int
act_db_migrate(struct action_ctx *c, struct err *err)
{
	return bring_up(c, false, err);
}

static const char *
state_word(enum migrate_state state)
{
	switch (state) {
	case MIGRATE_APPLIED:
		return "applied";
	case MIGRATE_PENDING:
		return "pending";
	case MIGRATE_CHANGED:
		return "changed";
	case MIGRATE_UNKNOWN:
		return "newer";
	}
	return "";
}

/* What the list of migrations comes to. */
struct tally {
	int version, pending, changed, newer;
};

static int
read_migrations(struct action_ctx *c, int i, struct table *all, struct tally *out, struct err *err)
{
	struct migration *m;
	size_t n;

	if (migrate_status(c->settings, names[i][0], c->arena, &m, &n, err) != 0)
		return -1;
	for (size_t k = 0; k < n; k++) {
		if (m[k].state == MIGRATE_PENDING)
			out->pending++;
		else if (m[k].version > out->version)
			out->version = m[k].version;
		out->changed += m[k].state == MIGRATE_CHANGED;
		out->newer += m[k].state == MIGRATE_UNKNOWN;
		if (all != NULL)
			ROW(all, C_TEXT(names[i]), C_INT(m[k].version), C_TEXT(m[k].name),
			    C_TEXT(state_word(m[k].state)),
			    m[k].applied_us == 0 ? C_NULL : C_INT(m[k].applied_us));
	}
	return 0;
}

static void
status_row(struct action_ctx *c, int i, struct table *t, struct table *all)
{
	struct database_status db = { 0 };
	struct tally tally = { 0 };
	struct err err = { 0 };
	const char *state = "current", *detail = NULL;

	if (registry_database(c->runtime->thread, c->arena, names[i][0], &db, &err) != 0 ||
	    read_migrations(c, i, all, &tally, &err) != 0) {
		ROW(t, C_TEXT(names[i]), C_TEXT("away"), C_NULL, C_NULL, C_NULL, C_NULL, C_NULL,
		    C_TEXT(arena_strdup(c->arena, err.detail)));
		return;
	}
	if (tally.changed > 0) {
		state = "changed";
		detail = "a migration was applied from another text than this program has";
	} else if (tally.newer > 0) {
		state = "newer";
		detail = "a newer Anvil was here";
	} else if (tally.pending > 0) {
		state = "pending";
		detail = "run \"anvil-admin db migrate\"";
	}
	ROW(t, C_TEXT(names[i]), C_TEXT(state), C_INT(tally.version), C_INT(tally.pending),
	    C_TEXT(db.version), C_INT(db.size_bytes), C_INT(db.connections), C_TEXT(detail));
}

int
act_db_status(struct action_ctx *c, struct err *err)
{
	struct table *t, *all = NULL;
	struct clock_status clock;
	struct err away = { 0 };
	struct strbuf epoch;

	if (runtime_open(c->runtime, c->conf, NEED_GLOBAL | NEED_REGIONAL, err) != 0)
		return -1;
	t = RESULT_LIST(c->result, "databases", status_cols);
	if (arg_flag(c, "all"))
		all = RESULT_LIST(c->result, "migrations", migration_cols);
	for (int i = 0; i < 2; i++)
		status_row(c, i, t, all);
	if (registry_clock(c->runtime->thread, c->arena, &clock, &away) != 0)
		return 0; /* the table says it already */
	strbuf_init(&epoch, c->arena, EPOCH_LEN * 2);
	strbuf_hex(&epoch, clock.clock.epoch, EPOCH_LEN);
	t = RESULT_RECORD(c->result, "clock", clock_cols);
	ROW(t, C_TEXT(strbuf_cstr(&epoch)), C_INT(clock.clock.n), C_INT(clock.epoch_since_us),
	    C_TEXT(clock.epoch_reason), C_INT(clock.changed_us), C_INT(clock.events_kept));
	return 0;
}

int
act_db_restored(struct action_ctx *c, struct err *err)
{
	if (registry_new_epoch(c->thread, "restored", err) != 0)
		return -1;
	SAY(c, "a new epoch has begun: no value that was cached before is believed any more");
	return 0;
}
