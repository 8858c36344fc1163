/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_cache.c - the cache protocol against a real memcached. What of
 * it needs none is in test_stamp.c; several servers, ways to connect to them, and
 * servers that fail are in test_cache_servers.c.
 */
#include "base/base.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "meta/ack.h"
#include "tests/unit/ack_help.h"
#include "tests/unit/cache_help.h"
#include "tests/unit/suite_help.h"

START_TEST(test_hit_and_refusal)
{
	struct cache_value v;

	fill(at(E1, 10), "old");
	v = get();
	ck_assert(v.present && !v.hit && !v.page_trusted); /* no page at all */
	beat(at(E1, 10));
	ck_assert(!get().hit); /* beat 1 */
	beat(at(E1, 10));
	ck_assert(!get().hit); /* beat 2, and nothing <= 0 was seen */
	beat(at(E1, 10));
	v = get();
	ck_assert(v.hit && v.page_trusted && v.present && !v.negative);
	ck_assert(span_eq(v.data, SPAN("old")));
	ck_assert_uint_eq(v.clock.n, 10);
	ck_assert_int_lt(v.age_us, 5 * S);

	ck_assert_int_eq(event(at(E1, 11)), STAMP_DONE);
	v = get();
	ck_assert(!v.hit && v.present && v.page_trusted);
	ck_assert_uint_eq(v.page_slot.n, 11);

	fill(at(E1, 10), "late"); /* an old fill that arrives late is never believed */
	ck_assert(!get().hit);
	fill(at(E2, 99), "other epoch");
	ck_assert(!get().hit);
	fill(at(E1, 11), "new");
	v = get();
	ck_assert(v.hit && span_eq(v.data, SPAN("new")));

	cache_set(th, &KEY, &(struct event_clock){ .n = 0 }, true, SPAN(""));
	v = get();
	ck_assert(v.present && v.negative && !v.hit);
	struct event_clock c = at(E1, 12);
	cache_set(th, &KEY, &c, true, SPAN(""));
	v = get();
	ck_assert(v.hit && v.negative && v.data.len == 0);
}
END_TEST

START_TEST(test_trust_ends)
{
	int64_t now = clock_mono_us();

	clock_set_mono_for_tests(now);
	trust(at(E1, 10));
	fill(at(E1, 10), "x");
	ck_assert(get().hit);
	clock_set_mono_for_tests(now + F - 1);
	ck_assert(get().hit);
	clock_set_mono_for_tests(now + F); /* no beat came: cut off */
	ck_assert(!get().hit);
	ck_assert(get().present);
	beat(at(E1, 10));
	ck_assert(!get().hit); /* beat 4: 3 was last seen F ago, 2 longer */
	beat(at(E1, 10));
	ck_assert(get().hit);  /* beat 5: 3 was seen just now, by the reads above */
	clock_set_mono_for_tests(0);
}
END_TEST

/* What a region that is cut off may go by: not when it was filled, which may be long ago, but until when it was true. */
START_TEST(test_age_is_since_it_was_true)
{
	int64_t now = clock_wall_us();

	clock_set_wall_for_tests(now);
	trust(at(E1, 10));
	fill(at(E1, 10), "x");
	clock_set_wall_for_tests(now + 1000 * S);
	ck_assert_int_eq(get().age_us, 1000 * S);
	beat(at(E1, 10));
	ck_assert_int_eq(get().age_us, 0);
	clock_set_wall_for_tests(now + 1010 * S);
	ck_assert_int_eq(get().age_us, 10 * S);
	ck_assert_int_eq(event(at(E1, 11)), STAMP_DONE);
	ck_assert_int_lt(get().age_us, 0); /* known to be old */
	fill(at(E2, 99), "other epoch");
	ck_assert_int_lt(get().age_us, 0);
	clock_set_wall_for_tests(0);
}
END_TEST

START_TEST(test_new_page_is_not_trusted)
{
	size_t flushed;

	trust(at(E1, 10));
	fill(at(E1, 10), "x");
	ck_assert(get().hit);
	ck_assert(cache_flush(th, &flushed, &err) == 0);
	ck_assert_uint_eq(flushed, 1);
	fill(at(E1, 10), "x");
	ck_assert(!get().hit);
	beat(at(E1, 10));
	get();
	beat(at(E1, 10));
	ck_assert(!get().hit);
	beat(at(E1, 10));
	ck_assert(get().hit);

	/* A new epoch: lower numbers, another id, all begins again. */
	beat(at(E2, 2));
	ck_assert(!get().hit);
	beat(at(E2, 2));
	get();
	beat(at(E2, 2));
	ck_assert(get().page_trusted && !get().hit); /* the value is of the old epoch */
	fill(at(E2, 2), "y");
	ck_assert(get().hit);
}
END_TEST

START_TEST(test_cas_rules)
{
	struct mc *other = mc_new(cache->servers, 0, false);
	struct event_clock q = at(E1, 20);
	struct stamp_news none = news_of(E1, 0, 0, NULL, 0), n = news_of(E1, 20, 21, NULL, 1);
	struct stamp_event e = { 21, P3(1), 'b' };
	struct stamp_round r, late;
	int beaten, flushed;

	/* Two add at once: one page, one id. */
	ck_assert_int_eq(stamp_beat_begin(mc, "eu", E1, &r), STAMP_DONE);
	ck_assert_int_eq(stamp_beat_begin(other, "eu", E1, &late), STAMP_DONE);
	ck_assert_mem_eq(r.was[3].page.id, late.was[3].page.id, STAMP_ID_LEN);

	/* The second's beat is refused, but it knows that all through q is there. */
	ck_assert_int_eq(stamp_beat_end(mc, "eu", &r, &q, &none, &beaten, &flushed), STAMP_DONE);
	ck_assert_int_eq(beaten, CACHE_PAGES);
	ck_assert_int_eq(flushed, 0);
	ck_assert_int_eq(stamp_beat_end(other, "eu", &late, &q, &none, &beaten, &flushed), STAMP_DONE);
	ck_assert_int_eq(beaten, 0);
	ck_assert_uint_eq(page_now(3).beat, 1);
	ck_assert_uint_eq(page_now(3).clock.n, 20);

	/* It asked later, and knows more: raised through its q, not beaten. */
	q.n = 22;
	ck_assert_int_eq(stamp_beat_end(other, "eu", &late, &q, &none, &beaten, &flushed), STAMP_DONE);
	ck_assert_int_eq(beaten, 0);
	ck_assert_uint_eq(page_now(3).beat, 1);
	ck_assert_uint_eq(page_now(3).clock.n, 22);
	ck_assert_uint_eq(page_now(3).slot[0], 22);

	/* Only an event came between: the beat keeps its right. */
	n = news_of(E1, 22, 23, &e, 1);
	e.n = 23;
	ck_assert_int_eq(stamp_beat_begin(other, "eu", E1, &late), STAMP_DONE);
	uint64_t low, high;
	stamp_round_range(&late, E1, &low, &high);
	ck_assert_uint_eq(low, 22);
	ck_assert_uint_eq(high, 22);
	ck_assert_int_eq(stamp_apply(mc, "eu", STAMP_EVERY_PAGE, &n), STAMP_DONE);
	ck_assert_int_eq(stamp_beat_end(other, "eu", &late, &q, &none, &beaten, &flushed), STAMP_DONE);
	ck_assert_int_eq(beaten, CACHE_PAGES);
	ck_assert_uint_eq(page_now(3).beat, 2);
	ck_assert_uint_eq(page_now(3).clock.n, 23);
	ck_assert_uint_eq(page_now(3).slot[1], 23);
	ck_assert_uint_eq(page_now(3).slot[2], 22);
	mc_free(other);
}
END_TEST

START_TEST(test_cas_other_connection)
{
	struct event_clock q = at(E1, 20);
	struct stamp_news none = news_of(E1, 0, 0, NULL, 0);
	struct stamp_round r;
	struct mc_key k;
	int beaten, flushed;

	beat(at(E1, 10));
	ck_assert_int_eq(stamp_beat_begin(mc, "eu", E1, &r), STAMP_DONE);
	/* memcached restarts: pages, connections and CAS ids begin again. */
	scratch_memcached_verb(sc, 0, "restart");
	ck_assert_int_eq(beat_with(mc, q, NULL, &beaten), STAMP_DONE);
	ck_assert_int_eq(beaten, CACHE_PAGES);
	k.len = cache_key_page(k.text, "eu", 0);
	ck_assert_int_eq(mc_cas(mc, &k, "x", 1, 0, r.was[0].cas, r.connection), MC_LOST);
	/* The old round finds pages of another id: nothing of it is beaten. */
	ck_assert_int_eq(stamp_beat_end(mc, "eu", &r, &q, &none, &beaten, &flushed), STAMP_DONE);
	ck_assert_int_eq(beaten, 0);
	ck_assert_uint_eq(page_now(0).beat, 1);
}
END_TEST

static void
got_cas(void *arg, size_t i, const uint8_t *p, size_t len, uint64_t cas)
{
	(void)i, (void)p, (void)len;
	*(uint64_t *)arg = cas;
}

/* Nothing tells that one was refused but the next read, and that is right; the connection is of use after it. */
START_TEST(test_cas_quiet)
{
	struct mc *other = mc_new(cache->servers, 0, false);
	uint64_t cas = 0, connection;
	struct mc_key k = { "a", 1 };
	struct stamp_page before;

	beat(at(E1, 10));
	k.len = cache_key_page(k.text, "eu", 0);
	ck_assert_int_eq(mc_gets(other, &k, 1, got_cas, &cas), MC_OK);
	connection = mc_connection(other);
	beat(at(E1, 11)); /* somebody got on */
	before = page_now(0);
	ck_assert_int_eq(mc_cas_quiet(other, &k, "x", 1, 0, cas, connection), MC_SENT);
	ck_assert_int_eq(mc_gets(other, &k, 1, got_cas, &cas), MC_OK);
	ck_assert_uint_eq(page_now(0).beat, before.beat);
	ck_assert_mem_eq(page_now(0).id, before.id, STAMP_ID_LEN);
	ck_assert_int_eq(mc_cas_quiet(other, &k, "x", 1, 0, cas, connection), MC_SENT);
	ck_assert_int_eq(mc_gets(other, &k, 1, got_cas, &cas), MC_OK);
	ck_assert(memcmp(page_now(0).id, before.id, STAMP_ID_LEN) != 0); /* it took: "x" is no page */
	scratch_memcached_verb(sc, 0, "restart");
	ck_assert_int_eq(mc_gets(mc, &k, 1, got_cas, &cas), MC_LOST);
	(void)!mc_gets(other, &k, 1, got_cas, &cas);
	ck_assert_int_eq(mc_cas_quiet(other, &k, "x", 1, 0, cas, connection), MC_LOST);
	mc_free(other);
}
END_TEST

#define APPLIERS 4
#define EACH 200
static void *
apply_many(void *arg)
{
	struct mc *own = mc_new(cache->servers, 0, false);
	unsigned who = *(const unsigned *)arg;
	struct stamp_event e;
	struct stamp_news n;

	for (uint64_t i = 1; i <= EACH; i++) {
		e = (struct stamp_event){ 100 + i, (uint16_t)(i % CACHE_PAGES * CACHE_SLOTS + who), 'b' };
		n = news_of(E1, 100 + i - 1, 100 + i, &e, 1);
		ck_assert_int_eq(stamp_apply(own, "eu", STAMP_EVERY_PAGE, &n), STAMP_DONE);
	}
	mc_free(own);
	return NULL;
}

/* What each of several was told is applied is there in the end, though they all write the same pages. */
START_TEST(test_apply_beside_others)
{
	unsigned who[APPLIERS];
	pthread_t id[APPLIERS];

	beat(at(E1, 10));
	for (unsigned i = 0; i < APPLIERS; i++) {
		who[i] = i;
		ck_assert_int_eq(pthread_create(&id[i], NULL, apply_many, &who[i]), 0);
	}
	for (unsigned i = 0; i < APPLIERS; i++)
		pthread_join(id[i], NULL);
	for (uint64_t i = EACH - CACHE_PAGES + 1; i <= EACH; i++)
		for (unsigned w = 0; w < APPLIERS; w++)
			ck_assert_uint_eq(page_now(i % CACHE_PAGES).slot[w], 100 + i);
}
END_TEST

START_TEST(test_restart)
{
	trust(at(E1, 10));
	fill(at(E1, 10), "x");
	ck_assert(get().hit);
	scratch_memcached_verb(sc, 0, "restart");
	ck_assert(!get().present); /* a miss; the connection is made anew */
	fill(at(E1, 10), "x");
	ck_assert(get().present && !get().hit);
	trust(at(E1, 10));
	ck_assert(get().hit);
}
END_TEST

START_TEST(test_raise)
{
	struct cache_key all = { EVENT_KIND_APP, SPAN("*") };
	struct event_clock c = at(E1, 11), other = at(E2, 11);

	ck_assert(cache_raise(th, &KEY, 1, &c)); /* no page: who adds one asks later */
	trust(at(E1, 10));
	fill(at(E1, 10), "x");
	ck_assert(get().hit);
	ck_assert(!cache_raise(th, &KEY, 1, &other));
	ck_assert(get().hit);
	ck_assert(cache_raise(th, &KEY, 1, &c));
	ck_assert(!get().hit);
	/* n stays: the writer does not know that no other event lies between. */
	struct cache_place p;
	cache_place(KEY.kind, KEY.name, &p);
	ck_assert_uint_eq(page_now(p.page).clock.n, 10);
	ck_assert_uint_eq(page_now(p.page).slot[p.slot], 11);
	fill(at(E1, 11), "y");
	ck_assert(get().hit);
	c.n = 12;
	ck_assert(cache_raise(th, &all, 1, &c));
	ck_assert(!get().hit);
	for (unsigned i = 0; i < CACHE_PAGES; i++)
		ck_assert_uint_eq(page_now(i).slot[0], 12);
	scratch_memcached_signal(sc, 0, SIGSTOP);
	ck_assert(!cache_raise(th, &KEY, 1, &c));
	kill(scratch_memcached_pid(sc, 0), SIGCONT);
}
END_TEST

/* Who reads a missing value; for load only. */
START_TEST(test_claims)
{
	struct cache_claim a = { 0 }, b = { 0 }, c = { 0 };
	struct cache_key other = { EVENT_KIND_APP, KEY.name };
	int64_t now = clock_mono_us(), taken = metric_get(M_CACHE_TAKEN_OVER);

	clock_set_mono_for_tests(now);
	ck_assert_int_eq(cache_claim(th, &KEY, &a), CLAIM_MINE);
	ck_assert_int_eq(cache_claim(th, &KEY, &b), CLAIM_OTHER);
	ck_assert_int_eq(cache_claim(th, &other, &c), CLAIM_MINE); /* another key's */
	cache_unclaim(th, &KEY, &a);
	ck_assert_int_eq(cache_claim(th, &KEY, &a), CLAIM_MINE);
	/* The holder dies. Of those who saw it for long enough one follows, whom the others await anew. */
	b = c = (struct cache_claim){ 0 };
	ck_assert_int_eq(cache_claim(th, &KEY, &b), CLAIM_OTHER);
	ck_assert_int_eq(cache_claim(th, &KEY, &c), CLAIM_OTHER);
	clock_set_mono_for_tests(now + CACHE_BUSY_PATIENCE_MS * MS - 1);
	ck_assert_int_eq(cache_claim(th, &KEY, &b), CLAIM_OTHER);
	clock_set_mono_for_tests(now + CACHE_BUSY_PATIENCE_MS * MS);
	ck_assert_int_eq(cache_claim(th, &KEY, &b), CLAIM_MINE);
	ck_assert_int_eq(metric_get(M_CACHE_TAKEN_OVER), taken + 1);
	ck_assert_int_eq(cache_claim(th, &KEY, &c), CLAIM_OTHER);
	clock_set_mono_for_tests(now + 2 * CACHE_BUSY_PATIENCE_MS * MS - 1);
	ck_assert_int_eq(cache_claim(th, &KEY, &c), CLAIM_OTHER);
	clock_set_mono_for_tests(0);
	/* Lost with its server's memory: another reads, too. The server itself is gone: everybody does. */
	scratch_memcached_verb(sc, 0, "restart");
	ck_assert_int_eq(cache_claim(th, &KEY, &a), CLAIM_MINE);
	scratch_memcached_verb(sc, 0, "kill");
	ck_assert_int_eq(cache_claim(th, &KEY, &b), CLAIM_NONE);
	cache_unclaim(th, &KEY, &a);
}
END_TEST

START_TEST(test_acks)
{
	const char *regions[] = { "eu", "us", NULL };
	struct event_clock c = at(E1, 10), n9 = at(E1, 9), n12 = at(E1, 12);
	struct cache_status st;
	int64_t waited;
	bool all;

	waited = wait_acks(th, &c, regions, "eu", false, &all);
	ck_assert(!all);
	ck_assert_int_ge(waited, 400 * MS);
	ck_assert_int_eq(acks_note(mc, "eu", &(struct ack_said){ "eu", c }, 1), MC_OK);
	ck_assert_int_lt(wait_acks(th, &c, regions, "eu", true, &all), 20 * MS);
	ck_assert(all);
	ck_assert_int_eq(acks_note(mc, "eu", &(struct ack_said){ "us", n9 }, 1), MC_OK);
	wait_acks(th, &c, regions, "eu", false, &all);
	ck_assert(!all);
	ck_assert_int_eq(acks_note(mc, "eu", &(struct ack_said){ "us", n12 }, 1), MC_OK);
	ck_assert_int_eq(acks_note(mc, "eu", &(struct ack_said){ "us", n9 }, 1), MC_OK); /* never falls */
	ck_assert_int_lt(wait_acks(th, &c, regions, "eu", false, &all), 20 * MS);
	ck_assert(all);
	ck_assert(cache_status(th, arena, regions, 0, &st, &err) == 0);
	ck_assert_uint_eq(st.n_acks, 2);
	ck_assert(st.acks[1].known);
	ck_assert_uint_eq(st.acks[1].clock.n, 12);
	ck_assert_str_eq(st.acks[1].region, "us");
	/* More regions than one multi-get asks for, with silent ones before. */
	static char names[80][16];
	const char *many[81] = { NULL };
	for (int i = 0; i < 80; i++) {
		snprintf(names[i], sizeof(names[i]), "region-%d", i);
		many[i] = names[i];
		if (i >= 40)
			ck_assert_int_eq(acks_note(mc, "eu", &(struct ack_said){ names[i], n12 }, 1), MC_OK);
	}
	wait_acks(th, &c, many, "eu", false, &all);
	ck_assert(!all);
	for (int i = 0; i < 40; i++)
		ck_assert_int_eq(acks_note(mc, "eu", &(struct ack_said){ names[i], c }, 1), MC_OK);
	ck_assert_int_lt(wait_acks(th, &c, many, "eu", false, &all), 100 * MS);
	ck_assert(all);
	c = at(E2, 1);
	wait_acks(th, &c, regions, "eu", true, &all);
	ck_assert(!all);
	ck_assert_int_eq(acks_note(mc, "eu", &(struct ack_said){ "eu", c }, 1), MC_OK); /* a new epoch replaces */
	wait_acks(th, &c, regions, "eu", true, &all);
	ck_assert(all);
}
END_TEST

START_TEST(test_watcher_and_status)
{
	struct cache_status st;
	int64_t until = clock_mono_us() + 3 * S;
	bool trusted = false;

	ck_assert(cache_start(cache, &err) == 0);
	while (!trusted && clock_mono_us() < until) {
		int beaten;

		ck_assert_int_eq(beat_with(mc, at(E1, 10), NULL, &beaten), STAMP_DONE);
		clock_sleep_us(100 * MS);
		ck_assert(cache_status(th, arena, NULL, 0, &st, &err) == 0);
		trusted = st.servers[0].trusted_pages == CACHE_PAGES;
	}
	ck_assert(trusted);
	ck_assert(st.servers[0].reachable);
	ck_assert_uint_eq(st.servers[0].page[4].clock.n, 10);
	ck_assert_int_lt(st.servers[0].page[4].beat_age_us, 2 * S);
	/* The first read of this thread is a hit: the watcher saw the beats. */
	fill(at(E1, 10), "x");
	ck_assert(get().hit);

	/* A server that is down is tried by the watcher alone. */
	kill(scratch_memcached_pid(sc, 0), SIGSTOP);
	until = clock_mono_us() + 3 * S; /* the signal works a moment later */
	while (cache_server_up(cache->servers, 0) && clock_mono_us() < until)
		get();
	ck_assert(!cache_server_up(cache->servers, 0));
	ck_assert(cache_status(th, arena, NULL, 0, &st, &err) == 0);
	ck_assert(!st.servers[0].reachable);
	kill(scratch_memcached_pid(sc, 0), SIGCONT);
	until = clock_mono_us() + 3 * S;
	while (!cache_server_up(cache->servers, 0) && clock_mono_us() < until)
		clock_sleep_us(10 * MS);
	ck_assert(get().present);
}
END_TEST

START_TEST(test_odd_values)
{
	char big[100000];
	struct cache_place p;
	struct cache_value v;
	struct mc_key k;

	memset(big, 'z', sizeof(big));
	cache_set(th, &KEY, &(struct event_clock){ .n = 1 }, false, (struct span){ big, sizeof(big) });
	v = get();
	ck_assert(v.present);
	ck_assert_uint_eq(v.data.len, sizeof(big));
	ck_assert_mem_eq(v.data.p, big, sizeof(big));
	/* What is not ours is a miss. */
	cache_place(KEY.kind, KEY.name, &p);
	k.len = cache_key_value(k.text, "eu", KEY.kind, &p);
	ck_assert_int_eq(mc_set(mc, &k, "AVV1 but not really", 19, 0), MC_OK);
	ck_assert(!get().present);
	ck_assert_int_eq(mc_set(mc, &k, "", 0, 0), MC_OK);
	ck_assert(!get().present);
	/* Pages that are not pages are replaced. */
	for (unsigned i = 0; i < CACHE_PAGES; i++) {
		k.len = cache_key_page(k.text, "eu", i);
		ck_assert_int_eq(mc_set(mc, &k, "nonsense", 8, 0), MC_OK);
	}
	fill(at(E1, 10), "x");
	ck_assert(!get().hit);
	trust(at(E1, 10));
	ck_assert(get().hit);
	/* An arena that is full: a miss, no more. */
	struct arena *small = arena_new(64);
	fill(at(E1, 10), "a value that is longer than the sixty-four bytes which that arena may give out");
	cache_get(th, small, &KEY, 1, &v);
	ck_assert(!v.present && !v.hit);
	arena_free(small);
}
END_TEST

static const struct {
	const char *text, *host;
	int port; /* 0: a Unix socket, -1: refused */
} address_rows[] = {
	{ "127.0.0.1:11211", "127.0.0.1", 11211 }, { "cache.example", "cache.example", 11211 }, { "[::1]:7", "::1", 7 },
	{ "[::1]", "::1", 11211 }, { "/run/mc.sock", NULL, 0 }, { "host:0", NULL, -1 }, { "host:x", NULL, -1 }, { "", NULL, -1 },
	{ ":1", NULL, -1 }, { "h:65536", NULL, -1 },
};

START_TEST(test_addresses)
{
	const char *list[] = { address_rows[_i].text, NULL };
	struct settings s = { .region = "eu", .memcached = list, .memcached_user = "", .memcached_password_file = "" };
	struct cache_servers *cs;
	struct err e = { 0 };
	int rc = cache_servers_open(&s, &cs, &e);

	ck_assert_int_eq(rc, address_rows[_i].port < 0 ? -1 : 0);
	if (rc != 0)
		return;
	ck_assert_int_eq(cs->server[0].port, address_rows[_i].port);
	if (address_rows[_i].host != NULL)
		ck_assert_str_eq(cs->server[0].host, address_rows[_i].host);
	else
		ck_assert_ptr_null(cs->server[0].host);
	cache_servers_close(cs);
}
END_TEST

static int
by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* ANVIL_BENCH=1: what a hot reading costs. */
START_TEST(test_bench)
{
	enum { N = 20000 };
	static int64_t took[N];
	struct cache_key keys[2] = { { EVENT_KIND_APP, SPAN("AKIAEXAMPLE") }, KEY };
	struct event_clock c = at(E1, 10);
	struct rusage before, after;
	struct cache_value v[2];
	int64_t sum = 0, cpu;

	for (int i = 0; i < 2; i++)
		cache_set(th, &keys[i], &c, false, SPAN("a row of some two hundred bytes or so, which is what a bucket with "
		    "its names, ids, owner and status needs when it is encoded with its policy left out, more or less"));
	trust(c);
	cache_get(th, arena, keys, 2, v);
	beat(c);
	cache_get(th, arena, keys, 2, v);
	beat(c);
	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < N; i++) {
		int64_t start = clock_mono_us();

		cache_get(th, arena, keys, 2, v);
		took[i] = clock_mono_us() - start;
		sum += took[i];
		ck_assert(v[0].hit && v[1].hit);
		arena_reset(arena);
	}
	qsort(took, N, sizeof(took[0]), by_time);
	getrusage(RUSAGE_SELF, &after);
	cpu = (after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_stime.tv_sec) * S +
	    after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_stime.tv_usec;
	fprintf(stderr, "cache_get of 2 keys and 2 pages: p50_us=%" PRId64 " p99_us=%" PRId64 " mean_us=%.1f cpu_us=%.1f\n", took[N / 2],
	    took[N / 100 * 99], (double)sum / N, (double)cpu / N);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cache");
	TCase *pure = tcase_create("pure"), *real = tcase_create("memcached"), *bench;

	signal(SIGPIPE, SIG_IGN);
	tcase_add_loop_test(pure, test_addresses, 0, (int)ARRAY_LEN(address_rows));
	suite_add_tcase(s, pure);
	tcase_add_checked_fixture(real, setup, teardown);
	tcase_set_timeout(real, 60);
	tcase_add_test(real, test_hit_and_refusal);
	tcase_add_test(real, test_trust_ends);
	tcase_add_test(real, test_age_is_since_it_was_true);
	tcase_add_test(real, test_new_page_is_not_trusted);
	tcase_add_test(real, test_cas_rules);
	tcase_add_test(real, test_cas_other_connection);
	tcase_add_test(real, test_cas_quiet);
	tcase_add_test(real, test_apply_beside_others);
	tcase_add_test(real, test_restart);
	tcase_add_test(real, test_raise);
	tcase_add_test(real, test_claims);
	tcase_add_test(real, test_acks);
	tcase_add_test(real, test_watcher_and_status);
	tcase_add_test(real, test_odd_values);
	suite_add_tcase(s, real);
	if (getenv("ANVIL_BENCH") != NULL) {
		bench = tcase_create("bench");
		tcase_add_checked_fixture(bench, setup, teardown);
		tcase_set_timeout(bench, 60);
		tcase_add_test(bench, test_bench);
		suite_add_tcase(s, bench);
	}
	return suite_run(s);
}
