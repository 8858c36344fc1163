/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/acks.c - acknowledgements, own and heard, into every memcached
 * server of this region, where its writers look.
 *
 * Blocks:    in a thread of its own, on memcached.
 * Invariant: what is lost here costs a writer time only; each beat says it again.
 */
#include "invalidator/inv.h"

#include "base/clock.h"
#include "base/fault.h"
#include "meta/ack.h"

struct heard {
	struct ack_heard ack;
	bool dirty;
};
struct acks {
	struct arena *arena;
	struct inv *inv;
	struct inv_thread thread;
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t changed;
	bool stop;
	struct heard heard[MESSAGE_REGIONS_MAX];
	size_t n;
};

/* What is new, at most `max`; waits for some. 0: the end. A region's name stays where it is. */
static size_t
take_dirty(struct acks *k, struct ack_said *out, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&k->lock);
	while (n == 0 && !k->stop) {
		for (size_t i = 0; i < k->n && n < max; i++)
			if (k->heard[i].dirty) {
				k->heard[i].dirty = false;
				out[n++] = (struct ack_said){ k->heard[i].ack.region, k->heard[i].ack.clock };
			}
		if (n == 0)
			pthread_cond_wait(&k->changed, &k->lock);
	}
	pthread_mutex_unlock(&k->lock);
	return n;
}

static void *
acks_run(void *arg)
{
	struct acks *k = arg;
	struct cache_servers *s = k->inv->servers;
	struct mc *mc[CACHE_SERVERS_MAX];
	struct ack_said said[MC_KEYS_MAX];
	size_t n;

	for (size_t i = 0; i < s->n; i++)
		mc[i] = mc_new(s, i, true);
	while ((n = take_dirty(k, said, MC_KEYS_MAX)) > 0) {
		fault_point(FAULT_POINT_ack_before_note);
		for (size_t i = 0; i < s->n; i++)
			if (acks_note(mc[i], k->inv->region, said, n) != MC_OK)
				continue; /* said again with the next beat */
	}
	for (size_t i = 0; i < s->n; i++)
		mc_free(mc[i]);
	return NULL;
}

void
acks_new(struct inv *inv)
{
	struct arena *a = arena_new(sizeof(struct acks) + 256);
	struct acks *k = ARENA_NEW(a, struct acks);

	ASSERT(k != NULL);
	k->arena = a;
	k->inv = inv;
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->changed, NULL);
	inv->acks = k;
}

int
acks_start(struct inv *inv, struct err *err)
{
	return inv_thread(&inv->acks->thread, acks_run, inv->acks, err);
}

void
acks_stop(struct inv *inv)
{
	struct acks *k = inv->acks;

	pthread_mutex_lock(&k->lock);
	k->stop = true;
	pthread_cond_signal(&k->changed);
	pthread_mutex_unlock(&k->lock);
	inv_join(&k->thread);
}

void
acks_free(struct inv *inv)
{
	pthread_mutex_destroy(&inv->acks->lock);
	pthread_cond_destroy(&inv->acks->changed);
	arena_free(inv->acks->arena);
}

static struct heard *
find(struct acks *k, const char *region)
{
	for (size_t i = 0; i < k->n; i++)
		if (strcmp(k->heard[i].ack.region, region) == 0)
			return &k->heard[i];
	return NULL;
}

void
acks_heard(struct acks *k, const char *region, const struct event_clock *clock)
{
	struct heard *h;
	bool newer;

	pthread_mutex_lock(&k->lock);
	h = find(k, region);
	if (h == NULL && k->n < MESSAGE_REGIONS_MAX) {
		h = &k->heard[k->n++];
		snprintf(h->ack.region, sizeof(h->ack.region), "%s", region);
	}
	if (h != NULL) {
		newer = memcmp(h->ack.clock.epoch, clock->epoch, EPOCH_LEN) != 0 || h->ack.clock.n < clock->n;
		if (newer)
			h->ack.clock = *clock;
		h->ack.heard_us = clock_mono_us();
		h->dirty = true;
		pthread_cond_signal(&k->changed);
	}
	pthread_mutex_unlock(&k->lock);
}

size_t
acks_list(struct acks *k, struct ack_heard *out, size_t max)
{
	size_t n;

	pthread_mutex_lock(&k->lock);
	n = k->n < max ? k->n : max;
	for (size_t i = 0; i < n; i++)
		out[i] = k->heard[i].ack;
	pthread_mutex_unlock(&k->lock);
	return n;
}
