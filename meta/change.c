/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/change.c - the one way to change global metadata: commit, then wait until
 * every region knows.
 *
 * Called by:  bucket.c, registry_*.c.
 * Blocks:     on PostgreSQL, then on acknowledgements, for at most
 *             metadata_ack_ms since COMMIT.
 * Invariant:  success is told to nobody before the wait is over. A failure of the
 *             wait is no failure of the change: after metadata_ack_ms no region can
 *             still trust a value that is older.
 */
#include "meta/internal.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"

#define AGAIN_EVERY_US (50 * US_PER_MS)
#define RAISE_MAX 16 /* keys a writer raises itself; more are the invalidator's */

/* A transaction's number and what it changed: columns of sql/stmt/event_flush.sql. */
struct change {
	struct event_clock at;
	const char *const *events;  /* kind letter and key */
};

static int
read_change(const struct db_rows *r, struct arena *a, struct change *c, bool *changed, struct err *err)
{
	*changed = false;
	if (db_count(r) == 0 || db_is_null(r, 0, 0)) /* no clock yet; whatever makes an event begins it */
		return 0;
	clock_from_row(r, 0, 0, &c->at);
	*changed = db_bool(r, 0, 2);
	c->events = db_texts(r, 0, 3, a);
	return c->events == NULL ? FAIL(err, ERR_LIMIT, "too many events") : 0;
}

/* Our own region's slots, at once. true: no reading of this region that begins now is older. */
static bool
raise_own(struct meta_thread *t, const struct change *c)
{
	struct cache_key keys[RAISE_MAX];
	size_t n = 0;

	for (; c->events[n] != NULL; n++) {
		if (n == RAISE_MAX || !event_kind_of(c->events[n][0], &keys[n].kind))
			return false;
		keys[n].name = span_of(c->events[n] + 1);
	}
	return cache_raise(t->cache, keys, n, &c->at);
}

/* *unknown: COMMIT's answer did not come. */
static int
change_once(struct meta_thread *t, db_tx_fn fn, void *arg, bool *unknown, struct err *err)
{
	struct db_param max = P_INT(RAISE_MAX + 1);
	enum stmt look = STMT_REGIONS_AWAITED;
	struct db_last last = { .arena = arena_new(1 << 22), .st = STMT_EVENT_FLUSH, .params = &max, .n_params = 1, .after = &look };
	struct change c = { 0 };
	int64_t committed_us;
	int rc;

	memset(&t->change, 0, sizeof(t->change));
	rc = db_tx_last(t->meta->global, fn, arg, &last, err);
	committed_us = clock_mono_us();
	fault_point(FAULT_POINT_write_after_commit);
	if (rc == 0)
		rc = read_change(last.rows, last.arena, &c, &t->change.changed, err);
	if (rc == 0) {
		t->change.at = c.at;
		t->change.acknowledged = true;
		if (t->change.changed && t->cache != NULL)
			meta_wait_known(t, last.arena, &c.at, last.after_rows, committed_us, raise_own(t, &c));
	}
	*unknown = last.unknown;
	if (*unknown) {
		metric_add(M_COMMITS_UNKNOWN, 1);
		log_event(NULL, EV_COMMIT_UNKNOWN, LS("reason", err->detail));
	}
	arena_free(last.arena);
	return rc;
}

int
meta_change(struct meta_thread *t, db_tx_fn fn, void *arg, struct err *err)
{
	bool unknown;

	return change_once(t, fn, arg, &unknown, err);
}

int
meta_change_sure(struct meta_thread *t, db_tx_fn fn, void *arg, bool *again, struct err *err)
{
	int64_t until_us = 0;

	*again = false;
	for (;;) {
		struct err why = { 0 };
		bool unknown;
		int rc = change_once(t, fn, arg, &unknown, &why);

		if (rc >= 0)
			return rc;
		if (unknown && !*again)
			until_us = clock_mono_us() + t->meta->settings->metadata_ack_ms * US_PER_MS;
		*again = *again || unknown;
		if (!*again)
			return err_fail(err, why.code, why.where, "%s", why.detail);
		if ((why.code != ERR_UNAVAILABLE && why.code != ERR_TIMEOUT) || clock_mono_us() >= until_us)
			return err_fail(err, why.code, why.where, "whether it was done is not known: %s", why.detail);
		clock_sleep_us(AGAIN_EVERY_US);
	}
}

struct change_one {
	enum stmt st;
	const struct db_param *params;
	size_t n_params;
	const char *what;
	struct arena *arena;
};

static int
change_one_tx(struct db *db, void *arg, struct err *err)
{
	struct change_one *c = arg;
	struct db_rows *r;

	if (db_run(db, c->arena, c->st, c->params, c->n_params, &r, err) != 0)
		return -1;
	if (stmt_defs[c->st].rows != '0' && db_count(r) == 0)
		return FAIL(err, ERR_NOT_FOUND, "there is no %s", c->what);
	return 0;
}

int
meta_change_one(struct meta_thread *t, enum stmt st, const struct db_param *params, size_t n_params, const char *what,
    struct err *err)
{
	struct change_one c = { st, params, n_params, what, arena_new(65536) };
	int rc = meta_change(t, change_one_tx, &c, err);

	arena_free(c.arena);
	return rc;
}
