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

#define SILENT_US (INT64_C(86400) * US_PER_S) /* such a region is not waited for when pruning; it flushes later */

struct heard {
	char region[CACHE_REGION_MAX + 1];
	struct event_clock clock;
	int64_t heard_us;
	bool dirty;
};
struct acks {
	struct arena *arena;
	struct inv *inv;
	struct inv_thread thread;
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t changed;
	bool stop;
	int64_t since_us;
	struct heard heard[MESSAGE_REGIONS_MAX];
	size_t n;
};

static bool
take_dirty(struct acks *k, struct heard *out)
{
	bool got = false;

	pthread_mutex_lock(&k->lock);
	while (!got && !k->stop) {
		for (size_t i = 0; i < k->n && !got; i++)
			if (k->heard[i].dirty) {
				k->heard[i].dirty = false;
				*out = k->heard[i];
				got = true;
			}
		if (!got)
			pthread_cond_wait(&k->changed, &k->lock);
	}
	pthread_mutex_unlock(&k->lock);
	return got;
}

static void *
acks_run(void *arg)
{
	struct acks *k = arg;
	struct cache_servers *s = k->inv->servers;
	struct mc *mc[CACHE_SERVERS_MAX];
	struct heard h;

	for (size_t i = 0; i < s->n; i++)
		mc[i] = mc_new(s, i, true);
	while (take_dirty(k, &h)) {
		fault_point(FAULT_POINT_ack_before_note);
		for (size_t i = 0; i < s->n; i++)
			if (ack_note(mc[i], k->inv->region, h.region, &h.clock) != MC_OK)
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
	k->since_us = clock_mono_us();
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
		if (strcmp(k->heard[i].region, region) == 0)
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
		snprintf(h->region, sizeof(h->region), "%s", region);
	}
	if (h != NULL) {
		newer = memcmp(h->clock.epoch, clock->epoch, EPOCH_LEN) != 0 || h->clock.n < clock->n;
		if (newer)
			h->clock = *clock;
		h->heard_us = clock_mono_us();
		h->dirty = true;
		pthread_cond_signal(&k->changed);
	}
	pthread_mutex_unlock(&k->lock);
}

uint64_t
acks_lowest(struct acks *k, const uint8_t epoch[EPOCH_LEN], const struct message_region *r, size_t n)
{
	int64_t now = clock_mono_us();
	uint64_t lowest = UINT64_MAX;

	pthread_mutex_lock(&k->lock);
	for (size_t i = 0; i < n; i++) {
		const struct heard *h = find(k, r[i].name);
		int64_t last_us = h == NULL ? k->since_us : h->heard_us;
		bool told = h != NULL && memcmp(h->clock.epoch, epoch, EPOCH_LEN) == 0;

		if (strcmp(r[i].state, "active") != 0 || now - last_us > SILENT_US)
			continue;
		if (!told)
			lowest = 0;
		else if (h->clock.n < lowest)
			lowest = h->clock.n;
	}
	pthread_mutex_unlock(&k->lock);
	return lowest == UINT64_MAX ? 0 : lowest;
}
