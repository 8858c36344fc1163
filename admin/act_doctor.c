/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_doctor.c - checks of configuration, files and databases; the order
 * of all checks. Each line says OK, WARN or FAIL, what was found, and what to do.
 *
 * Owns:       nothing.
 * Called by:  admin/run.c through actions.def.
 * Blocks:     on everything that it checks, within the settings' limits.
 */
#include "admin/act.h"

#include <sys/stat.h>
#include <sys/timex.h>

#include "admin/run.h"
#include "base/clock.h"
#include "meta/migrate.h"

#define YEAR_2025_US (INT64_C(1735689600) * US_PER_S)

static const struct column check_cols[] = {
	{ "status", "Status", COL_STATE },
	{ "check", "Check", COL_TEXT },
	{ "detail", "Found", COL_TEXT },
	{ "advice", "What to do", COL_TEXT },
};

void
check_say(struct doctor *d, enum check_status status, const char *check, const char *advice, const char *fmt, ...)
{
	static const char *const words[] = { "OK", "WARN", "FAIL" };
	struct strbuf sb;
	va_list ap;

	strbuf_init(&sb, d->ctx->arena, 1024);
	va_start(ap, fmt);
	strbuf_vprintf(&sb, fmt, ap);
	va_end(ap);
	d->warnings += status == CHECK_WARN;
	d->failures += status == CHECK_FAIL;
	ROW(d->table, C_TEXT(words[status]), C_TEXT(check), C_TEXT(strbuf_cstr(&sb)),
	    C_TEXT(status == CHECK_OK ? NULL : advice));
}

/* ---- configuration and files ---- */

static void
check_secret_file(struct doctor *d, const char *setting, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		check_say(d, CHECK_FAIL, setting, "\"anvil-admin keys new\" makes one; all regions need the same",
		    "\"%s\": %s", path, strerror(errno));
	else if (st.st_mode & (S_IRWXG | S_IRWXO))
		check_say(d, CHECK_FAIL, setting, "chmod 600 it, owned by the user that Anvil's programs run as",
		    "\"%s\" can be read by others (mode %03o)", path, (unsigned)st.st_mode & 0777u);
	else
		check_say(d, CHECK_OK, setting, NULL, "\"%s\" is its owner's alone", path);
}

static void
check_folder(struct doctor *d, const char *setting, const char *path, enum check_status bad)
{
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		check_say(d, CHECK_FAIL, setting, "make the folder, owned by the user that Anvil's programs run as",
		    "\"%s\" is no folder", path);
	else if (access(path, W_OK | X_OK) != 0)
		check_say(d, bad, setting, "run this as the user that Anvil's programs run as, or change its owner",
		    "\"%s\" cannot be written by this user", path);
	else
		check_say(d, CHECK_OK, setting, NULL, "\"%s\" can be written", path);
}

void
check_files(struct doctor *d)
{
	const struct settings *s = d->ctx->settings;

	check_say(d, CHECK_OK, "configuration", NULL, "\"%s\" is understood; region \"%s\"", s->path, s->region);
	check_secret_file(d, "master_key_file", s->master_key_file);
	check_secret_file(d, "cluster_secret_file", s->cluster_secret_file);
	check_folder(d, "store_dir", s->store_dir, CHECK_FAIL);
	check_folder(d, "state_dir", s->state_dir, CHECK_WARN);
	if (s->log_file[0] != '\0' && access(s->log_file, W_OK) != 0)
		check_say(d, CHECK_WARN, "log_file", "change its owner, or run this as the service's user",
		    "\"%s\": %s", s->log_file, strerror(errno));
	if (s->metadata_ack_ms <= s->metadata_trust_ms)
		check_say(d, CHECK_FAIL, "metadata_ack_ms", "set it to metadata_trust_ms and a third more, in every region",
		    "W (%" PRId64 " ms) must be longer than F (%" PRId64 " ms)", s->metadata_ack_ms,
		    s->metadata_trust_ms);
}

static void
check_clock(struct doctor *d)
{
	struct timex tx = { 0 };
	int state;

	if (clock_wall_us() < YEAR_2025_US) {
		check_say(d, CHECK_FAIL, "clock", "set the time; signatures are refused when it is 15 minutes off",
		    "this host believes that it is long ago");
		return;
	}
	state = adjtimex(&tx);
	if (state < 0)
		check_say(d, CHECK_WARN, "clock", "see to it that chrony or systemd-timesyncd runs on this host",
		    "the kernel may not be asked whether it is synchronised");
	else if (state == TIME_ERROR || (tx.status & STA_UNSYNC))
		check_say(d, CHECK_WARN, "clock", "run chrony or systemd-timesyncd; signatures are refused when the clock is 15 minutes off",
		    "the kernel does not know of any synchronisation");
	else
		check_say(d, CHECK_OK, "clock", NULL, "synchronised");
}

/* ---- databases ---- */

static void
check_schema(struct doctor *d, const char *name)
{
	struct err err = { 0 };
	int pending = 0, odd = 0;
	struct migration *m;
	size_t n;

	if (migrate_status(d->ctx->settings, name[0], d->ctx->arena, &m, &n, &err) != 0) {
		check_say(d, CHECK_FAIL, name, "see the detail", "its schema: %s", err.detail);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		pending += m[i].state == MIGRATE_PENDING;
		odd += m[i].state == MIGRATE_CHANGED || m[i].state == MIGRATE_UNKNOWN;
	}
	if (odd > 0)
		check_say(d, CHECK_FAIL, name, "run the newest Anvil that was installed anywhere",
		    "%d migrations are not of this release", odd);
	else if (pending == (int)n)
		check_say(d, CHECK_FAIL, name, "run \"anvil-admin db init\"", "it has no schema yet");
	else if (pending > 0)
		check_say(d, CHECK_FAIL, name, "run \"anvil-admin db migrate\"", "%d migrations are pending", pending);
	else
		check_say(d, CHECK_OK, name, NULL, "its schema is current (%zu migrations)", n);
}

static bool
check_database(struct doctor *d, const char *name, const char *setting)
{
	struct database_status db;
	struct err err = { 0 };
	int64_t begin = clock_mono_us();

	if (registry_database(d->ctx->runtime->thread, d->ctx->arena, setting[0], &db, &err) != 0) {
		check_say(d, CHECK_FAIL, name, "look whether PostgreSQL runs there, and at global_dsn or regional_dsn in anvil.conf",
		    "%s", err.detail);
		return false;
	}
	check_say(d, CHECK_OK, name, NULL, "PostgreSQL %s answers in %" PRId64 " ms as \"%s\" on \"%s\"",
	    db.version, (clock_mono_us() - begin) / US_PER_MS, db.user, db.name);
	check_schema(d, name);
	return true;
}

static void
check_event_clock(struct doctor *d)
{
	struct clock_status clock;
	struct err err = { 0 };

	if (registry_clock(d->ctx->runtime->thread, d->ctx->arena, &clock, &err) != 0)
		check_say(d, CHECK_FAIL, "event clock", "run \"anvil-admin db migrate\"", "%s", err.detail);
	else if (!clock.primary)
		check_say(d, CHECK_FAIL, "event clock", "let global_dsn name the primary (target_session_attrs=read-write)",
		    "global_dsn leads to a standby");
	else
		check_say(d, CHECK_OK, "event clock", NULL, "at event %" PRIu64, clock.clock.n);
}

static void
check_operators(struct doctor *d)
{
	struct operator_info *list;
	struct err err = { 0 };
	size_t n, admins = 0;

	if (registry_operator_list(d->ctx->runtime->thread, d->ctx->arena, &list, &n, &err) != 0)
		return;
	for (size_t i = 0; i < n; i++)
		admins += list[i].enabled && strcmp(list[i].role, "admin") == 0;
	if (admins == 0)
		check_say(d, CHECK_WARN, "operators", "\"anvil-admin operator create NAME --role admin\"",
		    "nobody may change anything in the admin pages");
}

void
check_databases(struct doctor *d)
{
	if (check_database(d, "global database", "g")) {
		check_event_clock(d);
		check_operators(d);
	}
	(void)check_database(d, "regional database", "r");
}

int
act_doctor(struct action_ctx *c, struct err *err)
{
	struct doctor d = { .ctx = c };
	struct err why = { 0 };

	d.table = result_table(c->result, "checks", TABLE_CHECKS, check_cols, ARRAY_LEN(check_cols));
	if (runtime_open(c->runtime, c->conf, NEED_GLOBAL | NEED_REGIONAL | NEED_CACHE, &why) != 0) {
		check_say(&d, CHECK_FAIL, "configuration", "mend it and run doctor again; anvil.conf(5) describes every setting",
		    "%s", why.detail);
		return FAIL(err, ERR_INTERNAL, "%s", why.detail);
	}
	c->settings = c->runtime->settings;
	check_files(&d);
	check_clock(&d);
	check_databases(&d);
	check_cache(&d);
	check_store(&d);
	check_blobs(&d);
	check_accounts(&d);
	check_endpoint(&d);
	if (d.failures > 0)
		return FAIL(err, ERR_INTERNAL, "%d check%s failed", d.failures, d.failures == 1 ? "" : "s");
	SAY(c, d.warnings == 0 ? "all is well" : "nothing failed; look at the warnings");
	return 0;
}
