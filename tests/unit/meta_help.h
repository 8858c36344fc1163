/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/meta_help.h - what the tests of metadata share: settings, and a
 * keeper that does for the stamp pages what an invalidator would.
 */
#ifndef ANVIL_TESTS_UNIT_META_HELP_H
#define ANVIL_TESTS_UNIT_META_HELP_H

#include "base/base.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "meta/ack.h"
#include "meta/internal.h"
#include "meta/stamp_write.h"
#include "tests/lib/scratch.h"

#define OK(call) ck_assert_msg((call) == 0, "%s: %s: %s", #call, err_kind_name(err.code), err.detail)
#define FAILS(call, kind)                                                      \
	do {                                                                   \
		err_clear(&err);                                               \
		ck_assert_msg((call) == -1, "%s succeeded", #call);            \
		ck_assert_msg(err.code == (kind), "%s: %s: %s", #call, err_kind_name(err.code), err.detail); \
		err_clear(&err);                                               \
	} while (0)

/* Of the region "eu", with its databases "global" and "eu" in the scratch PostgreSQL. */
static inline void
meta_help_settings(struct scratch *scratch, const char *const *servers, struct settings *out)
{
	*out = (struct settings){
		.region = "eu", .default_region = "eu", .memcached = servers, .memcached_user = "", .memcached_password_file = "",
		.cache_timeout_ms = 500, .cache_retry_ms = 100, .metadata_trust_ms = 3000, .metadata_beat_ms = 50,
		.metadata_consistency = "acknowledged", .metadata_ack_ms = 800, .metadata_when_cut_off = "refuse",
		.metadata_cache_ttl_secs = 300, .db_connections = 8, .db_global_connections = 8, .db_timeout_ms = 5000,
		.db_connect_timeout_s = 2, .global_replica_dsn = "", .global_replica_timeout_ms = 1000,
	};
	out->global_dsn = scratch_database(scratch, "global");
	out->regional_dsn = scratch_database(scratch, "eu");
	memset(out->master.key, 0x42, sizeof(out->master.key));
}

struct keeper {
	pthread_t id;
	const struct settings *settings;
	atomic_bool stop;
	atomic_bool ack_us; /* acknowledges for the region "us" too */
};

/* Beats every page of every server and acknowledges what it stamped. Without news: a change raises every slot. */
static inline void
keeper_round(struct keeper *k, struct mc *const *mc, size_t n_mc, struct db_pool *p, uint8_t epoch[EPOCH_LEN], struct arena *a)
{
	struct stamp_round round[CACHE_SERVERS_MAX];
	bool begun[CACHE_SERVERS_MAX];
	struct stamp_news news = { 0 };
	struct event_clock q;
	struct err e = { 0 };
	struct db_rows *r;
	int beaten, flushed;

	for (size_t i = 0; i < n_mc; i++)
		begun[i] = stamp_beat_begin(mc[i], "eu", epoch, &round[i]) == STAMP_DONE;
	if (db_query(p, a, STMT_CLOCK_SOURCE, (const struct db_param[]){ P_TEXT("eu") }, 1, &r, &e) != 0)
		return;
	clock_from_row(r, 0, 2, &q);
	memcpy(epoch, q.epoch, EPOCH_LEN);
	memcpy(news.epoch, q.epoch, EPOCH_LEN);
	news.from = news.through = q.n;
	for (size_t i = 0; i < n_mc; i++)
		if (!begun[i] || stamp_beat_end(mc[i], "eu", &round[i], &q, &news, &beaten, &flushed) != STAMP_DONE)
			return;
	for (size_t i = 0; i < n_mc; i++) {
		(void)!acks_note(mc[i], "eu", &(struct ack_said){ "eu", q }, 1);
		if (atomic_load(&k->ack_us))
			(void)!acks_note(mc[i], "eu", &(struct ack_said){ "us", q }, 1);
	}
}

static inline void *
keeper_run(void *arg)
{
	struct keeper *k = arg;
	struct db_pool *p = db_pool_new('g', k->settings->global_dsn, 1, 2000, 1);
	struct arena *a = arena_new(1 << 20);
	struct mc *mc[CACHE_SERVERS_MAX];
	uint8_t epoch[EPOCH_LEN] = { 0 };
	struct cache_servers *cs;
	struct err e = { 0 };

	if (cache_servers_open(k->settings, &cs, &e) != 0)
		abort();
	for (size_t i = 0; i < cs->n; i++)
		mc[i] = mc_new(cs, i, true);
	while (!atomic_load(&k->stop)) {
		arena_reset(a);
		keeper_round(k, mc, cs->n, p, epoch, a);
		clock_sleep_us(20 * US_PER_MS);
	}
	for (size_t i = 0; i < cs->n; i++)
		mc_free(mc[i]);
	cache_servers_close(cs);
	db_pool_free(p);
	arena_free(a);
	return NULL;
}

static inline void
keeper_start(struct keeper *k, const struct settings *s)
{
	k->settings = s;
	atomic_store(&k->stop, false);
	atomic_store(&k->ack_us, true);
	ck_assert_int_eq(pthread_create(&k->id, NULL, keeper_run, k), 0);
}

static inline void
keeper_stop(struct keeper *k)
{
	if (!atomic_exchange(&k->stop, true))
		pthread_join(k->id, NULL);
}

/* Until this process trusts every page of every server. */
static inline void
wait_for_trust(struct meta_thread *t, struct arena *a)
{
	struct cache_status st;
	struct err e = { 0 };
	int64_t until = clock_mono_us() + 20 * US_PER_S;
	size_t trusted = 0;

	do {
		trusted = 0;
		ck_assert(cache_status(registry_cache(t), a, NULL, 1000, &st, &e) == 0);
		for (size_t i = 0; i < st.n_servers; i++)
			trusted += st.servers[i].trusted_pages == CACHE_PAGES;
	} while (trusted < st.n_servers && clock_mono_us() < until);
	ck_assert_uint_eq(trusted, st.n_servers);
}

#endif
