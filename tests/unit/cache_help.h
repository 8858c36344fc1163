/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/cache_help.h - a cache, its memcached servers, and what the tests of
 * both do with them: one key, beats and events as an invalidator would bring them.
 */
#ifndef ANVIL_TESTS_UNIT_CACHE_HELP_H
#define ANVIL_TESTS_UNIT_CACHE_HELP_H

#include "base/base.h"

#include <check.h>
#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "meta/cache_impl.h"
#include "meta/stamp_write.h"
#include "tests/lib/scratch.h"
#include "tests/unit/stamp_help.h"

static struct scratch *sc;
static struct settings set;
static const char *servers[4];
static struct cache *cache;
static struct cache_thread *th;
static struct mc *mc;
static struct arena *arena;
static struct err err;

/* The scratch folder, and settings but for the servers. */
static inline void
prepare(void)
{
	memset(&set, 0, sizeof(set));
	memset(servers, 0, sizeof(servers));
	if (log_open("test_cache", LOG_ERROR, "/dev/null") != 0)
		abort();
	sc = scratch_new();
	set.region = "eu";
	set.memcached = servers;
	set.memcached_user = set.memcached_password_file = "";
	set.cache_timeout_ms = 500; /* of a server that is stopped; the others are far quicker */
	set.cache_retry_ms = 300;
	set.metadata_trust_ms = 3000;
	set.metadata_beat_ms = 100;
	set.metadata_ack_ms = 400;
	err_clear(&err);
}

static inline void
open_cache(void)
{
	ck_assert_msg(cache_open(&set, &cache, &err) == 0, "%s", err.detail);
	ck_assert(cache_thread_new(cache, &th, &err) == 0);
	mc = mc_new(cache->servers, 0, true);
	arena = arena_new(1 << 24);
}

static inline void
setup_with(int n, const char *args)
{
	prepare();
	for (int i = 0; i < n; i++)
		servers[i] = scratch_memcached(sc, args);
	open_cache();
}

static inline void
setup(void)
{
	setup_with(1, NULL);
}

static inline void
teardown(void)
{
	cache_thread_free(th);
	mc_free(mc);
	cache_close(cache);
	arena_free(arena);
	scratch_free(sc);
}

/* A whole beat through q on the server of c, with what news tells. */
static inline enum stamp_result
beat_with(struct mc *c, struct event_clock q, const struct stamp_news *news, int *beaten)
{
	struct stamp_news none = news_of(q.epoch, 0, 0, NULL, 0);
	struct stamp_round r;
	int flushed;
	enum stamp_result res = stamp_beat_begin(c, "eu", q.epoch, &r);

	if (res != STAMP_DONE)
		return res;
	return stamp_beat_end(c, "eu", &r, &q, news == NULL ? &none : news, beaten, &flushed);
}

static inline void
beat(struct event_clock q)
{
	int n = 0;

	ck_assert_int_eq(beat_with(mc, q, NULL, &n), STAMP_DONE);
	ck_assert_int_eq(n, CACHE_PAGES);
}

static const struct cache_key KEY = { EVENT_KIND_BUCKET, { "photos", 6 } };

static inline struct cache_value
get(void)
{
	struct cache_value v;

	cache_get(th, arena, &KEY, 1, &v);
	return v;
}

static inline void
trust(struct event_clock q)
{
	for (int i = 0; i < 3; i++) {
		beat(q);
		get();
	}
}

static inline void
fill(struct event_clock c, const char *data)
{
	cache_set(th, &KEY, &c, false, span_of(data));
}

/* Raises the slot of KEY as an event would. */
static inline enum stamp_result
event(struct event_clock c)
{
	struct stamp_event e;
	struct stamp_news n = news_of(c.epoch, c.n - 1, c.n, &e, 1);

	stamp_event_of(c.n, 'b', KEY.name, &e);
	return stamp_apply(mc, "eu", STAMP_EVERY_PAGE, &n);
}

static inline struct stamp_page
page_now(unsigned page)
{
	struct stamp_round r;

	ck_assert_int_eq(stamp_beat_begin(mc, "eu", E1, &r), STAMP_DONE);
	return r.was[page].page;
}

#endif
