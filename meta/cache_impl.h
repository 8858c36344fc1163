/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/cache_impl.h - what the files of the cache share (meta/cache*.c).
 */
#ifndef ANVIL_META_CACHE_IMPL_H
#define ANVIL_META_CACHE_IMPL_H

#include "base/base.h"

#include <pthread.h>

#include "meta/cache.h"
#include "meta/cache_server.h"
#include "meta/cache_trust.h"

struct cache {
	struct arena *arena;
	struct cache_servers *servers;
	int64_t trust_us;          /* F */
	int64_t beat_us;
	int64_t ack_us;            /* W */
	struct cache_trust (*trust)[CACHE_PAGES]; /* [server][page], each guards itself */
	_Atomic int64_t since_wall_us[CACHE_SERVERS_MAX]; /* the watcher has trusted a server, or not, since then; 0: it never looked */

	/* The watcher: a thread that reads every page each beat. */
	pthread_t watcher;
	bool watching;
	pthread_mutex_t lock;      /* guards stop, with wake; rank: taken alone */
	pthread_cond_t wake;
	bool stop;
};

struct cache_thread {
	struct arena *arena;
	struct cache *cache;
	struct arena *scratch;     /* of one cache_set */
	struct mc *mc[CACHE_SERVERS_MAX];
};

/* The server where a key's value is looked for and put, the best that is up; -1: none is. */
int cache_pick(const struct cache_servers *s, const struct cache_place *p);
/* Keys of all pages of the region, in order. */
void cache_page_keys(const struct cache *c, struct mc_key keys[CACHE_PAGES]);
/* A read of every page of server i, sent now: what is there, and whether it is trusted. */
struct cache_sight {
	bool present, trusted;
	uint64_t beat;
	int64_t beat_wall_us;
	struct event_clock clock;
};
MUST_CHECK enum mc_result cache_look(struct cache *c, struct mc *mc, size_t server, struct cache_sight out[CACHE_PAGES]);
/* meta/cache_watch.c */
void cache_watch_stop(struct cache *c);

#endif
