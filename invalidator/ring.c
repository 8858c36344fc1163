/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/ring.c - recent events.
 *
 * Owns:      RING_EVENTS rows, for as long as the program runs.
 * Blocks:    ring_wait only. The lock's rank is the last: nothing is called under it.
 * Invariant: every event of the epoch with low < n <= through is in it, ascending;
 *            a number is in it whole or not at all.
 */
#include "invalidator/ring.h"

#include <pthread.h>

#include "base/clock.h"

struct ring {
	struct arena *arena;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct ring_state state;
	struct stamp_event *event;
	size_t first, n;
};

struct ring *
ring_new(void)
{
	struct arena *a = arena_new(sizeof(struct ring) + RING_EVENTS * sizeof(struct stamp_event) + 4096);
	struct ring *r = ARENA_NEW(a, struct ring);

	ASSERT(r != NULL);
	r->arena = a;
	r->event = arena_array(a, RING_EVENTS, sizeof(*r->event));
	ASSERT(r->event != NULL);
	pthread_mutex_init(&r->lock, NULL);
	clock_cond_init(&r->changed);
	return r;
}

void
ring_free(struct ring *r)
{
	if (r == NULL)
		return;
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->changed);
	arena_free(r->arena);
}

static struct stamp_event *
at(const struct ring *r, size_t i)
{
	return &r->event[(r->first + i) % RING_EVENTS];
}

struct ring_state
ring_state(struct ring *r)
{
	struct ring_state s;

	pthread_mutex_lock(&r->lock);
	s = r->state;
	pthread_mutex_unlock(&r->lock);
	return s;
}

void
ring_reset(struct ring *r, const uint8_t epoch[EPOCH_LEN], uint64_t n)
{
	pthread_mutex_lock(&r->lock);
	if (memcmp(r->state.epoch, epoch, EPOCH_LEN) != 0 || r->state.through < n) {
		memcpy(r->state.epoch, epoch, EPOCH_LEN);
		r->state.low = r->state.through = n;
		r->first = r->n = 0;
		pthread_cond_broadcast(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
}

/* The oldest number goes, with all its rows. */
static void
drop_oldest(struct ring *r)
{
	r->state.low = at(r, 0)->n;
	while (r->n > 0 && at(r, 0)->n == r->state.low) {
		r->first = (r->first + 1) % RING_EVENTS;
		r->n--;
	}
}

enum ring_put
ring_put(struct ring *r, const struct stamp_news *news)
{
	enum ring_put what = RING_OLD;

	pthread_mutex_lock(&r->lock);
	if (r->state.through == 0 || memcmp(r->state.epoch, news->epoch, EPOCH_LEN) != 0)
		what = RING_EPOCH;
	else if (news->from > r->state.through)
		what = RING_GAP;
	else if (news->through > r->state.through)
		what = RING_NEW;
	if (what == RING_NEW) {
		for (size_t i = 0; i < news->n; i++) {
			if (news->events[i].n <= r->state.through)
				continue;
			if (r->n == RING_EVENTS)
				drop_oldest(r);
			*at(r, r->n++) = news->events[i];
		}
		r->state.through = news->through;
		pthread_cond_broadcast(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
	return what;
}

/* The first event after n. */
static size_t
search(const struct ring *r, uint64_t n)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (at(r, mid)->n > n)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

bool
ring_read(struct ring *r, const uint8_t epoch[EPOCH_LEN], uint64_t after, struct stamp_event *buf, size_t max,
    struct stamp_news *out)
{
	bool known;
	size_t i;

	memcpy(out->epoch, epoch, EPOCH_LEN);
	out->from = out->through = after;
	out->events = buf;
	out->n = 0;
	pthread_mutex_lock(&r->lock);
	known = r->state.through != 0 && memcmp(r->state.epoch, epoch, EPOCH_LEN) == 0 && r->state.low <= after;
	if (known && after < r->state.through) {
		for (i = search(r, after); i < r->n && out->n < max; i++)
			buf[out->n++] = *at(r, i);
		out->through = r->state.through;
		if (i < r->n) { /* did not fit: end before the number that would be cut */
			uint64_t cut = at(r, i)->n;

			while (out->n > 0 && buf[out->n - 1].n == cut)
				out->n--;
			out->through = out->n > 0 ? buf[out->n - 1].n : after;
		}
	}
	pthread_mutex_unlock(&r->lock);
	return known;
}

void
ring_wait(struct ring *r, struct ring_state *s, int64_t timeout_us)
{
	int64_t until = clock_mono_us() + timeout_us;
	struct timespec ts = { (time_t)(until / US_PER_S), (long)(until % US_PER_S) * 1000 };

	pthread_mutex_lock(&r->lock);
	while (memcmp(&r->state, s, sizeof(*s)) == 0)
		if (pthread_cond_timedwait(&r->changed, &r->lock, &ts) != 0)
			break;
	*s = r->state;
	pthread_mutex_unlock(&r->lock);
}
