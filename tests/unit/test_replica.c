/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_replica.c - fills from a real streaming standby: near, behind,
 * of another epoch, stopped, gone and back; never what is older than the promise.
 */
#include "base/base.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>

#include "base/log.h"
#include "base/metrics.h"
#include "meta/migrate.h"
#include "tests/unit/meta_help.h"
#include "tests/unit/suite_help.h"

static struct scratch *scratch;
static struct settings set;
static const char *servers[2];
static struct arena *arena;
static struct err err;
static struct meta *meta;
static struct meta_thread *mt;
static struct keeper keeper = { .stop = true };

static void
start_all(void)
{
	struct err e = { 0 };
	int applied;

	scratch = scratch_new();
	(void)scratch_pg(scratch, NULL);
	servers[0] = scratch_memcached(scratch, NULL);
	meta_help_settings(scratch, servers, &set);
	/* Limits that a loaded machine does not reach: trust ends here by lost pages alone. */
	set.metadata_trust_ms = 20000;
	set.metadata_ack_ms = 25000;
	set.global_replica_timeout_ms = 4000;
	if (log_open("test_replica", LOG_ERROR, "/dev/null") != 0 || metrics_open(NULL) != 0)
		abort();
	if (migrate_apply(&set, 'g', &applied, &e) != 0)
		abort();
	ck_assert(scratch_sql(scratch, "global", "INSERT INTO regions (name, endpoint) VALUES ('eu', 'http://eu.test'),"
	    "('us', 'http://us.test'); INSERT INTO tenants (id, name, canonical_id) VALUES ('00000000-0000-4000-8000-000000000001',"
	    "'one', repeat('a', 64))"));
	set.global_replica_dsn = scratch_standby(scratch, "global");
}

static void
end_all(void)
{
	scratch_free(scratch);
}

static void
begin(void)
{
	arena = arena_new(1 << 24);
	err_clear(&err);
	ck_assert(scratch_sql(scratch, "global", "DELETE FROM buckets"));
	keeper_start(&keeper, &set);
	OK(meta_open(&set, META_CACHE, &meta, &err));
	OK(meta_thread_new(meta, &mt, &err));
	wait_for_trust(mt, arena);
}

static void
end(void)
{
	keeper_stop(&keeper);
	meta_thread_free(mt);
	meta_close(meta);
	arena_free(arena);
}

/* By psql, and acknowledged: whoever asks afterwards must see it. */
static void
change(const char *sql)
{
	ck_assert(scratch_sql(scratch, "global", sql));
	OK(registry_wait(mt, &err));
	ck_assert(registry_last_change(mt)->acknowledged);
}

static void
make_bucket(const char *name)
{
	change(arena_printf(arena, "INSERT INTO buckets (name, region, tenant_id) VALUES ('%s', 'eu', "
	    "'00000000-0000-4000-8000-000000000001')", name));
}

static void
wait_for_standby(void)
{
	const char *lsn = arena_strdup(arena, scratch_query(scratch, "global", "SELECT pg_current_wal_lsn()"));
	const char *sql = arena_printf(arena, "SELECT pg_last_wal_replay_lsn() >= '%s'", lsn);

	for (int i = 0; i < 1000 && strcmp(scratch_standby_query(scratch, "global", sql), "t") != 0; i++)
		clock_sleep_us(10 * US_PER_MS);
}

/* A look-up, and who told it: 'r' replica, 'p' primary, 'c' the cache. */
static char
told_by(const char *bucket, const char *want_mode /* NULL: it is not there */)
{
	int64_t replica = metric_get(M_CACHE_FILLS_REPLICA), primary = metric_get(M_CACHE_FILLS_PRIMARY);
	struct meta_found f;

	OK(meta_find(mt, arena, NULL, bucket, &f, &err));
	if (want_mode == NULL)
		ck_assert_int_eq(f.has_bucket, 0);
	else
		ck_assert_msg(f.has_bucket == 1 && strcmp(f.bucket.routing_mode, want_mode) == 0, "%s: an old answer", bucket);
	return metric_get(M_CACHE_FILLS_REPLICA) > replica ? 'r' : metric_get(M_CACHE_FILLS_PRIMARY) > primary ? 'p' : 'c';
}

START_TEST(test_fills_come_from_the_replica)
{
	make_bucket("near");
	wait_for_standby();
	ck_assert_int_eq(told_by("near", ""), 'r');
	ck_assert_int_eq(told_by("near", ""), 'c'); /* as of the replica's number, it is proved like any other */
	ck_assert_int_eq(told_by("not-there", NULL), 'r');
	ck_assert_int_eq(told_by("not-there", NULL), 'c');
	change("UPDATE buckets SET routing_mode = 'relay'");
	wait_for_standby();
	ck_assert_int_eq(told_by("near", "relay"), 'r');
}
END_TEST

/* It stands still: for what changed since the primary is asked, at once after the acknowledgement. */
START_TEST(test_a_replica_that_is_behind)
{
	int64_t behind = metric_get(M_REPLICA_BEHIND);

	make_bucket("moving");
	wait_for_standby();
	ck_assert_int_eq(told_by("moving", ""), 'r');
	ck_assert_str_eq(scratch_standby_query(scratch, "global", "SELECT pg_wal_replay_pause() IS NOT NULL"), "t");
	change("UPDATE buckets SET routing_mode = 'relay'");
	ck_assert_int_eq(told_by("moving", "relay"), 'p');
	ck_assert_int_eq(metric_get(M_REPLICA_BEHIND), behind + 1);
	ck_assert_int_eq(told_by("moving", "relay"), 'c');
	change("DELETE FROM buckets");
	ck_assert_int_eq(told_by("moving", NULL), 'p');
	make_bucket("new-born");
	ck_assert_int_eq(told_by("new-born", ""), 'p');
	ck_assert_str_eq(scratch_standby_query(scratch, "global", "SELECT pg_wal_replay_resume() IS NOT NULL"), "t");
	change("UPDATE buckets SET routing_mode = 'redirect'");
	wait_for_standby();
	ck_assert_int_eq(told_by("new-born", "redirect"), 'r');
}
END_TEST

/* Writers and readers while it is replaying, pausing and going on: no reader sees less than what was acknowledged before. */
static struct {
	atomic_int acknowledged; /* the value */
	atomic_bool stop;
	atomic_int reads, old, failed;
} run;

static void *
read_all_the_time(void *arg)
{
	static const char *const modes[] = { "auto", "redirect", "relay" };
	struct arena *a = arena_new(1 << 20);
	struct meta_thread *t;
	struct meta_found f;
	struct err e = { 0 };
	(void)arg;

	if (meta_thread_new(meta, &t, &e) != 0)
		abort();
	while (!atomic_load(&run.stop)) {
		int least = atomic_load(&run.acknowledged), most;

		arena_reset(a);
		err_clear(&e);
		if (meta_find(t, a, NULL, "busy", &f, &e) != 0 || f.has_bucket != 1) {
			atomic_fetch_add(&run.failed, 1);
			continue;
		}
		most = atomic_load(&run.acknowledged) + 1;
		atomic_fetch_add(&run.reads, 1);
		for (; least <= most && strcmp(f.bucket.routing_mode, modes[least % 3]) != 0; least++)
			continue;
		if (least > most)
			atomic_fetch_add(&run.old, 1);
		clock_sleep_us(US_PER_MS);
	}
	meta_thread_free(t);
	arena_free(a);
	return NULL;
}

START_TEST(test_readers_of_a_replica_that_lags_now_and_then)
{
	int64_t replica = metric_get(M_CACHE_FILLS_REPLICA), primary = metric_get(M_CACHE_FILLS_PRIMARY);
	pthread_t readers[4];

	make_bucket("busy");
	change("UPDATE buckets SET routing_mode = 'auto'");
	run.acknowledged = 0;
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		ck_assert_int_eq(pthread_create(&readers[i], NULL, read_all_the_time, NULL), 0);
	for (int i = 1; i <= 24; i++) {
		static const char *const sql[] = { "UPDATE buckets SET routing_mode = 'auto'",
			"UPDATE buckets SET routing_mode = 'redirect'", "UPDATE buckets SET routing_mode = 'relay'" };

		if (i % 6 == 3)
			(void)scratch_standby_query(scratch, "global", "SELECT pg_wal_replay_pause()");
		if (i % 6 == 0)
			(void)scratch_standby_query(scratch, "global", "SELECT pg_wal_replay_resume()");
		change(sql[i % 3]);
		atomic_store(&run.acknowledged, i);
		clock_sleep_us(10 * US_PER_MS);
	}
	atomic_store(&run.stop, true);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		pthread_join(readers[i], NULL);
	(void)scratch_standby_query(scratch, "global", "SELECT pg_wal_replay_resume()");
	ck_assert_int_eq(run.old, 0);
	ck_assert_int_eq(run.failed, 0);
	ck_assert_int_gt(run.reads, 100);
	ck_assert_int_gt(metric_get(M_CACHE_FILLS_REPLICA), replica);
	ck_assert_int_gt(metric_get(M_CACHE_FILLS_PRIMARY), primary);
}
END_TEST

START_TEST(test_a_replica_of_another_epoch)
{
	int64_t epoch = metric_get(M_REPLICA_EPOCH);

	make_bucket("epochal");
	wait_for_standby();
	ck_assert_str_eq(scratch_standby_query(scratch, "global", "SELECT pg_wal_replay_pause() IS NOT NULL"), "t");
	OK(registry_new_epoch(mt, "a test", &err));
	wait_for_trust(mt, arena);
	ck_assert_int_eq(told_by("epochal", ""), 'p');
	ck_assert_int_eq(metric_get(M_REPLICA_EPOCH), epoch + 1);
	ck_assert_str_eq(scratch_standby_query(scratch, "global", "SELECT pg_wal_replay_resume() IS NOT NULL"), "t");
	wait_for_standby();
	ck_assert_int_eq(told_by("unheard-of", NULL), 'r');
}
END_TEST

START_TEST(test_a_replica_that_is_away)
{
	int64_t asked, connects;

	make_bucket("lonely");
	wait_for_standby();
	ck_assert_int_eq(told_by("warm", NULL), 'r');
	/* Gone: a few attempts, then it is left alone. */
	scratch_standby_verb(scratch, "kill");
	connects = metric_get(M_REPLICA_CONNECTS);
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(told_by(arena_printf(arena, "gone-%d", i), NULL), 'p');
	ck_assert_int_lt(metric_get(M_REPLICA_CONNECTS) - connects, 20);
	scratch_standby_verb(scratch, "restart");
	for (int i = 0; i < 1500 && told_by(arena_printf(arena, "back-%d", i), NULL) != 'r'; i++)
		clock_sleep_us(10 * US_PER_MS);
	ck_assert_int_eq(told_by("lonely", ""), 'r');
	/* Stopped: one statement waits for the limit, the others do not ask. */
	scratch_standby_signal(scratch, SIGSTOP);
	asked = metric_get(M_REPLICA_QUERIES);
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(told_by(arena_printf(arena, "still-%d", i), NULL), 'p');
	ck_assert_int_le(metric_get(M_REPLICA_QUERIES) - asked, 1);
	scratch_standby_signal(scratch, SIGCONT);
	for (int i = 0; i < 1500 && told_by(arena_printf(arena, "again-%d", i), NULL) != 'r'; i++)
		clock_sleep_us(10 * US_PER_MS);
	ck_assert_int_eq(told_by("lonely-too", NULL), 'r');
}
END_TEST

/* Without trust nothing says how old the replica may be: the primary is asked, and without it nobody. */
START_TEST(test_no_replica_without_trust)
{
	struct meta_found f;

	make_bucket("trustless");
	wait_for_standby();
	ck_assert_int_eq(told_by("some", NULL), 'r');
	keeper_stop(&keeper);
	scratch_memcached_verb(scratch, 0, "restart");
	for (int i = 0; i < 500 && told_by(arena_printf(arena, "try-%d", i), NULL) == 'r'; i++)
		clock_sleep_us(10 * US_PER_MS);
	ck_assert_int_eq(told_by("trustless", ""), 'p');
	scratch_pg_verb(scratch, "kill");
	FAILS(meta_find(mt, arena, NULL, "trustless", &f, &err), ERR_UNAVAILABLE);
	scratch_pg_verb(scratch, "restart");
	keeper_start(&keeper, &set);
	wait_for_trust(mt, arena);
}
END_TEST

/* The primary is away for less than F: what is trusted still, the replica may tell. */
START_TEST(test_the_replica_answers_while_the_primary_is_away)
{
	make_bucket("survivor");
	wait_for_standby();
	keeper_stop(&keeper);
	scratch_pg_verb(scratch, "kill");
	ck_assert_int_eq(told_by("survivor", ""), 'r');
	scratch_pg_verb(scratch, "restart");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("replica");
	TCase *tc = tcase_create("replica");

	signal(SIGPIPE, SIG_IGN);
	tcase_add_unchecked_fixture(tc, start_all, end_all);
	tcase_add_checked_fixture(tc, begin, end);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_fills_come_from_the_replica);
	tcase_add_test(tc, test_a_replica_that_is_behind);
	tcase_add_test(tc, test_readers_of_a_replica_that_lags_now_and_then);
	tcase_add_test(tc, test_a_replica_of_another_epoch);
	tcase_add_test(tc, test_a_replica_that_is_away);
	tcase_add_test(tc, test_no_replica_without_trust);
	tcase_add_test(tc, test_the_replica_answers_while_the_primary_is_away);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
