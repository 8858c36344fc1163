/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/cache_watch.c - the thread that reads every page of every server each
 * beat, so that a quiet worker trusts them too, and that alone tries servers
 * that are down.
 *
 * Blocks:    in a thread of its own.
 * Invariant: what is logged of trust is per server, and once a change.
 */
#include "meta/cache_impl.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"

void
cache_page_keys(const struct cache *c, struct mc_key keys[CACHE_PAGES])
{
	for (unsigned p = 0; p < CACHE_PAGES; p++)
		keys[p].len = cache_key_page(keys[p].text, c->servers->region, p);
}

struct look {
	struct cache *cache;
	size_t server;
	int64_t begin_us;
	struct cache_sight *out;
};

static void
saw(void *arg, size_t page, const uint8_t *p, size_t len, uint64_t cas)
{
	struct look *l = arg;
	struct stamp_page sp;

	(void)cas;
	if (!stamp_decode(p, len, &sp))
		return;
	l->out[page].present = true;
	l->out[page].clock = sp.clock;
	l->out[page].beat = sp.beat;
	l->out[page].beat_wall_us = sp.beat_wall_us;
	l->out[page].trusted = cache_trust_see(&l->cache->trust[l->server][page], sp.id, sp.beat, l->begin_us, l->begin_us,
	    l->cache->trust_us);
}

enum mc_result
cache_look(struct cache *c, struct mc *mc, size_t server, struct cache_sight out[CACHE_PAGES])
{
	struct mc_key keys[CACHE_PAGES];
	struct look l = { c, server, 0, out };
	enum mc_result r = MC_LOST;

	cache_page_keys(c, keys);
	for (int tries = 0; r == MC_LOST && tries < 2; tries++) {
		memset(out, 0, CACHE_PAGES * sizeof(*out));
		l.begin_us = clock_mono_us();
		fault_point(FAULT_POINT_watch_before_send);
		r = mc_gets(mc, keys, CACHE_PAGES, saw, &l);
	}
	return r;
}

static void
look_at(struct cache *c, struct mc *mc, size_t server, bool *trusted)
{
	struct cache_sight sight[CACHE_PAGES];
	const char *address = c->servers->server[server].address;
	int n = 0;

	if (cache_look(c, mc, server, sight) == MC_OK)
		for (size_t p = 0; p < CACHE_PAGES; p++)
			n += sight[p].trusted;
	if (atomic_load(&c->since_wall_us[server]) == 0 || *trusted != (n == CACHE_PAGES))
		atomic_store(&c->since_wall_us[server], clock_wall_us());
	if (*trusted != (n == CACHE_PAGES)) {
		*trusted = n == CACHE_PAGES;
		if (*trusted)
			log_event(NULL, EV_TRUST_WON, LS("server", address), LI("pages", n));
		else
			log_event(NULL, EV_TRUST_LOST, LS("server", address), LI("pages", n));
	}
}

static void
note_trust(const struct cache *c, const bool *trusted, int *all)
{
	int now = 1;

	for (size_t i = 0; i < c->servers->n; i++)
		now = now && trusted[i];
	if (now != *all)
		metric_set(M_TRUSTED_SINCE, now ? clock_wall_us() / US_PER_S : 0);
	*all = now;
}

static void *
watch(void *arg)
{
	struct cache *c = arg;
	struct mc *mc[CACHE_SERVERS_MAX];
	bool trusted[CACHE_SERVERS_MAX] = { false };
	struct timespec until;
	int64_t next_us = clock_mono_us();
	int all = -1; /* not known yet: a process that ended may have left another word */

	for (size_t i = 0; i < c->servers->n; i++)
		mc[i] = mc_new(c->servers, i, true);
	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		pthread_mutex_unlock(&c->lock);
		for (size_t i = 0; i < c->servers->n; i++)
			look_at(c, mc[i], i, &trusted[i]);
		note_trust(c, trusted, &all);
		pthread_mutex_lock(&c->lock);
		next_us += c->beat_us;
		if (next_us < clock_mono_us())
			next_us = clock_mono_us() + c->beat_us; /* no catching up after a stand-still */
		until.tv_sec = (time_t)(next_us / US_PER_S);
		until.tv_nsec = (long)(next_us % US_PER_S) * 1000;
		while (!c->stop && pthread_cond_timedwait(&c->wake, &c->lock, &until) == 0)
			continue;
	}
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < c->servers->n; i++)
		mc_free(mc[i]);
	return NULL;
}

int
cache_start(struct cache *c, struct err *err)
{
	int rc;

	ASSERT(!c->watching);
	clock_cond_init(&c->wake);
	atomic_store(&c->servers->looked_after, true);
	rc = pthread_create(&c->watcher, NULL, watch, c);
	if (rc != 0) {
		atomic_store(&c->servers->looked_after, false);
		pthread_cond_destroy(&c->wake);
		return FAIL(err, ERR_INTERNAL, "could not start the thread that watches the cache: errno=%d", rc);
	}
	c->watching = true;
	return 0;
}

void
cache_watch_stop(struct cache *c)
{
	if (!c->watching)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->watcher, NULL);
	pthread_cond_destroy(&c->wake);
	c->watching = false;
	c->stop = false;
	atomic_store(&c->servers->looked_after, false);
}
