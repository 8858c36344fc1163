/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/apply.c - events into the stamp pages of every server as soon as
 * the ring has them, and what this region may acknowledge.
 *
 * Blocks:    in a thread of its own, on memcached.
 * Invariant: (epoch, n) is acknowledged only when every event through n is in
 *            every page of every server, or in a page's place there is none. An
 *            event that could not be applied somewhere is a hole: nothing is
 *            acknowledged until a round of beats has told every page all through it.
 */
#include "invalidator/inv.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/metrics.h"

#define BATCH 8192           /* rows at a time; more than one number ever has */
#define HISTORY 4096         /* numbers before the news, so that a page that lags is told without a gap */
#define WAIT_US (500 * US_PER_MS)

struct apply {
	struct arena *arena;
	struct inv *inv;
	struct inv_thread thread;
	struct stamp_event *buf;
	struct mc *mc[CACHE_SERVERS_MAX];
	/* The lock guards the rest. */
	pthread_mutex_t lock;
	struct event_clock done;  /* the ring is applied through here, but for the hole */
	uint64_t hole;            /* 0, or: some event <= hole is missing somewhere */
	struct event_clock acked; /* n 0: nothing */
	uint64_t beaten;          /* every page knows all through here */
};

static bool
same_epoch(const struct event_clock *a, const uint8_t epoch[EPOCH_LEN])
{
	return memcmp(a->epoch, epoch, EPOCH_LEN) == 0;
}

void
apply_say_ack(struct inv *inv)
{
	struct message m = { .type = MSG_ACK, .clock = apply_acked(inv) };

	if (m.clock.n == 0)
		return;
	acks_heard(inv->acks, inv->region, &m.clock);
	peers_publish(inv, &m);
}

struct event_clock
apply_acked(struct inv *inv)
{
	struct event_clock c;

	pthread_mutex_lock(&inv->apply->lock);
	c = inv->apply->acked;
	pthread_mutex_unlock(&inv->apply->lock);
	return c;
}

/* With the lock held. true when it is news. */
static bool
acknowledge(struct apply *ap, const uint8_t epoch[EPOCH_LEN], uint64_t n)
{
	if (same_epoch(&ap->acked, epoch) && ap->acked.n >= n)
		return false;
	memcpy(ap->acked.epoch, epoch, EPOCH_LEN);
	ap->acked.n = n;
	metric_set(M_INV_LAST_N, (int64_t)n);
	return true;
}

/* What the rule forbids (base/fault.h). */
static void
say_too_early(struct apply *ap, const uint8_t epoch[EPOCH_LEN], uint64_t n)
{
	bool say;

	pthread_mutex_lock(&ap->lock);
	say = acknowledge(ap, epoch, n);
	pthread_mutex_unlock(&ap->lock);
	if (say)
		apply_say_ack(ap->inv);
}

void
apply_beaten(struct inv *inv, const struct event_clock *q)
{
	struct apply *ap = inv->apply;

	pthread_mutex_lock(&ap->lock);
	if (!same_epoch(&ap->done, q->epoch)) {
		ap->done = *q;
		ap->hole = 0;
		ap->beaten = q->n;
	}
	if (q->n >= ap->hole)
		ap->hole = 0;
	if (q->n > ap->beaten)
		ap->beaten = q->n;
	acknowledge(ap, q->epoch, q->n);
	pthread_mutex_unlock(&ap->lock);
	apply_say_ack(inv);
}

static uint32_t
pages_hit(const struct stamp_news *news, uint64_t after)
{
	uint32_t pages = 0;

	for (size_t i = news->n; i > 0 && news->events[i - 1].n > after; i--)
		pages |= news->events[i - 1].place == STAMP_ALL ? STAMP_EVERY_PAGE :
		    UINT32_C(1) << news->events[i - 1].place / CACHE_SLOTS;
	return pages;
}

static void
look_for_regions(struct inv *inv, const struct stamp_news *news, uint64_t after)
{
	for (size_t i = news->n; i > 0 && news->events[i - 1].n > after; i--)
		if (news->events[i - 1].letter == (uint8_t)event_letter(EVENT_KIND_REGIONS) ||
		    news->events[i - 1].letter == (uint8_t)event_letter(EVENT_KIND_ALL)) {
			regions_stale(inv->regions);
			beat_now(inv);
			return;
		}
}

/* What follows done, with some history before it. false: nothing, or not remembered. */
static bool
next_news(struct apply *ap, const struct ring_state *s, uint64_t done, uint64_t beaten, struct stamp_news *news)
{
	uint64_t from = done > HISTORY ? done - HISTORY : 0;

	if (from < beaten)
		from = beaten;
	if (from < s->low)
		from = s->low;
	if (from > done)
		from = done;
	if (!ring_read(ap->inv->ring, s->epoch, from, ap->buf, BATCH, news))
		return false;
	if (news->through <= done) /* the history fills the buffer */
		return ring_read(ap->inv->ring, s->epoch, done, ap->buf, BATCH, news) && news->through > done;
	return true;
}

/* Applies what the ring has beyond done, a batch at most. false: nothing was there. */
static bool
apply_some(struct apply *ap, const struct ring_state *s)
{
	struct inv *inv = ap->inv;
	uint64_t done, beaten, applied = 0;
	struct stamp_news news;
	bool well = true, say = false;
	uint32_t pages;

	pthread_mutex_lock(&ap->lock);
	if (!same_epoch(&ap->done, s->epoch)) { /* a new epoch: what was before is the beat's */
		memcpy(ap->done.epoch, s->epoch, EPOCH_LEN);
		ap->done.n = ap->hole = s->low;
		ap->beaten = 0;
	}
	if (ap->done.n < s->low) /* pushed out before we came to it */
		ap->done.n = ap->hole = s->low;
	done = ap->done.n;
	beaten = ap->beaten;
	pthread_mutex_unlock(&ap->lock);
	if (done >= s->through || !next_news(ap, s, done, beaten, &news))
		return false;
	pages = pages_hit(&news, done);
	if (fault_off(FAULT_RULE_ack_applied))
		say_too_early(ap, s->epoch, news.through);
	fault_point(FAULT_POINT_apply_before_read);
	for (size_t i = 0; pages != 0 && i < inv->servers->n; i++)
		switch (stamp_apply(ap->mc[i], inv->region, pages, &news)) {
		case STAMP_DONE:
			break;
		case STAMP_EPOCH:
		case STAMP_BUSY:
			beat_now(inv);
			well = false;
			break;
		case STAMP_AWAY:
		case STAMP_NO_CAS:
			well = false;
			break;
		}
	for (size_t i = 0; i < news.n; i++)
		applied += news.events[i].n > done;
	metric_add(M_INV_EVENTS, (int64_t)applied);
	fault_point(FAULT_POINT_apply_before_ack);
	pthread_mutex_lock(&ap->lock);
	if (same_epoch(&ap->done, s->epoch) && ap->done.n == done) {
		ap->done.n = news.through;
		if (!well)
			ap->hole = news.through;
		if (ap->hole == 0)
			say = acknowledge(ap, s->epoch, news.through);
	}
	pthread_mutex_unlock(&ap->lock);
	if (say)
		apply_say_ack(inv);
	look_for_regions(inv, &news, done);
	return true;
}

static void *
apply_run(void *arg)
{
	struct apply *ap = arg;
	struct ring_state s = { .through = 0 };

	while (!atomic_load(&ap->inv->stop)) {
		ring_wait(ap->inv->ring, &s, WAIT_US);
		while (s.through != 0 && !atomic_load(&ap->inv->stop) && apply_some(ap, &s))
			continue;
	}
	return NULL;
}

void
apply_new(struct inv *inv)
{
	struct arena *a = arena_new(sizeof(struct apply) + BATCH * sizeof(struct stamp_event) + 4096);
	struct apply *ap = ARENA_NEW(a, struct apply);

	ASSERT(ap != NULL);
	ap->arena = a;
	ap->inv = inv;
	ap->buf = arena_array(a, BATCH, sizeof(*ap->buf));
	ASSERT(ap->buf != NULL);
	pthread_mutex_init(&ap->lock, NULL);
	for (size_t i = 0; i < inv->servers->n; i++)
		ap->mc[i] = mc_new(inv->servers, i, true);
	inv->apply = ap;
}

int
apply_start(struct inv *inv, struct err *err)
{
	return inv_thread(&inv->apply->thread, apply_run, inv->apply, err);
}

void
apply_stop(struct inv *inv)
{
	inv_join(&inv->apply->thread);
}

void
apply_free(struct inv *inv)
{
	struct apply *ap = inv->apply;

	for (size_t i = 0; i < inv->servers->n; i++)
		mc_free(ap->mc[i]);
	pthread_mutex_destroy(&ap->lock);
	arena_free(ap->arena);
}
