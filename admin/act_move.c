/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_move.c - the actions over admin/move.c.
 *
 * Owns:       nothing.
 * Called by:  admin/run.c through actions.def.
 * Blocks:     moving: as long as it takes; may be stopped and run again at any time.
 */
#include "admin/act.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/move.h"

static const struct column moved_cols[] = {
	{ "bucket", "Bucket", COL_TEXT },
	{ "source", "From", COL_TEXT },
	{ "target", "To", COL_TEXT },
	{ "rows", "Rows copied", COL_INT },
	{ "bytes", "Bytes copied", COL_SIZE },
	{ "paused_us", "Writes waited", COL_US },
};
static const struct column moves_cols[] = {
	{ "bucket", "Bucket", COL_TEXT },
	{ "source", "From", COL_TEXT },
	{ "target", "To", COL_TEXT },
	{ "state", "State", COL_STATE },
	{ "rows", "Rows copied", COL_INT },
	{ "bytes", "Bytes copied", COL_SIZE },
	{ "paused_us", "Writes waited", COL_US },
	{ "started", "Started", COL_TIME },
	{ "changed", "Last heard of", COL_TIME },
	{ "ended", "Ended", COL_TIME },
};

static void
say(void *arg, const char *text)
{
	const struct action_ctx *c = arg;

	if (c->progress != NULL)
		(void)c->progress(c->progress_arg, text);
}

static int
cancel(struct action_ctx *c, struct move_job *j, struct err *err)
{
	if (move_cancel(j, c->arena, err) != 0)
		return -1;
	SAY(c, "bucket \"%s\" stays in region \"%s\"", j->bucket, j->source);
	if (!j->source_told)
		WARN(c, "region \"%s\" could not be told; it finds out by itself", j->source);
	return 0;
}

/* Where it is to be run is said before anything is begun. */
static int
check_place(struct action_ctx *c, const char *region, struct err *err)
{
	struct region_info *regions;
	struct bucket b;
	size_t n;

	if (strcmp(region, c->settings->region) == 0)
		return 0;
	if (registry_bucket_find(c->thread, c->arena, arg_str(c, "name"), &b, err) != 0 ||
	    registry_region_list(c->thread, c->arena, &regions, &n, err) != 0)
		return -1;
	if (strcmp(region, b.region) == 0)
		return FAIL(err, ERR_EXISTS, "bucket \"%s\" is at home in region \"%s\" already", b.name, region);
	for (size_t i = 0; i < n; i++)
		if (strcmp(regions[i].r.name, region) == 0)
			return FAIL(err, ERR_CONFLICT, "a bucket is moved by the region that it moves to: run this with region \"%s\"'s "
			    "anvil-admin", region);
	return FAIL(err, ERR_NOT_FOUND, "there is no active region \"%s\"", region);
}

/* Workers must be able to remove what is written here, and the web server to send it. For good: nothing else follows. */
static int
become_owner(const struct settings *s, struct err *err)
{
	struct passwd *pw;
	struct stat st;

	if (stat(s->store_dir, &st) != 0)
		return FAIL(err, ERR_UNAVAILABLE, "\"%s\": %s", s->store_dir, strerror(errno));
	if (st.st_uid == geteuid())
		return 0;
	pw = getpwuid(st.st_uid);
	if (geteuid() != 0 || pw == NULL)
		return FAIL(err, ERR_DENIED, "run this as the user %s, who owns \"%s\"", pw == NULL ? "" : pw->pw_name, s->store_dir);
	if (initgroups(pw->pw_name, pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 || setuid(pw->pw_uid) != 0)
		return FAIL(err, ERR_DENIED, "could not become the user %s: %s", pw->pw_name, strerror(errno));
	return 0;
}

int
act_bucket_move(struct action_ctx *c, struct err *err)
{
	const char *region = arg_str(c, "region");
	struct move_job j = { .settings = c->settings, .t = c->thread, .st = c->store, .bucket = arg_str(c, "name"), .say = say,
		.say_arg = c };

	if (arg_flag(c, "cancel"))
		return cancel(c, &j, err);
	if (region == NULL)
		return FAIL(err, ERR_INVALID, "say to which region the bucket is to move, or --cancel");
	if (check_place(c, region, err) != 0 || become_owner(c->settings, err) != 0 || move_run(&j, c->arena, err) != 0)
		return -1;
	ROW(RESULT_RECORD(c->result, "move", moved_cols), C_TEXT(j.bucket), C_TEXT(j.source), C_TEXT(region), C_INT(j.rows),
	    C_INT(j.bytes), j.paused_us < 0 ? C_NULL : C_INT(j.paused_us));
	SAY(c, "bucket \"%s\" is at home in region \"%s\"", j.bucket, region);
	if (!j.source_told)
		WARN(c, "region \"%s\" could not be told; it finds out by itself", j.source);
	return 0;
}

int
act_bucket_moves(struct action_ctx *c, struct err *err)
{
	struct move *list;
	struct table *t;
	size_t n;

	if (meta_move_list(c->thread, c->arena, arg_flag(c, "all"), arg_str(c, "bucket"), list_limit(c), &list, &n, err) != 0)
		return -1;
	t = RESULT_LIST(c->result, "moves", moves_cols);
	for (size_t i = 0; i < n; i++)
		ROW(t, C_TEXT(list[i].bucket), C_TEXT(list[i].source), C_TEXT(list[i].target), C_TEXT(list[i].state),
		    C_INT(list[i].rows), C_INT(list[i].bytes), list[i].paused_us < 0 ? C_NULL : C_INT(list[i].paused_us),
		    C_INT(list[i].started_us), C_INT(list[i].changed_us), C_INT(list[i].ended_us));
	return 0;
}
