/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/await.c - a writer waits until every region knows what it changed, and
 * finds out which regions need not be waited for (DESIGN.md, "A lost region
 * taxes one writer, not all"; tests/model/renewal.pml).
 *
 * Called by:  change.c, registry_region.c, registry_status.c.
 * Blocks:     at most metadata_ack_ms since the commit, and for one statement more
 *             when it marks a region. No database connection is held meanwhile.
 * Invariant:  a region is passed over only by a look at the renewals that was made
 *             after the commit. It is marked only when the first look's renewal and
 *             epoch are still those of the database metadata_ack_ms later.
 */
#include "meta/internal.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"

#define REGIONS_MAX 256                  /* an invalidator knows no more */
#define LOOK_EVERY_US (250 * US_PER_MS)  /* another writer may mark what we wait for */
#define MARK_US (500 * US_PER_MS)        /* for that statement, beyond W */

struct look { /* columns of sql/stmt/regions_awaited.sql */
	uint8_t epoch[EPOCH_LEN];
	int64_t at_us; /* its answer had come by then */
	size_t n;
	struct {
		const char *name;
		int64_t renewal;
		bool lost;
	} region[REGIONS_MAX];
};
struct await {
	struct meta_thread *t;
	struct arena *arena;
	const struct event_clock *at;
	int64_t committed_us;
	struct look first;
	bool looked;
	const char *region[REGIONS_MAX]; /* that are waited for */
	size_t n;
};

static bool
read_look(struct look *l, const struct db_rows *rows, int64_t at_us)
{
	struct event_clock clock;

	if (rows == NULL || db_count(rows) == 0)
		return false;
	clock_from_row(rows, 0, 0, &clock);
	memcpy(l->epoch, clock.epoch, EPOCH_LEN);
	l->at_us = at_us;
	l->n = 0;
	for (size_t i = 0; i < db_count(rows) && l->n < REGIONS_MAX; i++) {
		if (db_is_null(rows, i, 2))
			continue;
		l->region[l->n].name = db_text(rows, i, 2);
		l->region[l->n].renewal = db_i64(rows, i, 3);
		l->region[l->n++].lost = db_bool(rows, i, 4);
	}
	return true;
}

static bool
look_again(struct await *w, struct look *l, int64_t until_us)
{
	struct err ignored = { 0 }; /* the pool tells; we wait all the same */
	struct db_rows *rows;

	return db_query_until(w->t->meta->global, until_us, w->arena, STMT_REGIONS_AWAITED, NULL, 0, &rows, &ignored) == 0 &&
	    read_look(l, rows, clock_mono_us());
}

static int
find_in(const struct look *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->region[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* One name more; a list that is too long ends early. */
static void
add_name(char list[CHANGE_NAMES_MAX], const char *name)
{
	size_t at = strlen(list);

	if (at + strlen(name) + 2 < CHANGE_NAMES_MAX)
		snprintf(list + at, CHANGE_NAMES_MAX - at, "%s%s", at == 0 ? "" : ",", name);
}

static void
skip(struct await *w, const char *region)
{
	metric_add(M_ACK_SKIPPED, 1);
	add_name(w->t->change.skipped, region);
}

/* Whom to wait for, by the first look after the commit. */
static void
choose(struct await *w, bool own_knows)
{
	const struct settings *s = w->t->meta->settings;
	bool own_only = strcmp(s->metadata_consistency, "eventual") == 0;

	for (size_t i = 0; i < w->first.n; i++) {
		bool own = strcmp(w->first.region[i].name, s->region) == 0;

		if ((own && own_knows) || (!own && own_only))
			continue;
		if (w->first.region[i].lost)
			skip(w, w->first.region[i].name);
		else
			w->region[w->n++] = w->first.region[i].name;
	}
}

/* Those that are marked by now, or gone: their rows go only when they hold no trust. */
static void
drop_lost(struct await *w, const struct look *now)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n; i++) {
		int at = find_in(now, w->region[i]);

		if (at >= 0 && !now->region[at].lost)
			w->region[kept++] = w->region[i];
		else
			skip(w, w->region[i]);
	}
	w->n = kept;
}

/* They have not acknowledged. Did they not even ask since our first look? */
static void
mark(struct await *w, const struct look *last)
{
	int64_t until_us = clock_mono_us() + MARK_US;

	for (size_t i = 0; i < w->n; i++) {
		const struct look *seen = fault_off(FAULT_RULE_mark_unless_asked) ? last : &w->first;
		int at = find_in(seen, w->region[i]);
		int64_t renewal = at < 0 ? 0 : seen->region[at].renewal;
		struct db_param p[] = { P_TEXT(w->region[i]), P_INT(renewal),
			{ .type = DB_UUID, .p = seen->epoch, .len = EPOCH_LEN } };
		struct err ignored = { 0 };
		struct db_rows *rows;

		if (at < 0 || db_query_until(w->t->meta->global, until_us, w->arena, STMT_REGION_LOST, p, 3, &rows, &ignored) != 0 ||
		    !db_bool(rows, 0, 0))
			continue;
		metric_add(M_ACK_MARKED, 1);
		log_event(NULL, EV_REGION_LOST, LS("region", w->region[i]), LI("event", (int64_t)w->at->n),
		    LI("renewal", renewal));
	}
}

/* Until all have acknowledged or are passed over, or until end_us. */
static void
wait_until(struct await *w, int64_t end_us, struct look *last)
{
	struct cache_thread *c = w->t->cache;

	while (w->n > 0 || !w->looked) {
		int64_t next_us = clock_mono_us() + LOOK_EVERY_US;

		cache_await_acks(c, w->at, w->region, &w->n, next_us < end_us ? next_us : end_us);
		if ((w->n == 0 && w->looked) || clock_mono_us() >= end_us)
			return;
		if (look_again(w, last, end_us))
			drop_lost(w, last);
	}
}

static int64_t
wait_length_us(const struct settings *s)
{
	return (fault_off(FAULT_RULE_ack_wait_length) ? s->metadata_trust_ms / 10 : s->metadata_ack_ms) * US_PER_MS;
}

static void
tell(struct await *w, int64_t waited_us)
{
	struct meta_thread *t = w->t;

	t->change.acknowledged = w->looked && w->n == 0;
	t->change.waited_us = waited_us;
	t->spent.ack_wait_us += waited_us;
	metric_time(H_ACK_WAIT, waited_us);
	if (!t->change.acknowledged)
		metric_add(M_ACK_TIMEOUTS, 1);
	for (size_t i = 0; i < w->n; i++) {
		add_name(t->change.silent, w->region[i]);
		log_event(NULL, EV_ACK_TIMEOUT, LS("region", w->region[i]), LI("event", (int64_t)w->at->n),
		    LI("waited_us", waited_us));
	}
	t->spent.ack_silent = t->change.silent[0] == '\0' ? NULL : t->change.silent;
	t->spent.ack_skipped = t->change.skipped[0] == '\0' ? NULL : t->change.skipped;
}

void
meta_wait_known(struct meta_thread *t, struct arena *a, const struct event_clock *at, const struct db_rows *look,
    int64_t committed_us, bool own_knows)
{
	struct await *w = ARENA_NEW(a, struct await);
	struct look *last = ARENA_NEW(a, struct look);
	int64_t wait_us = wait_length_us(t->meta->settings), mark_us;

	t->change.acknowledged = true;
	if (t->cache == NULL || fault_off(FAULT_RULE_ack_wait))
		return;
	ASSERT(w != NULL && last != NULL);
	*w = (struct await){ .t = t, .arena = a, .at = at, .committed_us = committed_us };
	w->looked = read_look(&w->first, look, committed_us) || look_again(w, &w->first, committed_us + wait_us);
	*last = w->first;
	choose(w, own_knows);
	if (w->looked && w->n == 0 && t->change.skipped[0] == '\0')
		return;
	fault_point(FAULT_POINT_write_before_wait);
	wait_until(w, committed_us + wait_us, last);
	mark_us = fault_off(FAULT_RULE_mark_wait) ? 0 : wait_us;
	if (w->n > 0 && clock_mono_us() >= w->first.at_us + mark_us)
		mark(w, last);
	tell(w, clock_mono_us() - committed_us);
}

int
meta_wait_lost(struct meta_thread *t, struct arena *a, const char *region, struct err *err)
{
	struct await *w = ARENA_NEW(a, struct await);
	struct look *last = ARENA_NEW(a, struct look);
	int64_t wait_us = wait_length_us(t->meta->settings);
	struct event_clock none = { .n = 0 };
	struct db_rows *rows;

	ASSERT(w != NULL && last != NULL);
	*w = (struct await){ .t = t, .arena = a, .at = &none, .looked = true };
	if (db_query(t->meta->global, a, STMT_REGIONS_AWAITED, NULL, 0, &rows, err) != 0)
		return -1;
	if (!read_look(&w->first, rows, clock_mono_us()))
		return FAIL(err, ERR_UNAVAILABLE, "the event clock has no row: run anvil-admin db init");
	w->region[w->n++] = region;
	drop_lost(w, &w->first);
	while (w->n > 0 && clock_mono_us() < w->first.at_us + wait_us) {
		clock_sleep_us(wait_us < LOOK_EVERY_US ? wait_us : LOOK_EVERY_US);
		if (look_again(w, last, clock_mono_us() + wait_us))
			drop_lost(w, last);
	}
	if (w->n > 0)
		mark(w, &w->first);
	return 0;
}
