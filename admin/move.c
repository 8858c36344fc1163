/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/move.c - the steps of a bucket's move, in the region that it comes to.
 *
 * Owns:       an arena a step.
 * Called by:  admin/act_move.c.
 * Blocks:     as long as it takes; on both databases, the store and the source's endpoint.
 * Invariant:  the source forgets a change only after its row is committed here; the bucket's home changes only while that
 *             freeze of the source holds under which nothing was left to copy; and it is written here only when every
 *             region knows. Each of these is one statement's to decide, so that it holds wherever this stops.
 */
#include "admin/move.h"

#include "admin/move_row.h"
#include "admin/move_source.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "meta/quota.h"
#include "meta/registry.h"
#include "routing/move.h"

#define STEP_ARENA ((size_t)1024 * 1024 * 1024)
#define LEASE_MS 3000
#define LEASE_LOOK_US (200 * US_PER_MS)
#define LEASE_TRIES 100
#define SOURCE_TRIES 60           /* a source that is away is asked again for about two minutes */
#define SOURCE_WAIT_US (2 * US_PER_S)
#define MISSING_TRIES 5
#define FREEZE_MS 5000            /* then writers thaw it by themselves, should we have died */
#define HANDOVER_US (1500 * US_PER_MS) /* longer than that we do not make writers wait: we copy on, and try again */
#define HANDOVER_PATIENCE 8       /* tries after which it may take twice as long */
#define REFUSED_TRIES 20
#define LEVEL_ROWS 200
#define LEVEL_LEFT 50
#define PURGE_ROWS 1000
#define SAY_EVERY_US (2 * US_PER_S)

struct mover {
	struct move_job *j;
	struct move mv;
	struct move_source *src;
	struct region *home;       /* the source */
	struct uuid holder;
	struct arena *step;        /* reset with each */
	char bucket_id[UUID_TEXT_LEN + 1], move_id[UUID_TEXT_LEN + 1];
	char *scan;                /* where the first copy has come to; on the heap, for it outlives steps */
	int64_t batch;             /* number of the last changes that were asked for */
	int64_t carried;           /* and of the last that were carried over */
	int64_t said_us;
	bool frozen;               /* writers wait: nothing is tried twice */
};

static void
say(struct mover *m, bool now, const char *what)
{
	const struct move_job *j = m->j;
	char *text;

	if (j->say == NULL || (!now && clock_mono_us() - m->said_us < SAY_EVERY_US))
		return;
	m->said_us = clock_mono_us();
	text = arena_printf(m->step, "%s: %" PRId64 " rows, %" PRId64 " bytes", what, j->rows, j->bytes);
	if (text != NULL)
		j->say(j->say_arg, text);
}

static int
lost(struct err *err)
{
	return FAIL(err, ERR_CONFLICT, "another anvil-admin has taken the move over, or it was cancelled");
}

/* We live, and it is still ours. */
static int
tick(void *arg, struct err *err)
{
	struct mover *m = arg;
	struct arena *a = arena_new(65536);
	bool holds;
	int rc = meta_moving_holds(m->j->t, a, &m->mv.bucket_id, &m->mv.id, &m->holder, &holds, err);

	arena_free(a);
	if (rc == 0 && !holds)
		rc = lost(err);
	return rc;
}

/* A question to the source; one that is away for a moment is asked again. */
static int
ask(struct mover *m, const char *question, struct dec *out, struct err *err)
{
	for (int tries = 1;; tries++) {
		struct err why = { 0 };

		if (question == NULL)
			return FAIL(err, ERR_LIMIT, "a question to the source is too long");
		if (move_source_ask(m->src, m->step, question, out, &why) == 0)
			return 0;
		if (why.code != ERR_UNAVAILABLE || m->frozen || tries == SOURCE_TRIES)
			return err_fail(err, why.code, why.where, "%s", why.detail);
		say(m, false, "waiting for the source");
		clock_sleep_us(SOURCE_WAIT_US);
		if (m->scan != NULL && tick(m, err) != 0)
			return -1;
	}
}

/* What it is about: "page?bucket=..&move=.." */
static const char *
question(struct mover *m, const char *name, const char *more)
{
	return arena_printf(m->step, "%s?bucket=%s&move=%s%s", name, m->bucket_id, m->move_id, more == NULL ? "" : more);
}

/* ---- rows and bytes ---- */

static bool
read_page(struct mover *m, struct dec *d, struct moving_page *p)
{
	p->next = dec_str(d, m->step, 65536);
	p->rows = dec_i64(d);
	p->remaining = dec_i64(d);
	p->items = dec_bytes(d, UINT32_MAX);
	return dec_done(d) && p->next != NULL;
}

/* Puts a page in place. *again: a blob was gone before it could be fetched; its row must have changed, so it is asked for again. */
static int
put(struct mover *m, const struct moving_page *p, const char *scan, bool *again, struct err *err)
{
	struct move_job *j = m->j;
	const struct uuid *missing = NULL;
	struct uuid *blobs, *ids;
	int64_t bytes = 0;
	const char *state;
	bool holds;
	size_t n;

	*again = false;
	if (p->rows == 0 && scan == NULL)
		return 0;
	if (move_rows_check(j->t, m->step, j->settings, m->home, p->items, err) != 0 ||
	    meta_moving_need(j->t, m->step, &m->mv.bucket_id, p->items, &blobs, &n, err) != 0)
		return -1;
	ids = arena_array(m->step, n + 1, sizeof(*ids));
	if (ids == NULL)
		return FAIL(err, ERR_LIMIT, "a page of rows is too large");
	if (n > 0 && move_source_fetch(m->src, blobs, ids, n, &missing, &bytes, tick, m, err) != 0)
		return -1;
	if (missing != NULL) {
		*again = true;
		return 0;
	}
	fault_point(FAULT_POINT_move_before_apply);
	if (meta_moving_apply(j->t, m->step, &m->mv.bucket_id, &m->mv.id, &m->holder, p->items, blobs, ids, n, scan, &holds, err) != 0)
		return -1;
	if (!holds)
		return lost(err);
	j->rows += p->rows;
	j->bytes += bytes;
	if (m->frozen)
		return 0; /* the switch tells */
	if (meta_move_progress(j->t, m->step, &m->mv.id, p->rows, bytes, &state, err) != 0)
		return -1;
	if (strcmp(state, "copying") != 0 && strcmp(state, "frozen") != 0)
		return FAIL(err, ERR_CONFLICT, "the move was cancelled");
	return 0;
}

static int
still_missing(const struct mover *m, struct err *err)
{
	return FAIL(err, ERR_NOT_FOUND, "a row of bucket \"%s\" names a blob that region \"%s\" does not have: see \"anvil-admin doctor\" "
	    "there, and delete or repair the object", m->mv.bucket, m->home->name);
}

static int
ask_page(struct mover *m, const char *q, struct moving_page *p, struct err *err)
{
	struct dec d;

	if (ask(m, q, &d, err) != 0)
		return -1;
	return read_page(m, &d, p) ? 0 : FAIL(err, ERR_INTERNAL, "rows that the source sent cannot be read");
}

/* "&after=...", with what must not stand in a query in hexadecimal digits. */
static const char *
after(struct mover *m)
{
	struct strbuf sb;

	strbuf_init(&sb, m->step, 65536);
	strbuf_str(&sb, m->scan[0] == '\0' ? "&after=" MOVE_FROM_START : "&after=");
	for (const char *p = m->scan; *p != '\0'; p++)
		strbuf_printf(&sb, "%%%02X", (unsigned)(unsigned char)*p);
	return strbuf_ok(&sb) ? strbuf_cstr(&sb) : NULL;
}

static void
set_scan(struct mover *m, const char *scan)
{
	free(m->scan);
	m->scan = strdup(scan); /* process: it outlives every step's arena */
	if (m->scan == NULL)
		abort();
}

/* The first copy, from where it stands. */
static int
copy_all(struct mover *m, struct err *err)
{
	int missing = 0;

	while (strcmp(m->scan, "end") != 0) {
		struct moving_page p;
		const char *more;
		bool again;

		arena_reset(m->step);
		more = after(m);
		if (more == NULL || ask_page(m, question(m, "page", more), &p, err) != 0 || put(m, &p, p.next, &again, err) != 0)
			return -1;
		if (again && ++missing == MISSING_TRIES)
			return still_missing(m, err);
		if (again)
			continue;
		missing = 0;
		set_scan(m, p.next);
		say(m, false, "copying");
	}
	return 0;
}

/* One page of changes; *rows of them, *left that are still there. */
static int
carry(struct mover *m, int64_t *rows, int64_t *left, struct err *err)
{
	bool again = true;

	for (int tries = 0; again; tries++) {
		struct moving_page p;

		if (tries == MISSING_TRIES)
			return still_missing(m, err);
		arena_reset(m->step);
		m->batch++;
		if (ask_page(m, question(m, "changes", arena_printf(m->step, "&batch=%" PRId64 "&done=%" PRId64, m->batch, m->carried)),
		        &p, err) != 0 ||
		    put(m, &p, NULL, &again, err) != 0)
			return -1;
		*rows = p.rows;
		*left = p.remaining;
	}
	m->carried = m->batch;
	return 0;
}

/* Until few are left. */
static int
follow(struct mover *m, struct err *err)
{
	int64_t rows, left;

	do {
		if (carry(m, &rows, &left, err) != 0)
			return -1;
		say(m, false, "following changes");
	} while (rows > LEVEL_ROWS || left > LEVEL_LEFT);
	return 0;
}

/* ---- the hand-over ---- */

/* Does there what the primary says of the move. */
static int
tell_source(struct mover *m, struct err *err)
{
	struct dec d;

	return ask(m, question(m, "settle", NULL), &d, err);
}

static int
freeze(struct mover *m, int64_t *no, struct err *err)
{
	struct dec d;

	if (meta_move_freeze(m->j->t, m->step, &m->mv.id, FREEZE_MS, no, err) != 0)
		return -1;
	if (*no == 0)
		return FAIL(err, ERR_CONFLICT, "the move was cancelled");
	if (ask(m, question(m, "freeze", arena_printf(m->step, "&no=%" PRId64, *no)), &d, err) != 0)
		return -1;
	if (dec_u8(&d) != 1)
		return FAIL(err, ERR_CONFLICT, "the bucket is being deleted, or does not leave by this move any more");
	return 0;
}

/* What is left, while nothing new comes. *level: all of it is here. */
static int
carry_rest(struct mover *m, int64_t until_us, bool *level, struct err *err)
{
	int64_t rows = 1, left = 1;

	while ((rows > 0 || left > 0) && clock_mono_us() < until_us)
		if (carry(m, &rows, &left, err) != 0)
			return -1;
	*level = rows == 0 && left == 0;
	return 0;
}

/* Writers go on where they were. Should it fail, they find out by themselves. */
static void
thaw(struct mover *m, int64_t no)
{
	struct err ignored = { 0 };

	if (meta_move_thaw(m->j->t, m->step, &m->mv.id, no, &ignored) == 0 && tell_source(m, &ignored) != 0)
		say(m, true, "the source does not answer");
}

/* It is at home here and every region knows: here it may be written, and there never more. */
static int
finish(struct mover *m, int64_t began_us, struct err *err)
{
	struct move_job *j = m->j;
	struct err ignored = { 0 };
	const char *state = "in";
	enum quota_settled settled;
	bool home;

	fault_point(FAULT_POINT_move_before_open);
	j->paused_us = began_us == 0 ? -1 : clock_mono_us() - began_us;
	if (meta_move_done(j->t, m->step, &m->mv.id, j->paused_us, err) != 0 ||
	    meta_moving_settle(j->t, m->step, &m->mv.bucket_id, &m->mv.id, &state, &home, err) != 0)
		return -1;
	if (began_us != 0)
		j->paused_us = clock_mono_us() - began_us;
	fault_point(FAULT_POINT_move_before_tell);
	m->frozen = true; /* it is no harm when the source cannot be told */
	j->source_told = m->src != NULL && tell_source(m, &ignored) == 0;
	m->frozen = false;
	if (meta_quota_settle(j->t, m->step, &m->mv.bucket_id, true, &settled, &ignored) != 0)
		say(m, true, "the bucket's quota is not in force yet; maintain sees to it");
	return 0;
}

static bool
was_switched(struct mover *m)
{
	struct err ignored = { 0 };
	const char *state;

	return meta_move_progress(m->j->t, m->step, &m->mv.id, 0, 0, &state, &ignored) == 0 && strcmp(state, "switched") == 0;
}

/* *done false: put off. */
static int
hand_over(struct mover *m, int try, bool *done, struct err *err)
{
	int64_t began_us = clock_mono_us(), no = 0;
	int64_t until_us = began_us + HANDOVER_US * (try > HANDOVER_PATIENCE ? 2 : 1);
	struct err why = { 0 };
	const char *state = "copying";
	bool level = false;
	int rc;

	*done = false;
	arena_reset(m->step);
	m->frozen = true;
	rc = freeze(m, &no, &why);
	fault_point(FAULT_POINT_move_frozen);
	if (rc == 0)
		rc = carry_rest(m, until_us, &level, &why);
	if (rc == 0 && level)
		rc = meta_move_switch(m->j->t, m->step, &m->mv.id, no, done, &why);
	m->frozen = false;
	if (rc != 0 && no != 0 && was_switched(m)) { /* the commit's answer was lost */
		if (registry_wait(m->j->t, err) != 0)
			return -1;
		*done = true;
	}
	if (*done)
		return finish(m, began_us, err);
	if (no != 0)
		thaw(m, no);
	if (rc == 0 && level && (try > REFUSED_TRIES || meta_move_progress(m->j->t, m->step, &m->mv.id, 0, 0, &state, &why) != 0 ||
	        strcmp(state, "cancelled") == 0))
		return FAIL(err, ERR_CONFLICT, "the hand-over is refused: the move was cancelled, or region \"%s\" is leaving", m->mv.target);
	if (rc != 0 && why.code != ERR_UNAVAILABLE && why.code != ERR_TIMEOUT)
		return err_fail(err, why.code, why.where, "%s", why.detail);
	say(m, true, rc != 0 ? "the source or a database does not answer; trying again" : "too much to hand over; copying on");
	if (rc != 0)
		clock_sleep_us(SOURCE_WAIT_US);
	return 0;
}

/* ---- beginning, and going on ---- */

static int
find_source(struct mover *m, struct arena *a, struct err *err)
{
	struct region_info *regions;
	size_t n;

	if (registry_region_list(m->j->t, a, &regions, &n, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (strcmp(regions[i].r.name, m->mv.source) == 0)
			m->home = &regions[i].r;
	if (m->home == NULL)
		return FAIL(err, ERR_NOT_FOUND, "the source, region \"%s\", has no row", m->mv.source);
	m->src = move_source_new(m->j->settings, m->home, m->j->st);
	return 0;
}

static int
take_hold(struct mover *m, struct moving_in *in, struct err *err)
{
	uuid_random(&m->holder);
	for (int tries = 0; tries < LEASE_TRIES; tries++) {
		if (meta_moving_in(m->j->t, m->step, &m->mv.bucket_id, &m->mv.id, &m->holder, LEASE_MS, in, err) != 0)
			return -1;
		if (!in->busy) {
			set_scan(m, in->scan);
			return 0;
		}
		say(m, false, "waiting for another anvil-admin that moves it");
		clock_sleep_us(LEASE_LOOK_US);
	}
	return FAIL(err, ERR_CONFLICT, "another anvil-admin moves the bucket \"%s\" already", m->mv.bucket);
}

static int
purge(struct mover *m, struct err *err)
{
	bool clean = false;

	while (!clean) {
		if (meta_moving_purge(m->j->t, m->step, &m->mv.bucket_id, &m->mv.id, PURGE_ROWS, &clean, err) != 0 || tick(m, err) != 0)
			return -1;
		say(m, false, "removing rows of an earlier stay");
	}
	return 0;
}

/* Both regions know of the move, and what is here is of it. */
static int
prepare(struct mover *m, struct err *err)
{
	struct moving_in in;
	enum moving_out out;
	const char *columns, *state;
	struct dec d;
	bool holds = true;

	if (take_hold(m, &in, err) != 0 || ask(m, question(m, "out", NULL), &d, err) != 0)
		return -1;
	out = (enum moving_out)dec_u8(&d);
	columns = dec_str(&d, m->step, 65536);
	if (!dec_done(&d) || columns == NULL)
		return FAIL(err, ERR_INTERNAL, "the source's answer cannot be read");
	if (out == MOVING_CLOSED)
		return FAIL(err, ERR_CONFLICT, "bucket \"%s\" is being deleted", m->mv.bucket);
	if (strcmp(columns, in.columns) != 0)
		return FAIL(err, ERR_CONFLICT, "regions \"%s\" and \"%s\" have rows of different releases: bring both to the same one "
		    "(anvil-admin db migrate)", m->home->name, m->j->settings->region);
	if (out == MOVING_BEGINS && in.scan[0] != '\0') {
		/* It has forgotten what changed: what was copied before is of no use. */
		if (meta_moving_anew(m->j->t, m->step, &m->mv.bucket_id, &m->mv.id, &m->holder, &holds, err) != 0)
			return -1;
		if (!holds)
			return lost(err);
		in.leftovers = true;
		set_scan(m, "");
	}
	/*
	 * Rows are removed only when the move is under way AFTER this region noted that the bucket comes: had it been handed over
	 * meanwhile, they would be the bucket's own.
	 */
	if (meta_move_progress(m->j->t, m->step, &m->mv.id, 0, 0, &state, err) != 0)
		return -1;
	if (strcmp(state, "copying") != 0 && strcmp(state, "frozen") != 0)
		return FAIL(err, ERR_CONFLICT, "the move is over: it was cancelled, or another anvil-admin has finished it");
	return in.leftovers ? purge(m, err) : 0;
}

static int
copy_and_hand_over(struct mover *m, struct err *err)
{
	bool done = false;

	crypto_random(&m->batch, sizeof(m->batch));
	m->batch &= INT64_C(0x3fffffffffffffff); /* another mover's numbers are others */
	m->carried = 0;
	if (prepare(m, err) != 0 || copy_all(m, err) != 0)
		return -1;
	for (int try = 1; !done; try++)
		if (follow(m, err) != 0 || hand_over(m, try, &done, err) != 0)
			return -1;
	return 0;
}

/* After a failure: what the primary says, should it be over. */
static void
look_again(struct mover *m)
{
	struct err ignored = { 0 };
	const char *state;
	bool home;

	if (meta_moving_settle(m->j->t, m->step, &m->mv.bucket_id, &m->mv.id, &state, &home, &ignored) != 0)
		say(m, true, "the database does not answer");
}

static int
run(struct mover *m, struct arena *a, struct err *err)
{
	struct move_job *j = m->j;
	int rc;

	if (meta_move_begin(j->t, a, j->bucket, j->settings->region, &m->mv, err) != 0)
		return -1;
	j->source = m->mv.source;
	uuid_text(&m->mv.bucket_id, m->bucket_id);
	uuid_text(&m->mv.id, m->move_id);
	if (find_source(m, a, err) != 0)
		return -1;
	if (strcmp(m->mv.state, "switched") == 0) /* that is all that was left to do */
		return registry_wait(j->t, err) != 0 ? -1 : finish(m, 0, err);
	rc = copy_and_hand_over(m, err);
	if (rc != 0)
		look_again(m);
	return rc;
}

int
move_run(struct move_job *j, struct arena *a, struct err *err)
{
	struct mover m = { .j = j, .step = arena_new(STEP_ARENA) };
	int rc = run(&m, a, err);

	move_source_free(m.src);
	free(m.scan);
	arena_free(m.step);
	return rc;
}

int
move_cancel(struct move_job *j, struct arena *a, struct err *err)
{
	struct mover m = { .j = j, .step = arena_new(STEP_ARENA), .frozen = true };
	struct err ignored = { 0 };
	const char *state = "";
	bool home, clean = false;
	int rc = meta_move_cancel(j->t, a, j->bucket, &m.mv, err);

	if (rc == 0) {
		j->source = m.mv.source;
		uuid_text(&m.mv.bucket_id, m.bucket_id);
		uuid_text(&m.mv.id, m.move_id);
		rc = meta_moving_settle(j->t, m.step, &m.mv.bucket_id, &m.mv.id, &state, &home, err);
		j->source_told = strcmp(m.mv.source, j->settings->region) == 0 ||
		    (find_source(&m, a, &ignored) == 0 && tell_source(&m, &ignored) == 0);
	}
	while (rc == 0 && strcmp(state, "gone") == 0 && strcmp(m.mv.target, j->settings->region) == 0 && !clean)
		rc = meta_moving_purge(j->t, m.step, &m.mv.bucket_id, &m.mv.id, PURGE_ROWS, &clean, err);
	move_source_free(m.src);
	arena_free(m.step);
	return rc;
}
