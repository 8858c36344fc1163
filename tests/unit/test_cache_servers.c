/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_cache_servers.c - memcached servers as they are met: by Unix
 * socket, TCP and SASL; several a region; stopped, killed, restarted, flushed,
 * full; and what may lie in them. Costs are counted, not timed.
 */
#include "base/base.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>

#include "base/parse.h"
#include "meta/ack.h"
#include "tests/unit/ack_help.h"
#include "tests/unit/cache_help.h"
#include "tests/unit/suite_help.h"

/* ---- ways to connect ---- */

/* SASL needs saslpasswd2 (Debian: sasl2-bin); false without it. */
static bool
prepare_sasl(void)
{
	static const char make[] = "umask 022; mkdir '%s/sasl' && cd '%s/sasl' && "
	    "printf 'mech_list: plain\nsasldb_path: %%s/sasldb\n' \"$PWD\" >memcached.conf && "
	    "printf 'wo rd' | saslpasswd2 -p -c -a memcached -f sasldb -u \"$(hostname)\" anvil && printf 'wo rd\n' >password && "
	    "chmod 644 sasldb";
	static char path[256];
	char cmd[1024];

	if (system("command -v saslpasswd2 >/dev/null") != 0)
		return false;
	snprintf(cmd, sizeof(cmd), make, scratch_dir(sc), scratch_dir(sc));
	ck_assert_int_eq(system(cmd), 0);
	snprintf(path, sizeof(path), "%s/sasl", scratch_dir(sc));
	setenv("SASL_CONF_PATH", path, 1);
	snprintf(path, sizeof(path), "%s/sasl/password", scratch_dir(sc));
	set.memcached_user = "anvil";
	set.memcached_password_file = path;
	set.cache_timeout_ms = 2000; /* PLAIN is checked against a file */
	return true;
}

#define MANY 12

static void
ck_many_in_one(const struct event_clock *c)
{
	struct cache_key keys[MANY];
	struct cache_value v[MANY];
	char names[MANY][16];
	struct cache_status st;

	for (int b = 0; b < 3; b++) { /* of every key's page */
		beat(*c);
		ck_assert(cache_status(th, arena, NULL, 0, &st, &err) == 0);
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "key%d", i);
		keys[i] = (struct cache_key){ EVENT_KIND_APP, span_of(names[i]) };
		if (i % 3 != 0)
			cache_set(th, &keys[i], c, i % 3 == 1, i % 3 == 1 ? SPAN("") : keys[i].name);
	}
	cache_get(th, arena, keys, MANY, v);
	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(v[i].verdict, i % 3 == 0 ? CACHE_MISS : CACHE_HIT);
		ck_assert_int_eq(v[i].negative, i % 3 == 1);
		ck_assert(i % 3 != 2 || span_eq(v[i].data, keys[i].name));
	}
}

enum { BY_SOCKET, BY_TCP, BY_SASL, WAYS };

/* All that the programs do with a server, each way to it. */
START_TEST(test_transport)
{
	struct event_clock c = at(E1, 10);
	struct cache_claim claim = { 0 }, other = { 0 };
	static char big[200000];
	struct cache_value v;
	size_t flushed;
	bool all;
	int64_t errors;

	prepare();
	if (_i == BY_SASL && !prepare_sasl()) {
		scratch_free(sc);
		return;
	}
	servers[0] = _i == BY_SOCKET ? scratch_memcached(sc, NULL) : scratch_memcached_tcp(sc, _i == BY_SASL ? "-S" : NULL);
	open_cache();
	errors = metric_get(M_CACHE_ERRORS);
	fill(c, "x");
	ck_assert(!get().hit);
	trust(c); /* add and cas of pages */
	ck_assert(get().hit);
	ck_many_in_one(&c);
	ck_assert_int_eq(event(at(E1, 11)), STAMP_DONE);
	ck_assert_int_eq(get().verdict, CACHE_STALE);
	c.n = 12;
	ck_assert(cache_raise(th, &KEY, 1, &c));
	fill(at(E1, 11), "late");
	ck_assert(!get().hit);
	memset(big, 'z', sizeof(big));
	cache_set(th, &KEY, &c, false, (struct span){ big, sizeof(big) });
	v = get();
	ck_assert(v.hit && v.data.len == sizeof(big) && memcmp(v.data.p, big, sizeof(big)) == 0);
	ck_assert_int_eq(acks_note(mc, "eu", &(struct ack_said){ "us", c }, 1), MC_OK);
	ck_assert_int_eq(acks_note(mc, "eu", &(struct ack_said){ "us", c }, 1), MC_OK);
	wait_acks(th, &c, (const char *const[]){ "us", NULL }, "eu", false, &all);
	ck_assert(all);
	ck_assert_int_eq(cache_claim(th, &KEY, &claim), CLAIM_MINE);
	ck_assert_int_eq(cache_claim(th, &KEY, &other), CLAIM_OTHER);
	cache_unclaim(th, &KEY, &claim);
	ck_assert_int_eq(cache_claim(th, &KEY, &other), CLAIM_MINE);
	ck_assert(cache_flush(th, &flushed, &err) == 0);
	ck_assert(!get().present);
	trust(c);
	fill(c, "z");
	ck_assert(get().hit);
	ck_assert_int_eq(metric_get(M_CACHE_ERRORS), errors);
	/* Another memcached at the same address: another page, nothing of what was there, and the connection is made anew. */
	scratch_memcached_verb(sc, 0, "restart");
	get();
	fill(c, "y");
	ck_assert(!get().hit);
	trust(c);
	ck_assert(get().hit);
	teardown();
}
END_TEST

START_TEST(test_sasl_refuses_whom_it_does_not_know)
{
	struct cache_thread *thread;
	struct cache_value v;
	struct cache *wrong;

	prepare();
	if (!prepare_sasl()) {
		scratch_free(sc);
		return;
	}
	/* libmemcached does not authenticate on Unix sockets, and we say so. */
	servers[0] = "/run/memcached.sock";
	ck_assert_int_ne(cache_open(&set, &wrong, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.detail, "Unix socket"));
	err_clear(&err);
	servers[0] = scratch_memcached_tcp(sc, "-S");
	open_cache();
	fill(at(E1, 1), "x");
	ck_assert(get().present);
	for (int i = 0; i < 2; i++) {
		set.memcached_user = i == 0 ? "somebody" : "";
		ck_assert(cache_open(&set, &wrong, &err) == 0);
		ck_assert(cache_thread_new(wrong, &thread, &err) == 0);
		cache_get(thread, arena, &KEY, 1, &v);
		ck_assert(!v.present);
		cache_thread_free(thread);
		cache_close(wrong);
	}
	teardown();
}
END_TEST

/* ---- one that fails ---- */

START_TEST(test_no_cas_is_refused)
{
	int beaten;

	setup_with(1, "-C");
	ck_assert_int_eq(beat_with(mc, at(E1, 1), NULL, &beaten), STAMP_NO_CAS);
	teardown();
}
END_TEST

/* The clock stands still: no time limit is over but those of memcached. */
START_TEST(test_dead_server_is_passed_over)
{
	int64_t now = clock_mono_us(), errors;

	setup();
	clock_set_mono_for_tests(now);
	trust(at(E1, 10));
	errors = metric_get(M_CACHE_ERRORS);
	scratch_memcached_verb(sc, 0, "kill");
	for (int i = 0; i < 1000; i++)
		ck_assert(!get().present);
	/* The connection that broke, and one that could not be made. */
	ck_assert_int_eq(metric_get(M_CACHE_ERRORS) - errors, 2);
	ck_assert(!cache_server_up(cache->servers, 0));
	clock_set_mono_for_tests(now + set.cache_retry_ms * MS);
	for (int i = 0; i < 1000; i++)
		ck_assert(!get().present);
	ck_assert_int_eq(metric_get(M_CACHE_ERRORS) - errors, 3);
	scratch_memcached_verb(sc, 0, "restart");
	clock_set_mono_for_tests(now + 2 * set.cache_retry_ms * MS);
	fill(at(E1, 10), "x");
	ck_assert(get().present);
	ck_assert(cache_server_up(cache->servers, 0));
	clock_set_mono_for_tests(0);
	teardown();
}
END_TEST

START_TEST(test_stopped_server_costs_its_limit_once)
{
	int64_t now = clock_mono_us(), errors;

	setup();
	clock_set_mono_for_tests(now);
	trust(at(E1, 10));
	fill(at(E1, 10), "x");
	ck_assert(get().hit);
	errors = metric_get(M_CACHE_ERRORS);
	scratch_memcached_signal(sc, 0, SIGSTOP);
	for (int i = 0; i < 1000; i++)
		ck_assert(!get().present);
	fill(at(E1, 10), "nowhere");
	ck_assert_int_eq(metric_get(M_CACHE_ERRORS) - errors, 1);
	/* Tried again after a while, by one. */
	clock_set_mono_for_tests(now + set.cache_retry_ms * MS);
	for (int i = 0; i < 1000; i++)
		ck_assert(!get().present);
	ck_assert_int_eq(metric_get(M_CACHE_ERRORS) - errors, 2);
	scratch_memcached_signal(sc, 0, SIGCONT);
	clock_set_mono_for_tests(now + 2 * set.cache_retry_ms * MS);
	ck_assert(get().hit); /* it was only slow: the same pages, seen less than F ago */
	clock_set_mono_for_tests(0);
	teardown();
}
END_TEST

struct asker {
	pthread_t id;
	pthread_barrier_t *start;
};

static void *
ask_often(void *arg)
{
	struct asker *me = arg;
	struct arena *a = arena_new(1 << 20);
	struct cache_thread *t;
	struct cache_value v;
	struct err e = { 0 };

	if (cache_thread_new(cache, &t, &e) != 0)
		abort();
	cache_get(t, a, &KEY, 1, &v); /* connects */
	pthread_barrier_wait(me->start);
	pthread_barrier_wait(me->start);
	for (int i = 0; i < 500; i++) {
		cache_get(t, a, &KEY, 1, &v);
		arena_reset(a);
	}
	cache_thread_free(t);
	arena_free(a);
	return NULL;
}

START_TEST(test_stopped_server_costs_each_thread_once)
{
	enum { N = 8 };
	struct asker askers[N];
	pthread_barrier_t start;
	int64_t errors;

	setup();
	trust(at(E1, 10));
	clock_set_mono_for_tests(clock_mono_us());
	pthread_barrier_init(&start, NULL, N + 1);
	for (int i = 0; i < N; i++) {
		askers[i].start = &start;
		ck_assert_int_eq(pthread_create(&askers[i].id, NULL, ask_often, &askers[i]), 0);
	}
	pthread_barrier_wait(&start);
	errors = metric_get(M_CACHE_ERRORS);
	scratch_memcached_signal(sc, 0, SIGSTOP);
	pthread_barrier_wait(&start);
	for (int i = 0; i < N; i++)
		pthread_join(askers[i].id, NULL);
	/* Those who had asked before anybody knew. */
	ck_assert_int_ge(metric_get(M_CACHE_ERRORS) - errors, 1);
	ck_assert_int_le(metric_get(M_CACHE_ERRORS) - errors, N);
	clock_set_mono_for_tests(0);
	scratch_memcached_signal(sc, 0, SIGCONT);
	pthread_barrier_destroy(&start);
	teardown();
}
END_TEST

/* ---- several ---- */

static struct cache_key keys[MANY];
static struct mc *keepers[3]; /* one a server, as an invalidator's */

static void
setup_several(void)
{
	static char names[MANY][16];

	setup_with(3, NULL);
	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "key%d", i);
		keys[i] = (struct cache_key){ EVENT_KIND_APP, span_of(names[i]) };
	}
	for (size_t i = 0; i < 3; i++)
		keepers[i] = mc_new(cache->servers, i, true);
	clock_set_mono_for_tests(clock_mono_us());
}

static void
teardown_several(void)
{
	clock_set_mono_for_tests(0);
	for (size_t i = 0; i < 3; i++)
		mc_free(keepers[i]);
	teardown();
}

static void
beat_all(struct event_clock c)
{
	int beaten;

	for (int i = 0; i < 3; i++)
		(void)beat_with(keepers[i], c, NULL, &beaten);
}

/* As the watcher does: a process knows the pages of every server, also of those that hold nothing it wants. */
static void
look_all(void)
{
	struct cache_status st;

	ck_assert(cache_status(th, arena, NULL, 0, &st, &err) == 0);
}

static int
hits(void)
{
	struct cache_value v[MANY];
	int n = 0;

	cache_get(th, arena, keys, MANY, v);
	for (int i = 0; i < MANY; i++)
		n += v[i].hit;
	return n;
}

static void
fill_all(struct event_clock c)
{
	for (int i = 0; i < MANY; i++)
		cache_set(th, &keys[i], &c, false, keys[i].name);
}

/* One goes: its keys go to others, whose pages are known; and nothing of the others' moves. */
START_TEST(test_keys_of_a_dead_server_go_elsewhere)
{
	int64_t now = clock_mono_us();
	int mine = 0, left, victim = -1;

	for (int i = 0; i < MANY; i++) {
		struct cache_place p;

		cache_place(keys[i].kind, keys[i].name, &p);
		if (victim < 0)
			victim = cache_pick(cache->servers, &p);
		mine += cache_pick(cache->servers, &p) == victim;
	}
	fill_all(at(E1, 5));
	for (int b = 0; b < 3; b++) {
		beat_all(at(E1, 5));
		look_all();
	}
	ck_assert_int_eq(hits(), MANY);
	scratch_memcached_verb(sc, victim, "kill");
	left = hits();
	left = hits(); /* the first found the connection broken, the next that there is none */
	ck_assert_int_eq(left, MANY - mine);
	fill_all(at(E1, 5));
	ck_assert_int_eq(hits(), MANY); /* at once: trusted pages lie beside them */
	/* It is back and empty. Its share is asked there again, and believed two beats later. */
	scratch_memcached_verb(sc, victim, "restart");
	clock_set_mono_for_tests(now + set.cache_retry_ms * MS);
	fill_all(at(E1, 5));
	for (int b = 1; b <= 3; b++) {
		beat_all(at(E1, 5));
		look_all();
		ck_assert_int_eq(hits(), b < 3 ? MANY - mine : MANY);
	}
}
END_TEST

/* It stood still for longer than F with pages and values that were good, and missed an event meanwhile. */
START_TEST(test_returning_server_is_not_believed_before_two_beats)
{
	int64_t now = clock_mono_us();
	struct event_clock c = at(E1, 5);

	fill_all(c);
	for (int b = 0; b < 3; b++) {
		beat_all(c);
		look_all();
	}
	ck_assert_int_eq(hits(), MANY);
	scratch_memcached_signal(sc, 0, SIGSTOP);
	for (int64_t us = 0; us <= F + S; us += S / 2) { /* the others are beaten meanwhile */
		clock_set_mono_for_tests(now + us);
		c.n = 6;
		beat_all(c);
		look_all();
	}
	fill_all(c); /* where the keys are now; on the others */
	ck_assert_int_eq(hits(), MANY);
	scratch_memcached_signal(sc, 0, SIGCONT);
	clock_set_mono_for_tests(now + F + 3 * S);
	for (int b = 0; b < 2; b++)
		ck_assert_int_lt(hits(), MANY); /* asked for there again, and refused: its beat is the old one */
	ck_assert(cache_server_up(cache->servers, 0));
	beat_all(c);
	beat_all(c); /* two beats, of which this process saw one */
	look_all();
	for (int b = 0; b < 2; b++) {
		beat_all(c);
		look_all();
	}
	ck_assert_int_lt(hits(), MANY); /* the pages are trusted; the values are older than their slots */
	fill_all(c);
	ck_assert_int_eq(hits(), MANY);
}
END_TEST

START_TEST(test_an_event_goes_to_every_server)
{
	struct event_clock c = at(E1, 5);

	fill_all(c);
	for (int b = 0; b < 3; b++) {
		beat_all(c);
		look_all();
	}
	ck_assert_int_eq(hits(), MANY);
	c.n = 6;
	ck_assert(cache_raise(th, keys, MANY, &c));
	ck_assert_int_eq(hits(), 0);
	fill_all(c);
	ck_assert_int_eq(hits(), MANY);
	c.n = 7;
	scratch_memcached_signal(sc, 1, SIGSTOP);
	ck_assert(!cache_raise(th, keys, MANY, &c)); /* not on that one: the writer waits */
	ck_assert_int_eq(hits(), 0);
	scratch_memcached_signal(sc, 1, SIGCONT);
}
END_TEST

/* ---- memory ---- */

/* Pages are pushed out by others of their size: misses, until there are pages again. */
START_TEST(test_eviction_costs_misses_only)
{
	static char data[STAMP_BYTES - 100]; /* in memcached's size class of a stamp page: what is of another one makes room late, if at all */
	struct event_clock c = at(E1, 10);
	struct cache_place p;
	char name[32];
	bool gone = false;

	/* The oldest goes first; the newer way keeps what is looked at until a thread of memcached's sees that it is idle. */
	setup_with(1, "-m 2 -o no_lru_maintainer");
	trust(c);
	fill(c, "x");
	ck_assert(get().hit);
	memset(data, 'd', sizeof(data));
	for (int i = 1; i <= 200000 && !gone; i++) {
		struct cache_key k = { EVENT_KIND_APP, { name, (size_t)snprintf(name, sizeof(name), "flood-%d", i) } };

		cache_set(th, &k, &c, false, (struct span){ data, sizeof(data) });
		gone = i % 20000 == 0 && !get().page_trusted;
		arena_reset(arena);
	}
	ck_assert(gone);
	ck_assert(!get().hit);
	c.n = 11; /* its stamp is lost with the page: the new page must not let the old value through */
	for (int b = 0; b < 3; b++) {
		beat(c);
		ck_assert(!get().hit || get().clock.n == 11);
	}
	fill(c, "y");
	cache_place(KEY.kind, KEY.name, &p);
	ck_assert_uint_ge(page_now(p.page).slot[p.slot], 11);
	trust(c);
	ck_assert(get().hit && span_eq(get().data, SPAN("y")));
	teardown();
}
END_TEST

/* No memory for anything: what cannot be claimed is not waited for. */
START_TEST(test_no_room)
{
	struct event_clock c = at(E1, 10);
	struct cache_claim claim = { 0 };
	enum cache_claimed r;
	static char data[400];
	char name[32];

	setup_with(1, "-M -m 2");
	memset(data, 'd', sizeof(data));
	for (int i = 0; i < 20000; i++) {
		struct cache_key k = { EVENT_KIND_APP, { name, (size_t)snprintf(name, sizeof(name), "flood-%d", i) } };

		cache_set(th, &k, &c, false, (struct span){ data, (size_t)(i % 8) * 50 });
	}
	r = cache_claim(th, &KEY, &claim);
	if (r == CLAIM_OTHER)
		r = cache_claim(th, &KEY, &claim);
	ck_assert_int_ne(r, CLAIM_OTHER);
	teardown();
}
END_TEST

/* ---- what may lie there ---- */

struct raw {
	char bytes[1024];
	size_t len;
};

static void
got_raw(void *arg, size_t i, const uint8_t *p, size_t len, uint64_t cas)
{
	struct raw *r = arg;

	(void)i;
	(void)cas;
	ck_assert_uint_le(len, sizeof(r->bytes));
	memcpy(r->bytes, p, len);
	r->len = len;
}

static struct mc_key
value_key(void)
{
	struct cache_place p;
	struct mc_key k;

	cache_place(KEY.kind, KEY.name, &p);
	k.len = cache_key_value(k.text, "eu", KEY.kind, &p);
	return k;
}

static void
ck_refused(const void *p, size_t len, const char *what)
{
	struct mc_key k = value_key();
	struct cache_value v;

	ck_assert_int_eq(mc_set(mc, &k, p, len, 0), MC_OK);
	v = get();
	ck_assert_msg(!v.hit && !v.present && v.page_trusted && v.verdict == CACHE_FORMAT, "%s of %zu bytes was taken", what, len);
	arena_reset(arena);
}

/* An older version's value, a newer one's, what is cut short, and noise: never a crash, never a hit. */
START_TEST(test_what_is_not_ours_is_never_a_hit)
{
	enum { AT_MAGIC = 0, AT_KIND = 4, AT_FLAGS = 5, AT_NAME = 38, AT_DATA = AT_NAME + 4 + 6 };
	struct mc_key k = value_key();
	static char noise[4096];
	unsigned seed = 4711;
	struct raw good, bad;

	setup();
	trust(at(E1, 10));
	fill(at(E1, 10), "some value");
	ck_assert(get().hit);
	ck_assert_int_eq(mc_gets(mc, &k, 1, got_raw, &good), MC_OK);
	ck_assert_mem_eq(good.bytes + AT_NAME + 4, "photos", 6);
	for (size_t len = 0; len < good.len; len++)
		ck_refused(good.bytes, len, "a value cut short");
	bad = good;
	bad.bytes[bad.len++] = 'x';
	ck_refused(bad.bytes, bad.len, "a value with more behind it");
	for (int bit = 0; bit < 8; bit++) {
		static const int where[] = { AT_MAGIC, AT_MAGIC + 1, AT_MAGIC + 2, AT_MAGIC + 3, AT_KIND, AT_NAME, AT_NAME + 1,
			AT_NAME + 3, AT_NAME + 4, AT_NAME + 9, AT_DATA, AT_DATA + 1, AT_DATA + 3 };

		for (size_t i = 0; i < ARRAY_LEN(where); i++) {
			bad = good;
			bad.bytes[where[i]] = (char)(bad.bytes[where[i]] ^ 1 << bit);
			ck_refused(bad.bytes, bad.len, "a value of another layout");
		}
		bad = good;
		bad.bytes[AT_FLAGS] = (char)(bad.bytes[AT_FLAGS] ^ 1 << bit);
		if (bit > 0)
			ck_refused(bad.bytes, bad.len, "a value with a flag that we do not know");
	}
	for (int i = 0; i < 500; i++) {
		size_t len = (size_t)rand_r(&seed) % sizeof(noise);

		for (size_t b = 0; b < len; b++)
			noise[b] = (char)rand_r(&seed);
		if (i % 2 == 0 && len >= good.len)
			memcpy(noise, good.bytes, (size_t)rand_r(&seed) % good.len); /* begins well */
		ck_refused(noise, len, "noise");
	}
	/* The same where a page is looked for: no trust. */
	fill(at(E1, 10), "some value");
	for (unsigned page = 0; page < CACHE_PAGES; page++) {
		k.len = cache_key_page(k.text, "eu", page);
		ck_assert_int_eq(mc_set(mc, &k, noise, 1 + page * 40, 0), MC_OK);
	}
	ck_assert_int_eq(get().verdict, CACHE_NO_PAGE);
	/* And where somebody claims to be reading. */
	struct cache_claim claim = { 0 };
	struct cache_place p;

	cache_place(KEY.kind, KEY.name, &p);
	k.len = cache_key_busy(k.text, "eu", &p);
	ck_assert_int_eq(mc_set(mc, &k, "", 0, 0), MC_OK);
	ck_assert_int_eq(cache_claim(th, &KEY, &claim), CLAIM_OTHER);
	trust(at(E1, 10)); /* the pages were replaced */
	ck_assert(get().hit);
	teardown();
}
END_TEST

/* ---- a walk ---- */

/*
 * Two processes' caches, three servers that come and go, an invalidator that
 * reaches those that are up, writers that wait as they must, fills that come late:
 * whatever the order, no hit is older than what was acknowledged before it was
 * asked for. ANVIL_TEST_SEED gives another walk, ANVIL_TEST_STEPS a longer one.
 */
#define WALK_KEYS 6
#define WALK_EVENTS 4096
#define WALK_FILLS 8
#define W (4 * S)

static struct {
	unsigned seed;
	int64_t now;
	uint64_t n;                         /* the clock */
	uint64_t changed[WALK_KEYS];        /* the number of each key's last change, which is its value too */
	uint64_t acknowledged[WALK_KEYS];
	struct {
		uint64_t n;
		int key;
		int64_t at;                 /* when it was committed */
		bool acknowledged;
	} change[WALK_EVENTS];
	int n_changes;
	struct stamp_event events[WALK_EVENTS];
	struct { /* read from the database, not stored yet */
		int key;
		uint64_t as_of, value;
	} fill[WALK_FILLS];
	int n_fills;
	bool stopped[3], dead[3];
	struct cache *cache[2];
	struct cache_thread *thread[2];
	int hits, misses;
} walk;

static unsigned
any(unsigned below)
{
	return (unsigned)rand_r(&walk.seed) % below;
}

static void
walk_acknowledge(int i)
{
	int key = walk.change[i].key;

	walk.change[i].acknowledged = true;
	if (walk.acknowledged[key] < walk.change[i].n)
		walk.acknowledged[key] = walk.change[i].n;
}

/* Every event through n on one server; what an invalidator does with news, all of which it knows. */
static bool
walk_apply(int server)
{
	struct stamp_news all = news_of(E1, 1, walk.n, walk.events, (size_t)walk.n_changes);

	return stamp_apply(keepers[server], "eu", STAMP_EVERY_PAGE, &all) == STAMP_DONE;
}

static void
walk_write(void)
{
	int i = walk.n_changes, key = (int)any(WALK_KEYS);
	bool all = true;

	if (i == WALK_EVENTS)
		return;
	walk.n_changes++;
	walk.change[i].n = walk.changed[key] = ++walk.n;
	walk.change[i].key = key;
	walk.change[i].at = walk.now;
	stamp_event_of(walk.n, 'a', keys[key].name, &walk.events[i]);
	if (any(4) == 0)
		return; /* nobody applies it yet; a beat will */
	for (int s = 0; s < 3; s++)
		all = walk_apply(s) && all;
	if (all) /* every event so far is on every server */
		for (int k = 0; k <= i; k++)
			walk_acknowledge(k);
}

static void
walk_beat(void)
{
	struct stamp_news all = news_of(E1, 1, walk.n, walk.events, (size_t)walk.n_changes);
	int beaten;

	for (int s = 0; s < 3; s++)
		(void)beat_with(keepers[s], at(E1, walk.n), any(8) == 0 ? NULL : &all, &beaten);
}

static void
walk_pass_time(void)
{
	walk.now += any(700) * MS;
	clock_set_mono_for_tests(walk.now);
	for (int i = 0; i < walk.n_changes; i++)
		if (!walk.change[i].acknowledged && walk.now - walk.change[i].at >= W)
			walk_acknowledge(i);
}

static void
walk_read(int process)
{
	struct cache_value v[WALK_KEYS];

	cache_get(walk.thread[process], arena, keys, WALK_KEYS, v);
	for (int i = 0; i < WALK_KEYS; i++) {
		uint64_t value = 0;

		if (!v[i].hit) {
			walk.misses++;
			if (walk.n_fills < WALK_FILLS) {
				walk.fill[walk.n_fills].key = i;
				walk.fill[walk.n_fills].as_of = walk.n;
				walk.fill[walk.n_fills++].value = walk.changed[i];
			}
			continue;
		}
		walk.hits++;
		ck_assert_uint_eq(v[i].data.len, sizeof(value));
		memcpy(&value, v[i].data.p, sizeof(value));
		ck_assert_msg(value >= walk.acknowledged[i], "key %d: %" PRIu64 " is older than %" PRIu64 " (ANVIL_TEST_SEED=%s)", i, value,
		    walk.acknowledged[i], getenv("ANVIL_TEST_SEED") == NULL ? "2" : getenv("ANVIL_TEST_SEED"));
	}
	arena_reset(arena);
}

static void
walk_store(void)
{
	int i;
	struct event_clock c;

	if (walk.n_fills == 0)
		return;
	i = (int)any((unsigned)walk.n_fills);
	c = at(E1, walk.fill[i].as_of);
	cache_set(walk.thread[any(2)], &keys[walk.fill[i].key], &c, false,
	    (struct span){ (const char *)&walk.fill[i].value, sizeof(walk.fill[i].value) });
	walk.fill[i] = walk.fill[--walk.n_fills];
}

static void
walk_disturb(void)
{
	int s = (int)any(3);
	size_t flushed;

	switch (any(6)) {
	case 0:
		if (!walk.dead[s] && !walk.stopped[s])
			scratch_memcached_signal(sc, s, SIGSTOP);
		walk.stopped[s] = !walk.dead[s];
		break;
	case 1:
		scratch_memcached_verb(sc, s, "kill");
		walk.dead[s] = true;
		walk.stopped[s] = false;
		break;
	case 2:
		if (any(4) == 0)
			(void)!cache_flush(walk.thread[0], &flushed, &err);
		err_clear(&err);
		break;
	default: /* well again */
		if (walk.stopped[s])
			scratch_memcached_signal(sc, s, SIGCONT);
		if (walk.dead[s])
			scratch_memcached_verb(sc, s, "restart");
		walk.stopped[s] = walk.dead[s] = false;
		break;
	}
}

START_TEST(test_walk)
{
	const char *seed = getenv("ANVIL_TEST_SEED"), *steps = getenv("ANVIL_TEST_STEPS");
	int64_t n = 2, n_steps = 3000;

	ck_assert(seed == NULL || parse_i64(span_of(seed), 0, INT32_MAX, &n));
	ck_assert(steps == NULL || parse_i64(span_of(steps), 0, INT32_MAX, &n_steps));
	walk.seed = (unsigned)n;
	walk.n = 1;
	walk.now = clock_mono_us();
	set.cache_timeout_ms = 20;
	set.cache_retry_ms = 2000;
	for (int i = 0; i < 2; i++) {
		ck_assert(cache_open(&set, &walk.cache[i], &err) == 0);
		ck_assert(cache_thread_new(walk.cache[i], &walk.thread[i], &err) == 0);
	}
	for (int64_t i = 0; i < n_steps; i++) {
		unsigned what = any(1000);

		if (what < 450)
			walk_read((int)any(2));
		else if (what < 700)
			walk_store();
		else if (what < 850)
			walk_beat();
		else if (what < 920)
			walk_pass_time();
		else if (what < 990)
			walk_write();
		else
			walk_disturb();
	}
	/* It was a walk worth taking. */
	ck_assert_int_gt(walk.hits, n_steps / 10);
	ck_assert_int_gt(walk.misses, n_steps / 10);
	for (int i = 0; i < 2; i++) {
		cache_thread_free(walk.thread[i]);
		cache_close(walk.cache[i]);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cache servers");
	TCase *one = tcase_create("one"), *several = tcase_create("several");

	signal(SIGPIPE, SIG_IGN);
	tcase_set_timeout(one, 120);
	tcase_add_loop_test(one, test_transport, 0, WAYS);
	tcase_add_test(one, test_sasl_refuses_whom_it_does_not_know);
	tcase_add_test(one, test_no_cas_is_refused);
	tcase_add_test(one, test_dead_server_is_passed_over);
	tcase_add_test(one, test_stopped_server_costs_its_limit_once);
	tcase_add_test(one, test_stopped_server_costs_each_thread_once);
	tcase_add_test(one, test_eviction_costs_misses_only);
	tcase_add_test(one, test_no_room);
	tcase_add_test(one, test_what_is_not_ours_is_never_a_hit);
	suite_add_tcase(s, one);
	tcase_add_checked_fixture(several, setup_several, teardown_several);
	tcase_set_timeout(several, 120);
	tcase_add_test(several, test_keys_of_a_dead_server_go_elsewhere);
	tcase_add_test(several, test_returning_server_is_not_believed_before_two_beats);
	tcase_add_test(several, test_an_event_goes_to_every_server);
	tcase_add_test(several, test_walk);
	suite_add_tcase(s, several);
	return suite_run(s);
}
