/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_db.c - the database layer against a PostgreSQL that dies,
 * stops and comes back.
 */
#include "base/base.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "meta/db_internal.h"
#include "tests/lib/scratch.h"
#include "tests/unit/suite_help.h"

#define TIMEOUT_MS 400

static struct scratch *scratch;
static const char *dsn;
static struct arena *arena;
static struct err err;

static void
start_all(void)
{
	static const char *const options[] = { "log_connections=on", NULL };

	scratch = scratch_new();
	(void)scratch_pg(scratch, options);
	dsn = scratch_database(scratch, "dbtest");
	ck_assert(scratch_sql(scratch, "dbtest",
	    "CREATE TABLE event_clock (epoch uuid, n bigint); INSERT INTO event_clock VALUES (gen_random_uuid(), 7);"
	    "CREATE TABLE t (k int PRIMARY KEY); CREATE TABLE late (k int UNIQUE DEFERRABLE INITIALLY DEFERRED)"));
	if (log_open("test_db", LOG_ERROR, "/dev/null") != 0 || metrics_open(NULL) != 0)
		abort();
}

static void
end_all(void)
{
	scratch_free(scratch);
}

static void
begin(void)
{
	arena = arena_new(1 << 20);
	err_clear(&err);
}

static void
end(void)
{
	arena_free(arena);
}

static struct db_pool *
pool(int connections)
{
	return db_pool_new('g', dsn, connections, TIMEOUT_MS, 1);
}

static int
query(struct db_pool *p)
{
	struct db_rows *r;

	err_clear(&err);
	if (db_query(p, arena, STMT_CLOCK_NOW, NULL, 0, &r, &err) != 0)
		return -1;
	ck_assert_uint_eq(db_count(r), 1);
	ck_assert_int_eq(db_i64(r, 0, 1), 7);
	ck_assert_uint_eq(db_span(r, 0, 0).len, 16);
	return 0;
}

START_TEST(test_types_come_back)
{
	struct db_pool *p = pool(1);
	uint8_t ids[2][16] = { { 1, 2, 3 }, { 0xff, 0xfe } };
	const char *words[] = { "a", "", "{\"x\",NULL}\\", "\xe2\x82\xac", NULL };
	const char *const *back;
	struct db_rows *r;
	struct db_param v[] = { P_TEXT("h\xc3\xa9"), P_SPAN(((struct span){ "\0\1\2", 3 })), P_INT(INT64_MIN), P_INT(-5),
		P_INT(-7), P_BOOL(true), { DB_UUID, ids[1], 16, 0 }, P_INT(1700000000123456), P_TEXTS(words),
		P_UUIDS(ids, 2) };

	ck_assert_int_eq(db_query(p, arena, STMT_TYPES_ECHO, v, ARRAY_LEN(v), &r, &err), 0);
	ck_assert_str_eq(db_text(r, 0, 0), "h\xc3\xa9");
	ck_assert(span_eq(db_span(r, 0, 1), (struct span){ "\0\1\2", 3 }));
	ck_assert_int_eq(db_i64(r, 0, 2), INT64_MIN);
	ck_assert_int_eq(db_i64(r, 0, 3), -5);
	ck_assert_int_eq(db_i64(r, 0, 4), -7);
	ck_assert(db_bool(r, 0, 5));
	ck_assert_mem_eq(db_span(r, 0, 6).p, ids[1], 16);
	ck_assert_int_eq(db_i64(r, 0, 7), 1700000000123456);
	back = db_texts(r, 0, 8, arena);
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_eq(back[i], words[i]);
	ck_assert_ptr_null(back[4]);
	ck_assert_uint_eq(db_span(r, 0, 9).len, 20 + 2 * 20);
	db_pool_free(p);
}
END_TEST

START_TEST(test_nulls_and_empties_are_told_apart)
{
	struct db_pool *p = pool(1);
	const char *none[] = { NULL };
	struct db_rows *r;
	struct db_param v[] = { P_TEXT(""), P_SPAN(((struct span){ NULL, 0 })), P_NULL, P_NULL, P_NULL, P_BOOL(false),
		P_NULL, P_NULL, P_TEXTS(none), P_UUIDS(NULL, 0) };
	struct db_param nulls[10] = { P_TEXT(NULL), P_NULL, P_NULL, P_NULL, P_NULL, P_NULL, P_NULL, P_NULL,
		P_TEXTS(NULL), P_NULL };

	ck_assert_int_eq(db_query(p, arena, STMT_TYPES_ECHO, v, ARRAY_LEN(v), &r, &err), 0);
	ck_assert(!db_is_null(r, 0, 0) && !db_is_null(r, 0, 1) && db_is_null(r, 0, 2));
	ck_assert(!db_bool(r, 0, 5));
	ck_assert_ptr_null(db_texts(r, 0, 8, arena)[0]);
	ck_assert_int_eq(db_query(p, arena, STMT_TYPES_ECHO, nulls, ARRAY_LEN(nulls), &r, &err), 0);
	for (int i = 0; i < 10; i++)
		ck_assert(db_is_null(r, 0, i));
	ck_assert_ptr_null(db_text(r, 0, 0));
	ck_assert_ptr_null(db_texts(r, 0, 8, arena)[0]);
	db_pool_free(p);
}
END_TEST

START_TEST(test_number_out_of_range_is_an_error)
{
	struct db_pool *p = pool(1);
	struct db_rows *r;
	struct db_param v[10] = { P_NULL, P_NULL, P_NULL, P_INT(INT64_C(1) << 31), P_NULL, P_NULL, P_NULL, P_NULL, P_NULL,
		P_NULL };

	ck_assert_int_eq(db_query(p, arena, STMT_TYPES_ECHO, v, ARRAY_LEN(v), &r, &err), -1);
	ck_assert_int_eq(err.code, ERR_INVALID);
	db_pool_free(p);
}
END_TEST

START_TEST(test_pool_is_bounded_and_waits)
{
	struct db_pool *p = pool(2);
	struct db *a, *b, *c;
	int64_t begun;

	ck_assert_int_eq(db_acquire(p, &a, &err), 0);
	ck_assert_int_eq(db_acquire(p, &b, &err), 0);
	begun = clock_mono_us();
	ck_assert_int_eq(db_acquire(p, &c, &err), -1);
	ck_assert_int_eq(err.code, ERR_TIMEOUT);
	ck_assert_int_ge(clock_mono_us() - begun, (TIMEOUT_MS - 5) * US_PER_MS);
	db_release(a);
	err_clear(&err);
	ck_assert_int_eq(db_acquire(p, &c, &err), 0);
	db_release(b);
	db_release(c);
	db_pool_free(p);
}
END_TEST

START_TEST(test_dead_idle_connection_is_replaced)
{
	struct db_pool *p = pool(3);
	struct db *a, *b;

	ck_assert_int_eq(db_acquire(p, &a, &err), 0);
	ck_assert_int_eq(db_acquire(p, &b, &err), 0);
	db_release(a);
	db_release(b);
	ck_assert(scratch_sql(scratch, "postgres",
	    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'dbtest'"));
	ck_assert_int_eq(query(p), 0);
	db_pool_free(p);
}
END_TEST

START_TEST(test_connection_that_dies_in_use_fails_and_is_replaced)
{
	struct db_pool *p = pool(1);
	struct db *a;
	struct db_rows *r;

	ck_assert_int_eq(db_acquire(p, &a, &err), 0);
	ck_assert(scratch_sql(scratch, "postgres",
	    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'dbtest'"));
	ck_assert_int_eq(db_run(a, arena, STMT_CLOCK_NOW, NULL, 0, &r, &err), -1);
	ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
	db_release(a);
	ck_assert_int_eq(query(p), 0);
	db_pool_free(p);
}
END_TEST

static int64_t
timed_query(struct db_pool *p, int want_rc, int want_code)
{
	int64_t begun = clock_mono_us();
	int rc = query(p);

	ck_assert_int_eq(rc, want_rc);
	ck_assert_msg(err.code == want_code, "code %s: %s", err_kind_name(err.code), err.detail);
	return clock_mono_us() - begun;
}

/* Comes back within the longest back-off. */
static void
ck_comes_back(struct db_pool *p)
{
	int64_t until = clock_mono_us() + 5 * US_PER_S;

	while (query(p) != 0) {
		ck_assert_msg(clock_mono_us() < until, "still down: %s", err.detail);
		clock_sleep_us(20 * US_PER_MS);
	}
}

START_TEST(test_server_down_fails_fast_and_comes_back)
{
	struct db_pool *p = pool(2);

	ck_assert_int_eq(query(p), 0);
	scratch_pg_verb(scratch, "kill");
	(void)timed_query(p, -1, ERR_UNAVAILABLE);
	for (int i = 0; i < 20; i++)
		ck_assert_int_lt(timed_query(p, -1, ERR_UNAVAILABLE), 100 * US_PER_MS);
	scratch_pg_verb(scratch, "restart");
	ck_comes_back(p);
	db_pool_free(p);
}
END_TEST

struct one_thread {
	pthread_t id;
	struct db_pool *pool;
	int64_t us;
	int code;
};

static void *
query_thread(void *arg)
{
	struct one_thread *t = arg;
	struct arena *a = arena_new(1 << 16);
	struct err e = { 0 };
	struct db_rows *r;
	int64_t begun = clock_mono_us();

	if (db_query(t->pool, a, STMT_CLOCK_NOW, NULL, 0, &r, &e) != 0)
		t->code = e.code;
	t->us = clock_mono_us() - begun;
	arena_free(a);
	return NULL;
}

START_TEST(test_stopped_server_costs_at_most_the_limit)
{
	struct db_pool *p = pool(4);
	struct one_thread t[16];

	ck_assert_int_eq(query(p), 0);
	scratch_pg_signal(scratch, SIGSTOP);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		t[i] = (struct one_thread){ .pool = p };
		ck_assert_int_eq(pthread_create(&t[i].id, NULL, query_thread, &t[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		pthread_join(t[i].id, NULL);
		ck_assert_int_ne(t[i].code, 0);
		ck_assert_int_lt(t[i].us, (TIMEOUT_MS + 300) * US_PER_MS);
	}
	/* From now on only the thread that tries pays. */
	int64_t all = 0;
	for (int i = 0; i < 50; i++)
		all += timed_query(p, -1, ERR_UNAVAILABLE);
	ck_assert_int_lt(all, 3 * TIMEOUT_MS * US_PER_MS);
	scratch_pg_signal(scratch, SIGCONT);
	ck_comes_back(p);
	db_pool_free(p);
}
END_TEST

/* ---- a database that comes back ---- */

#define HERD 32
#define HERD_POOL 8
struct herd {
	pthread_t id;
	struct db_pool *pool;
	atomic_bool *stop;
	atomic_int *good, *bad;
};

static void *
herd_thread(void *arg)
{
	struct herd *me = arg;
	struct arena *a = arena_new(1 << 16);

	while (!atomic_load(me->stop)) {
		struct err e = { 0 };
		struct db_rows *r;

		atomic_fetch_add(db_query(me->pool, a, STMT_CLOCK_NOW, NULL, 0, &r, &e) == 0 ? me->good : me->bad, 1);
		arena_reset(a);
		clock_sleep_us(US_PER_MS);
	}
	arena_free(a);
	return NULL;
}

/* As PostgreSQL counted them. */
static int
connections_logged(void)
{
	char cmd[512], line[32] = "";
	int n = -1;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "grep -c 'connection authorized: .*database=dbtest application_name=test_db' '%s/pg/log'",
	    scratch_dir(scratch));
	f = popen(cmd, "r");
	ck_assert(f != NULL && fgets(line, sizeof(line), f) != NULL);
	pclose(f);
	ck_assert_int_eq(sscanf(line, "%d", &n), 1);
	return n;
}

static void
wait_above(atomic_int *n, int than)
{
	int64_t until = clock_mono_us() + 30 * US_PER_S;

	while (atomic_load(n) <= than && clock_mono_us() < until)
		clock_sleep_us(5 * US_PER_MS);
	ck_assert_int_gt(atomic_load(n), than);
}

/* Many threads want it all the time; while it is away one tries now and then, and when it is back they share few connections. */
START_TEST(test_no_herd_at_a_database_that_comes_back)
{
	struct db_pool *p = pool(HERD_POOL);
	atomic_int good = 0, bad = 0;
	atomic_bool stop = false;
	struct herd t[HERD];
	int64_t tried, began;
	int authorized;

	for (size_t i = 0; i < HERD; i++) {
		t[i] = (struct herd){ 0, p, &stop, &good, &bad };
		ck_assert_int_eq(pthread_create(&t[i].id, NULL, herd_thread, &t[i]), 0);
	}
	wait_above(&good, 200);
	scratch_pg_verb(scratch, "kill");
	wait_above(&bad, HERD);
	tried = metric_get(M_GLOBAL_CONNECTS);
	began = clock_mono_us();
	wait_above(&bad, atomic_load(&bad) + 2000);
	clock_sleep_us(2 * US_PER_S);
	tried = metric_get(M_GLOBAL_CONNECTS) - tried;
	ck_assert_msg(tried <= 10 + (clock_mono_us() - began) / (250 * US_PER_MS), "%" PRId64 " attempts while it was away", tried);
	ck_assert_int_ge(tried, 1);
	tried = metric_get(M_GLOBAL_CONNECTS);
	began = clock_mono_us();
	authorized = connections_logged();
	scratch_pg_verb(scratch, "restart");
	wait_above(&good, atomic_load(&good) + 2000);
	ck_assert_int_ge(connections_logged() - authorized, 1);
	/* One that was slow to come is made again. */
	ck_assert_int_le(connections_logged() - authorized, 2 * HERD_POOL);
	tried = metric_get(M_GLOBAL_CONNECTS) - tried;
	ck_assert_msg(tried <= HERD_POOL + 10 + (clock_mono_us() - began) / (250 * US_PER_MS), "%" PRId64 " attempts as it came", tried);
	atomic_store(&stop, true);
	for (size_t i = 0; i < HERD; i++)
		pthread_join(t[i].id, NULL);
	db_pool_free(p);
}
END_TEST

/* Against a server that accepts and says nothing: two attempts are under way, and nobody makes a third. */
START_TEST(test_few_connections_are_opened_at_once)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int64_t tried = metric_get(M_GLOBAL_CONNECTS);
	struct one_thread t[16];
	struct db_pool *p;
	char mute[200];

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%.80s/.s.PGSQL.5432", scratch_dir(scratch));
	ck_assert(fd >= 0 && bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0 && listen(fd, 64) == 0);
	snprintf(mute, sizeof(mute), "host=%s user=postgres dbname=x", scratch_dir(scratch));
	p = db_pool_new('g', mute, HERD_POOL, TIMEOUT_MS, 1);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		t[i] = (struct one_thread){ .pool = p };
		ck_assert_int_eq(pthread_create(&t[i].id, NULL, query_thread, &t[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		pthread_join(t[i].id, NULL);
		ck_assert_int_ne(t[i].code, 0);
	}
	ck_assert_int_ge(metric_get(M_GLOBAL_CONNECTS) - tried, 1);
	/* All came at once, or the last ones after the first had failed and a first pause was over. */
	ck_assert_int_le(metric_get(M_GLOBAL_CONNECTS) - tried, DB_OPENING_MAX + 1);
	db_pool_free(p);
	close(fd);
}
END_TEST

START_TEST(test_slow_statement_ends_and_the_pool_stays_up)
{
	struct db_pool *p = pool(1);
	struct db *a;

	ck_assert_int_eq(db_acquire(p, &a, &err), 0);
	ck_assert_int_eq(db_script(a, "SELECT pg_sleep(30)", &err), -1);
	ck_assert_int_eq(err.code, ERR_TIMEOUT);
	ck_assert_str_eq(db_last_sqlstate(), "57014");
	db_release(a);
	ck_assert_int_eq(query(p), 0);
	db_pool_free(p);
}
END_TEST

struct tx_case {
	const char *sql;
	int runs, fail_first, rc;
};

static int
tx_fn(struct db *db, void *arg, struct err *e)
{
	struct tx_case *c = arg;

	c->runs++;
	if (db_script(db, c->sql, e) != 0)
		return -1;
	if (c->runs <= c->fail_first)
		return db_script(db, "DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$", e);
	return c->rc;
}

START_TEST(test_tx_commits_rolls_back_and_tries_again)
{
	struct db_pool *p = pool(1);
	struct tx_case commits = { "INSERT INTO t VALUES (1)", 0, 2, 0 };
	struct tx_case wants_back = { "INSERT INTO t VALUES (2)", 0, 0, 5 };
	struct tx_case twice = { "INSERT INTO t VALUES (1)", 0, 0, 0 };
	struct tx_case never = { "SELECT 1", 0, 100, 0 };

	ck_assert_int_eq(db_tx(p, tx_fn, &commits, &err), 0);
	ck_assert_int_eq(commits.runs, 3);
	ck_assert_int_eq(db_tx(p, tx_fn, &wants_back, &err), 5);
	ck_assert_str_eq(scratch_query(scratch, "dbtest", "SELECT string_agg(k::text, ',') FROM t"), "1");
	ck_assert_int_eq(db_tx(p, tx_fn, &twice, &err), -1);
	ck_assert_int_eq(err.code, ERR_EXISTS);
	ck_assert_int_eq(twice.runs, 1);
	err_clear(&err);
	ck_assert_int_eq(db_tx(p, tx_fn, &never, &err), -1);
	ck_assert_int_eq(err.code, ERR_CONFLICT);
	ck_assert_int_eq(never.runs, 8);
	ck_assert_int_eq(query(p), 0);
	db_pool_free(p);
}
END_TEST

/* Nothing of ours is worth a compiler, and it is called for plans whose costs are only a wish (enable_seqscan = off). */
START_TEST(test_nothing_is_compiled)
{
	struct db_pool *p = pool(1);
	struct tx_case set = { "DO $$ BEGIN ASSERT current_setting('jit') = 'off'; END $$", 0, 0, 0 };

	ck_assert_int_eq(db_tx(p, tx_fn, &set, &err), 0);
	db_pool_free(p);
}
END_TEST

START_TEST(test_last_statement_goes_with_commit)
{
	struct db_pool *p = pool(1);
	struct tx_case good = { "INSERT INTO late VALUES (1)", 0, 0, 0 };
	struct tx_case bad_last = { "INSERT INTO late VALUES (2)", 0, 0, 0 };
	struct tx_case bad_commit = { "INSERT INTO late VALUES (1)", 0, 0, 0 };
	struct tx_case again = { "INSERT INTO late VALUES (3)", 0, 1, 0 };
	struct tx_case back = { "INSERT INTO late VALUES (4)", 0, 0, 7 };
	struct db_param v[10] = { P_TEXT("x"), P_NULL, P_NULL, P_NULL, P_NULL, P_NULL, P_NULL, P_NULL, P_NULL, P_NULL };
	struct db_last last = { .arena = arena, .st = STMT_TYPES_ECHO, .params = v, .n_params = 10 };

	ck_assert_int_eq(db_tx_last(p, tx_fn, &good, &last, &err), 0);
	ck_assert_str_eq(db_text(last.rows, 0, 0), "x");
	ck_assert_int_eq(db_tx_last(p, tx_fn, &again, &last, &err), 0);
	ck_assert_int_eq(again.runs, 2);
	ck_assert_int_eq(db_tx_last(p, tx_fn, &back, &last, &err), 7);
	ck_assert_int_eq(db_tx_last(p, tx_fn, &bad_commit, &last, &err), -1);
	ck_assert_msg(err.code == ERR_EXISTS, "%s", err.detail);
	err_clear(&err);
	v[0] = (struct db_param)P_TEXT("\xff");
	ck_assert_int_eq(db_tx_last(p, tx_fn, &bad_last, &last, &err), -1);
	ck_assert_msg(err.code == ERR_INVALID, "%s", err.detail);
	ck_assert_int_eq(query(p), 0); /* by the same connection: the pipeline was left in order */
	ck_assert_str_eq(scratch_query(scratch, "dbtest", "SELECT string_agg(k::text, ',' ORDER BY k) FROM late"), "1,3");
	ck_assert_str_eq(scratch_query(scratch, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = 'dbtest'"), "1");
	db_pool_free(p);
}
END_TEST

START_TEST(test_notifications_wake)
{
	struct db_pool *p = pool(1);
	struct db *a;

	ck_assert_int_eq(db_acquire(p, &a, &err), 0);
	ck_assert_int_eq(db_run(a, NULL, STMT_EVENTS_LISTEN, NULL, 0, NULL, &err), 0);
	ck_assert_int_eq(db_wait_notify(a, 50, &err), 0);
	ck_assert(scratch_sql(scratch, "dbtest", "NOTIFY anvil_events, '1'; NOTIFY anvil_events, '2'"));
	ck_assert_int_eq(db_wait_notify(a, 2000, &err), 1);
	ck_assert(scratch_sql(scratch, "postgres",
	    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'dbtest'"));
	while (db_wait_notify(a, 2000, &err) == 1)
		;
	ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
	db_release(a);
	db_pool_free(p);
}
END_TEST

START_TEST(test_spent_is_counted)
{
	struct db_pool *p = pool(1);
	struct db_spent s;

	(void)db_spent(true);
	ck_assert_int_eq(query(p), 0);
	ck_assert_int_eq(query(p), 0);
	s = db_spent(true);
	ck_assert_int_eq(s.global_queries, 2);
	ck_assert_int_eq(s.regional_queries, 0);
	ck_assert_int_gt(s.us, 0);
	ck_assert_int_eq(db_spent(false).global_queries, 0);
	db_pool_free(p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("db");
	TCase *tc = tcase_create("db");

	tcase_add_unchecked_fixture(tc, start_all, end_all);
	tcase_add_checked_fixture(tc, begin, end);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_types_come_back);
	tcase_add_test(tc, test_nulls_and_empties_are_told_apart);
	tcase_add_test(tc, test_number_out_of_range_is_an_error);
	tcase_add_test(tc, test_pool_is_bounded_and_waits);
	tcase_add_test(tc, test_dead_idle_connection_is_replaced);
	tcase_add_test(tc, test_connection_that_dies_in_use_fails_and_is_replaced);
	tcase_add_test(tc, test_server_down_fails_fast_and_comes_back);
	tcase_add_test(tc, test_stopped_server_costs_at_most_the_limit);
	tcase_add_test(tc, test_no_herd_at_a_database_that_comes_back);
	tcase_add_test(tc, test_few_connections_are_opened_at_once);
	tcase_add_test(tc, test_slow_statement_ends_and_the_pool_stays_up);
	tcase_add_test(tc, test_tx_commits_rolls_back_and_tries_again);
	tcase_add_test(tc, test_nothing_is_compiled);
	tcase_add_test(tc, test_last_statement_goes_with_commit);
	tcase_add_test(tc, test_notifications_wake);
	tcase_add_test(tc, test_spent_is_counted);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
