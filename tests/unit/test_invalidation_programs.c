/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_invalidation_programs.c - real anvil-invalidator processes:
 * several a region that are killed and stopped, a region that returns after the
 * outbox was pruned without it, bursts, and floods of garbage.
 */
#include "base/base.h"

#include <check.h>
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/req.h>

#include "tests/unit/invalidation_help.h"

#define MANY 3
#define STEPS 60
#define NO_DATABASE "host=/nonexistent dbname=none"

static const struct cache_key OTHER = { EVENT_KIND_BUCKET, { "untouched", 9 } };

static bool
hit(struct region_of *r, const struct cache_key *k)
{
	struct arena *a = arena_new(1 << 20);
	struct cache_value v;

	cache_get(r->th, a, k, 1, &v);
	arena_free(a);
	return v.hit;
}

static uint64_t
lowest_beat(struct region_of *r)
{
	struct arena *a = arena_new(1 << 20);
	struct cache_status st;
	struct err err = { 0 };
	uint64_t low = UINT64_MAX;

	ck_assert(cache_status(r->th, a, NULL, 0, &st, &err) == 0);
	for (int i = 0; i < CACHE_PAGES; i++)
		if (st.servers[0].page[i].beat < low)
			low = st.servers[0].page[i].beat;
	arena_free(a);
	return low;
}

static bool
is_trusted(struct region_of *r)
{
	struct arena *a = arena_new(1 << 20);
	struct cache_status st;
	struct err err = { 0 };
	bool all;

	ck_assert(cache_status(r->th, a, NULL, 0, &st, &err) == 0);
	all = st.servers[0].trusted_pages == CACHE_PAGES;
	arena_free(a);
	return all;
}

static int64_t
number(const char *query)
{
	int64_t n;

	ck_assert(parse_i64(span_of(scratch_query(pg, database, query)), 0, INT64_MAX, &n));
	return n;
}

/* Three in one region; at each step but one of them may be dead or stopped. Beats go on, and nothing is stale. */
START_TEST(test_many_in_a_region)
{
	char *conf[MANY], *pubs = arena_strdup(arena, ""), *reps = arena_strdup(arena, "");
	pid_t pid[MANY];
	int stopped = -1, hits = 0, late = 0;
	int64_t waited;

	for (int i = 0; i < MANY; i++) {
		char *name = arena_printf(arena, "us%d", i);
		char *pub = arena_printf(arena, "ipc://%s/us%d-pub", scratch_dir(sc), i);
		char *rep = arena_printf(arena, "ipc://%s/us%d-rep", scratch_dir(sc), i);

		conf[i] = conf_of(&reg[US], name, pub, rep, "");
		pubs = arena_printf(arena, "%s %s", pubs, pub);
		reps = arena_printf(arena, "%s %s", reps, rep);
	}
	sql(arena_printf(arena, "UPDATE regions SET inv_pub = '%s', inv_rep = '%s' WHERE name = 'us'", pubs, reps));
	for (int i = 0; i < MANY; i++)
		pid[i] = spawn("anvil-invalidator", conf[i]);
	start(&reg[EU]);
	both_trusted();
	for (int step = 0; step < STEPS; step++) {
		struct event_clock before = clock_now(), c;
		uint64_t beat = lowest_beat(&reg[US]);
		int who = step / 4 % MANY;

		switch (step % 4) {
		case 0:
			end_process(pid[who], SIGKILL);
			pid[who] = spawn("anvil-invalidator", conf[who]);
			break;
		case 1:
			kill(pid[who], SIGSTOP);
			stopped = who;
			break;
		case 3:
			kill(pid[stopped], SIGCONT);
			break;
		default:
			break;
		}
		cache_set(reg[US].th, &KEY, &before, false, SPAN("row"));
		hits += hit(&reg[US], &KEY);
		change();
		c = clock_now();
		late += !acked(&c, &waited);
		ck_assert_msg(!hit(&reg[US], &KEY), "step %d: stale after %" PRId64 " us", step, waited);
		WITHIN(SLOW, lowest_beat(&reg[US]) > beat);
	}
	/* Killed while another is stopped, nobody was left alone for F: what was filled was also believed. */
	ck_assert_int_gt(hits, STEPS / 2);
	fprintf(stderr, "steps=%d hits=%d acknowledged by W alone=%d\n", STEPS, hits, late);
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(end_process(pid[i], SIGTERM), 0);
}
END_TEST

/* us is gone for longer than events are kept. It returns: every stamp is raised, and nothing old is believed, ever. */
START_TEST(test_returns_after_pruning)
{
	static const char more[] = "metadata_events_keep_s = 0\nmetadata_events_silent_s = 2\n";
	char *eu_conf = conf_of(&reg[EU], "eu", reg[EU].listen[0], reg[EU].listen[1], more);
	char *us_conf = conf_of(&reg[US], "us", reg[US].listen[0], reg[US].listen[1], more);
	pid_t eu = spawn("anvil-invalidator", eu_conf), us = spawn("anvil-invalidator", us_conf);
	struct event_clock c;
	int64_t n;

	both_trusted();
	c = clock_now();
	fill(&reg[US]);
	WITHIN(SLOW, (cache_set(reg[US].th, &OTHER, &c, false, SPAN("row")), hit(&reg[US], &OTHER)));
	end_process(us, SIGKILL);
	for (int i = 0; i < 5; i++)
		change();
	n = (int64_t)clock_now().n;
	/* Kept as long as it may yet come, and a restarted source does not forget that it was there. */
	end_process(eu, SIGKILL);
	eu = spawn("anvil-invalidator", eu_conf);
	WITHIN(3 * SLOW, number("SELECT coalesce(min(n), 0) FROM metadata_events") == 0);
	WITHIN(SLOW, lines_with(log_of("eu"), "ev=inv.given_up region=us") >= 1);
	ck_assert_int_eq((int64_t)clock_now().n, n);
	change();
	us = spawn("anvil-invalidator", us_conf);
	while (!is_trusted(&reg[US])) {
		ck_assert(!hit(&reg[US], &KEY));
		clock_sleep_us(MS);
	}
	ck_assert(!hit(&reg[US], &KEY));
	ck_assert(!hit(&reg[US], &OTHER)); /* what did not change is a miss too: nobody can tell */
	WITHIN(SLOW, lines_with(log_of("eu"), "ev=inv.heard_again region=us") >= 1);
	fill(&reg[US]);
	change();
	WITHIN(SLOW, !hit(&reg[US], &KEY));
	ck_assert_int_eq(end_process(us, SIGTERM), 0);
	ck_assert_int_eq(end_process(eu, SIGTERM), 0);
}
END_TEST

/* So many numbers at once, as if so many had committed. */
static void
burst(int n)
{
	sql(arena_printf(arena, "BEGIN; ALTER TABLE metadata_events DISABLE TRIGGER ALL;"
	    "INSERT INTO metadata_events (epoch, n, kind, key) SELECT epoch, n + g, 'b', 'burst-' || g FROM event_clock, generate_series(1, %d) g;"
	    "INSERT INTO metadata_events (epoch, n, kind, key) SELECT epoch, n + %d, 'b', 'photos' FROM event_clock;"
	    "UPDATE event_clock SET n = n + %d; ALTER TABLE metadata_events ENABLE ALWAYS TRIGGER metadata_events_number;"
	    "NOTIFY anvil_events; COMMIT", n, n, n));
}

/*
 * us has eu's messages only, and is stopped while they come: PUB drops for it. Numbers make it right: what is missing is
 * fetched, or, when it is too much, every slot is raised.
 */
START_TEST(test_burst_past_a_stopped_subscriber)
{
	static const int sizes[] = { 300, 20000, 120000 };
	char *more = arena_printf(arena, "invalidator_peers = { \"%s %s\" }\n", reg[EU].listen[0], reg[EU].listen[1]), *conf;
	struct event_clock c;
	int64_t waited;
	pid_t us;

	reg[US].set.global_dsn = NO_DATABASE;
	conf = conf_of(&reg[US], "us", reg[US].listen[0], reg[US].listen[1], more);
	start(&reg[EU]);
	us = spawn("anvil-invalidator", conf);
	both_trusted();
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		fill(&reg[US]);
		c = clock_now();
		WITHIN(SLOW, acked(&c, &waited));
		kill(us, SIGSTOP);
		if (i == 0) /* one message each */
			for (int k = 0; k < sizes[i] / 10; k++)
				sql("DO $$ BEGIN FOR i IN 1..10 LOOP UPDATE buckets SET routing_mode = CASE routing_mode WHEN '' THEN 'relay' ELSE '' END "
				    "WHERE name = 'photos'; COMMIT; END LOOP; END $$");
		else
			burst(sizes[i]);
		c = clock_now();
		WITHIN(SLOW, ring_state(reg[EU].inv->ring).through == c.n); /* all is published */
		kill(us, SIGCONT);
		WITHIN(3 * SLOW, acked(&c, &waited));
		ck_assert(!hit(&reg[US], &KEY));
		WITHIN(SLOW, is_trusted(&reg[US]));
		ck_assert(!hit(&reg[US], &KEY));
	}
	/* Of more than it would pay to fetch. */
	ck_assert_int_ge(lines_with(log_of("us"), "ev=inv.flush"), 1);
	ck_assert_int_eq(end_process(us, SIGTERM), 0);
}
END_TEST

static int64_t
rss_kb(pid_t pid)
{
	const char *text = read_file(arena_printf(arena, "/proc/%ld/status", (long)pid)), *at = strstr(text, "VmRSS:");
	int64_t kb;

	ck_assert_ptr_nonnull(at);
	at += strcspn(at, "0123456789");
	ck_assert(parse_i64((struct span){ at, strspn(at, "0123456789") }, 1, INT64_MAX, &kb));
	return kb;
}

#define ASKERS 300        /* more than are let in */
#define ROUNDS 60
#define GARBAGE 100000    /* bytes */
#define GROWTH_KB 150000  /* twice what all buffers hold together */

/* Somebody without the secret publishes and asks as much as he can. Beats go on, and memory has a bound. */
START_TEST(test_floods)
{
	char *pub = arena_printf(arena, "ipc://%s/evil-pub", scratch_dir(sc)), *junk = arena_zalloc(arena, GARBAGE);
	char *conf = conf_of(&reg[EU], "eu", reg[EU].listen[0], reg[EU].listen[1], "");
	int64_t before, after;
	nng_socket evil, req[ASKERS], sub[ASKERS];
	uint64_t beat;
	pid_t eu;

	/* It ends with connections that libnng is still clearing away, in threads of its own; the others' leaks are looked for. */
	ck_assert_int_eq(setenv("LSAN_OPTIONS", "detect_leaks=0", 1), 0);
	eu = spawn("anvil-invalidator", conf);
	crypto_random(junk, GARBAGE);
	ck_assert_int_eq(nng_pub0_open(&evil), 0);
	ck_assert_int_eq(nng_listen(evil, pub, NULL, 0), 0);
	sql(arena_printf(arena, "INSERT INTO regions (name, endpoint, inv_pub, inv_rep, state, leaving_at) "
	    "VALUES ('xx', 'http://127.0.0.1:9', '%s', 'ipc:///nonexistent', 'leaving', now())", pub));
	WITHIN(SLOW, is_trusted(&reg[EU]));
	before = rss_kb(eu);
	for (int i = 0; i < ASKERS; i++) {
		ck_assert_int_eq(nng_req0_open(&req[i]), 0);
		ck_assert_int_eq(nng_sub0_open(&sub[i]), 0); /* subscribes to nothing, and reads nothing */
		nng_dial(req[i], reg[EU].listen[1], NULL, NNG_FLAG_NONBLOCK);
		nng_dial(sub[i], reg[EU].listen[0], NULL, NNG_FLAG_NONBLOCK);
		nng_socket_set_ms(req[i], NNG_OPT_SENDTIMEO, 1);
	}
	for (int round = 0; round < ROUNDS; round++) {
		beat = lowest_beat(&reg[EU]);
		for (int i = 0; i < 50; i++)
			(void)nng_send(evil, junk, GARBAGE, NNG_FLAG_NONBLOCK);
		for (int i = round % 10; i < ASKERS; i += 10)
			(void)nng_send(req[i], junk, GARBAGE, NNG_FLAG_NONBLOCK);
		WITHIN(SLOW, lowest_beat(&reg[EU]) > beat);
	}
	after = rss_kb(eu);
	fprintf(stderr, "resident before=%" PRId64 " kB, after=%" PRId64 " kB\n", before, after);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	ck_assert_int_lt(after - before, GROWTH_KB);
#endif
	ck_assert(is_trusted(&reg[EU]));
	fill(&reg[EU]);
	change();
	WITHIN(SLOW, !hit(&reg[EU], &KEY));
	/* At most a line a second of it. */
	ck_assert_ptr_nonnull(strstr(log_of("eu"), "ev=inv.refused"));
	/* The sockets go with this process: nng_close of so many may wait for ever (NNG 1.5). */
	ck_assert_int_eq(end_process(eu, SIGTERM), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("invalidation_programs");
	TCase *t = tcase_create("many"), *outbox = tcase_create("outbox"), *floods = tcase_create("floods");
	TCase *all[] = { t, outbox, floods };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		tcase_add_checked_fixture(all[i], setup, teardown);
		tcase_set_timeout(all[i], 300);
		suite_add_tcase(s, all[i]);
	}
	tcase_add_test(t, test_many_in_a_region);
	tcase_add_test(outbox, test_returns_after_pruning);
	tcase_add_test(outbox, test_burst_past_a_stopped_subscriber);
	tcase_add_test(floods, test_floods);
	return run_suite(s);
}
