/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/beat.c - each metadata_beat_ms: read every page of every server;
 * ask a source for n; obtain all events through it; CAS. In this order, which
 * tests/model/cache.pml checks. Also at once when an event shows that some are
 * missing, since that is what a beat mends.
 *
 * Blocks:    in a thread of its own, on memcached, a source, and peers.
 * Invariant: the answer that stamps a page was asked for after the page was read.
 */
#include "invalidator/inv.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"

#define SOON_US (20 * US_PER_MS)     /* between two rounds that were asked for */
#define CUT_OFF_ROUNDS 3             /* without an answer, until that is told */
#define CATCH_UP_MAX 50000           /* numbers; further behind, every slot is raised, which is quicker */

struct beat {
	struct arena *arena;
	struct inv *inv;
	struct inv_thread thread;
	struct mc *mc[CACHE_SERVERS_MAX];
	struct stamp_round round[CACHE_SERVERS_MAX];
	bool begun[CACHE_SERVERS_MAX], no_cas[CACHE_SERVERS_MAX];
	struct stamp_event *buf;      /* RING_EVENTS of them */
	bool cut_off;                 /* told */
	int failures;                 /* rounds without an answer, in a row */
	pthread_mutex_t lock;         /* guards wanted, with wake */
	pthread_cond_t wake;
	bool wanted;
};

void
beat_now(struct inv *inv)
{
	struct beat *b = inv->beat;

	pthread_mutex_lock(&b->lock);
	b->wanted = true;
	pthread_cond_signal(&b->wake);
	pthread_mutex_unlock(&b->lock);
}

/* Until the next turn, or sooner when it is wanted. */
static void
wait_for_turn(struct beat *b, int64_t last_us)
{
	int64_t turn_us = last_us + b->inv->settings->metadata_beat_ms * US_PER_MS, soon_us = last_us + SOON_US;
	struct timespec ts;

	pthread_mutex_lock(&b->lock);
	for (;;) {
		int64_t until = b->wanted ? soon_us : turn_us;

		if (atomic_load(&b->inv->stop) || clock_mono_us() >= until)
			break;
		ts.tv_sec = (time_t)(until / US_PER_S);
		ts.tv_nsec = (long)(until % US_PER_S) * 1000;
		pthread_cond_timedwait(&b->wake, &b->lock, &ts);
	}
	b->wanted = false;
	pthread_mutex_unlock(&b->lock);
}

/* ---- asking ---- */

struct clock_ask {
	atomic_bool not_known; /* peers answer from threads of their own */
};

static bool
clock_answer(const struct message *answer, void *arg)
{
	struct clock_ask *c = arg;

	if (answer->type == MSG_CLOCK && answer->code == ANSWER_NOT_KNOWN)
		atomic_store(&c->not_known, true);
	return answer->type == MSG_CLOCK && answer->code == ANSWER_OK && answer->clock.n > 0;
}

/* Asked now, of the primary or of a peer that asks it. NULL: *q is the answer; else why there is none. */
static const char *
ask_source(struct inv *inv, const struct event_clock *seen, struct event_clock *q)
{
	struct message question = { .type = MSG_ASK_CLOCK, .clock = *seen }, answer;
	struct clock_ask c = { false };
	struct err err = { 0 };
	struct arena *a;
	bool got;

	if (fault_off(FAULT_RULE_ask_source) && seen->n > 0) {
		*q = *seen;
		return NULL;
	}
	if (atomic_load(&inv->is_source)) {
		switch (source_clock(inv, inv->region, seen, q, &err)) {
		case 1:
			return NULL;
		case 0:
			return "this region has no active row in the global database";
		default:
			inv_set_source(inv, false, err.detail);
		}
	}
	a = arena_new(65536);
	got = peers_ask(inv, &question, clock_answer, &c, a, &answer);
	if (got)
		*q = answer.clock;
	arena_free(a);
	if (got)
		return NULL;
	return atomic_load(&c.not_known) ? "a source says that this region has no active row" : "no source answers";
}

/* ---- obtaining ---- */

static bool
some_events(const struct message *answer, void *arg)
{
	const struct event_clock *after = arg;

	return answer->type == MSG_SOME_EVENTS && answer->code == ANSWER_OK && answer->from <= after->n &&
	    answer->through > after->n && memcmp(answer->clock.epoch, after->epoch, EPOCH_LEN) == 0;
}

/* One step from a peer's memory. */
static bool
events_of_peers(struct inv *inv, struct event_clock *after)
{
	struct message question = { .type = MSG_ASK_EVENTS, .clock = *after }, answer;
	struct arena *a = arena_new(1 << 20);
	struct stamp_news news;
	bool got = peers_ask(inv, &question, some_events, after, a, &answer);

	if (got) {
		memcpy(news.epoch, after->epoch, EPOCH_LEN);
		news.from = answer.from;
		news.through = answer.through;
		news.events = answer.events;
		news.n = answer.n_events;
		ring_put(inv->ring, &news);
	}
	arena_free(a);
	return got;
}

/* The ring through q, or reset to it: then every slot is raised. */
static void
obtain(struct inv *inv, const struct event_clock *q, uint64_t low)
{
	struct ring_state s = ring_state(inv->ring);
	struct event_clock after;
	uint64_t gap_from = 0;

	if (s.through == 0 || memcmp(s.epoch, q->epoch, EPOCH_LEN) != 0) {
		if (s.through != 0)
			log_event(NULL, EV_EPOCH, LS("region", inv->region), LI("event", (int64_t)q->n));
		ring_reset(inv->ring, q->epoch, low != 0 && low <= q->n && q->n - low <= CATCH_UP_MAX ? low : q->n);
		s = ring_state(inv->ring);
	}
	while (s.through < q->n && q->n - s.through <= CATCH_UP_MAX && !atomic_load(&inv->stop)) {
		uint64_t before = s.through;
		bool got;

		memcpy(after.epoch, s.epoch, EPOCH_LEN);
		after.n = s.through;
		got = atomic_load(&inv->is_source) && source_pump(inv, q->n) && ring_state(inv->ring).through > before;
		if (!got && events_of_peers(inv, &after)) {
			got = true;
			gap_from = gap_from == 0 ? before : gap_from;
		}
		s = ring_state(inv->ring);
		if (!got && s.through <= before)
			break;
	}
	if (s.through < q->n && !atomic_load(&inv->stop)) {
		log_event(NULL, EV_INV_FLUSH, LS("region", inv->region), LI("from", (int64_t)s.through), LI("through", (int64_t)q->n));
		ring_reset(inv->ring, q->epoch, q->n);
	} else if (gap_from != 0) {
		metric_add(M_INV_GAPS, 1);
		log_event(NULL, EV_INV_GAP, LS("region", inv->region), LI("from", (int64_t)gap_from), LI("through", (int64_t)s.through));
	}
}

/* ---- a round ---- */

static void
begin(struct beat *b, const struct ring_state *known, struct event_clock *seen)
{
	struct inv *inv = b->inv;
	uint64_t low, high;

	memcpy(seen->epoch, known->epoch, EPOCH_LEN);
	seen->n = known->through;
	for (size_t i = 0; i < inv->servers->n; i++) {
		enum stamp_result r = stamp_beat_begin(b->mc[i], inv->region, known->epoch, &b->round[i]);

		b->begun[i] = r == STAMP_DONE;
		if (r == STAMP_NO_CAS && !b->no_cas[i])
			log_event(NULL, EV_INV_NO_CAS, LS("server", inv->servers->server[i].address));
		b->no_cas[i] = r == STAMP_NO_CAS;
		if (!b->begun[i])
			continue;
		for (unsigned p = 0; seen->n == 0 && p < STAMP_PAGES; p++)
			if (b->round[i].was[p].there && b->round[i].was[p].page.clock.n != 0)
				*seen = b->round[i].was[p].page.clock; /* just started: the pages know the epoch */
		stamp_round_range(&b->round[i], seen->epoch, &low, &high);
		if (high > seen->n)
			seen->n = high;
	}
}

static uint64_t
lowest(const struct beat *b, const uint8_t epoch[EPOCH_LEN])
{
	uint64_t all = 0, low, high;

	for (size_t i = 0; i < b->inv->servers->n; i++) {
		if (!b->begun[i])
			continue;
		stamp_round_range(&b->round[i], epoch, &low, &high);
		if (low != 0 && (all == 0 || low < all))
			all = low;
	}
	return all;
}

/* true: every page of every server knows all through q. */
static bool
end(struct beat *b, const struct event_clock *q, uint64_t low)
{
	struct inv *inv = b->inv;
	struct ring_state s = ring_state(inv->ring);
	struct stamp_news news;
	uint64_t from = low < s.low ? s.low : low;
	int beaten, flushed;
	bool all = true;

	if (!ring_read(inv->ring, q->epoch, from, b->buf, RING_EVENTS, &news) &&
	    !ring_read(inv->ring, q->epoch, s.through, b->buf, RING_EVENTS, &news)) {
		news = (struct stamp_news){ .from = q->n, .through = q->n };
		memcpy(news.epoch, q->epoch, EPOCH_LEN);
	}
	fault_point(FAULT_POINT_beat_before_pages);
	for (size_t i = 0; i < inv->servers->n; i++) {
		if (!b->begun[i]) {
			all = false;
			continue;
		}
		if (stamp_beat_end(b->mc[i], inv->region, &b->round[i], q, &news, &beaten, &flushed) != STAMP_DONE)
			all = false;
		metric_add(M_INV_BEATS, beaten);
		metric_add(M_INV_FLUSHES, flushed);
	}
	return all;
}

static void
tell(struct beat *b, const char *why)
{
	b->failures = why == NULL ? 0 : b->failures + 1;
	if (b->cut_off == (why != NULL) || (why != NULL && b->failures < CUT_OFF_ROUNDS))
		return;
	b->cut_off = why != NULL;
	if (why != NULL)
		log_event(NULL, EV_INV_CUT_OFF, LS("region", b->inv->region), LS("reason", why));
	else
		log_event(NULL, EV_INV_BEATS, LS("region", b->inv->region));
}

/* Reads the pages, then asks what n is. NULL: *q is the answer. */
static const char *
read_and_ask(struct beat *b, struct event_clock *q)
{
	struct ring_state known = ring_state(b->inv->ring);
	struct event_clock seen = { .n = known.through };
	const char *why;

	fault_point(FAULT_POINT_beat_before_read);
	if (fault_off(FAULT_RULE_ask_after_read)) {
		memcpy(seen.epoch, known.epoch, EPOCH_LEN);
		why = ask_source(b->inv, &seen, q);
		fault_point(FAULT_POINT_beat_after_read);
		begin(b, &known, &seen);
		return why;
	}
	begin(b, &known, &seen);
	fault_point(FAULT_POINT_beat_after_read);
	return ask_source(b->inv, &seen, q);
}

static void
round_of_beats(struct beat *b)
{
	struct inv *inv = b->inv;
	struct event_clock q;
	const char *why = read_and_ask(b, &q);
	uint64_t low;

	tell(b, why);
	if (why != NULL)
		return;
	fault_point(FAULT_POINT_beat_after_ask);
	low = lowest(b, q.epoch);
	obtain(inv, &q, low);
	if (end(b, &q, low)) {
		fault_point(FAULT_POINT_beat_before_ack);
		apply_beaten(inv, &q);
		atomic_store(&inv->beat_us, clock_mono_us());
	} else {
		apply_say_ack(inv);
	}
}

static void *
beat_run(void *arg)
{
	struct beat *b = arg;
	int64_t start_us;

	while (!atomic_load(&b->inv->stop)) {
		start_us = clock_mono_us();
		atomic_store(&b->inv->alive_us, start_us);
		regions_refresh(b->inv);
		links_look(b->inv);
		round_of_beats(b);
		wait_for_turn(b, start_us);
	}
	return NULL;
}

void
beat_new(struct inv *inv)
{
	struct arena *a = arena_new(sizeof(struct beat) + RING_EVENTS * sizeof(struct stamp_event) + 4096);
	struct beat *b = ARENA_NEW(a, struct beat);

	ASSERT(b != NULL);
	b->arena = a;
	b->inv = inv;
	b->buf = arena_array(a, RING_EVENTS, sizeof(*b->buf));
	ASSERT(b->buf != NULL);
	for (size_t i = 0; i < inv->servers->n; i++)
		b->mc[i] = mc_new(inv->servers, i, true);
	pthread_mutex_init(&b->lock, NULL);
	clock_cond_init(&b->wake);
	inv->beat = b;
}

int
beat_start(struct inv *inv, struct err *err)
{
	return inv_thread(&inv->beat->thread, beat_run, inv->beat, err);
}

void
beat_stop(struct inv *inv)
{
	beat_now(inv);
	inv_join(&inv->beat->thread);
}

void
beat_free(struct inv *inv)
{
	struct beat *b = inv->beat;

	for (size_t i = 0; i < inv->servers->n; i++)
		mc_free(b->mc[i]);
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->wake);
	arena_free(b->arena);
}
