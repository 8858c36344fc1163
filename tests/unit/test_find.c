/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_find.c - look-ups through a real memcached whose pages this
 * test keeps: hits, misses and negatives, crowds of processes at one cold key,
 * what lies in memcached, and a region that is cut off.
 */
#include "base/base.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

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
	static const char *const options[] = { "shared_preload_libraries=pg_stat_statements", NULL };
	int applied;

	if (scratch != NULL)
		return; /* by the other case */
	scratch = scratch_new();
	(void)scratch_pg(scratch, options);
	servers[0] = scratch_memcached(scratch, NULL);
	meta_help_settings(scratch, servers, &set);
	if (log_open("test_find", LOG_ERROR, "/dev/null") != 0 || metrics_open(NULL) != 0)
		abort();
	OK(migrate_apply(&set, 'g', &applied, &err));
	OK(migrate_apply(&set, 'r', &applied, &err));
	ck_assert(scratch_sql(scratch, "global", "CREATE EXTENSION pg_stat_statements;"
	    "INSERT INTO regions (name, endpoint) VALUES ('eu', 'http://eu.test'), ('us', 'http://us.test')"));
}

static void
end_all(void)
{
	scratch_free(scratch);
}

static void
open_meta(int flags)
{
	OK(meta_open(&set, flags, &meta, &err));
	OK(meta_thread_new(meta, &mt, &err));
}

/* Without the cache, and no thread yet: for tests that fork. */
static void
begin(void)
{
	arena = arena_new(1 << 24);
	err_clear(&err);
	ck_assert(scratch_sql(scratch, "global",
	    "SET client_min_messages = error; TRUNCATE tenants, apps, policies, app_policies, buckets, bucket_configs CASCADE"));
	open_meta(META_REGIONAL);
}

static void
end(void)
{
	keeper_stop(&keeper);
	meta_thread_free(mt);
	meta_close(meta);
	arena_free(arena);
}

static void
begin_cached(void)
{
	begin();
	meta_thread_free(mt);
	meta_close(meta);
	keeper_start(&keeper, &set);
	open_meta(META_CACHE | META_REGIONAL);
}

static void
make_bucket(const char *name)
{
	struct tenant one;
	enum bucket_made made;

	if (registry_tenant_find(mt, arena, "one", &one, &err) != 0) {
		err_clear(&err);
		OK(registry_tenant_create(mt, arena, "one", NULL, &one, &err));
	}
	OK(meta_bucket_create(mt, arena, name, "eu", &one.id, &made, &err));
	ck_assert_int_eq(made, BUCKET_MADE);
}

static int
global_queries(void)
{
	int n = meta_spent(mt)->global_queries;

	*meta_spent(mt) = (struct meta_spent){ 0 };
	return n;
}

static int
find(const char *bucket)
{
	struct meta_found f;

	OK(meta_find(mt, arena, NULL, bucket, &f, &err));
	return f.has_bucket;
}

START_TEST(test_find_hit_miss_negative)
{
	struct tenant one;
	struct app_info app;
	struct meta_found f;
	struct region *regions;
	enum bucket_made made;
	char secret[SECRET_LEN + 1], opened[APP_SECRET_MAX + 1];
	size_t n;

	OK(registry_tenant_create(mt, arena, "one", NULL, &one, &err));
	OK(registry_app_create(mt, arena, "one", "", APP_FULL, &app, secret, &err));
	OK(meta_bucket_create(mt, arena, "cached", "eu", &one.id, &made, &err));
	ck_assert(registry_last_change(mt)->acknowledged);
	wait_for_trust(mt, arena);
	ck_assert_int_eq(find("cached"), 1);
	/* a miss is one statement a key; then none */
	OK(meta_find(mt, arena, app.access_key, "never-was", &f, &err));
	ck_assert(f.has_app == 1 && f.has_bucket == 0);
	for (int i = 0; i < 3; i++) {
		(void)global_queries();
		OK(meta_find(mt, arena, app.access_key, "never-was", &f, &err));
		ck_assert(f.has_app == 1 && f.has_bucket == 0);
		ck_assert_int_eq(meta_spent(mt)->cache_round_trips, 1);
		ck_assert_int_eq(global_queries(), 0);
	}
	OK(app_secret(&set, &f.app, opened, &err));
	ck_assert_str_eq(opened, secret);
	OK(meta_regions(mt, arena, &regions, &n, &err));
	(void)global_queries();
	OK(meta_regions(mt, arena, &regions, &n, &err));
	ck_assert_int_eq(global_queries(), 0);
	ck_assert(n == 2 && strcmp(regions[1].endpoint, "http://us.test") == 0);
	/* "no such bucket" ends when it is made: at once, for whoever asks after the acknowledgement */
	OK(meta_bucket_create(mt, arena, "never-was", "eu", &one.id, &made, &err));
	ck_assert(registry_last_change(mt)->acknowledged);
	OK(meta_find(mt, arena, app.access_key, "never-was", &f, &err));
	ck_assert_int_eq(f.has_bucket, 1);
	OK(registry_app_enable(mt, app.access_key, false, &err));
	OK(meta_find(mt, arena, app.access_key, "never-was", &f, &err));
	ck_assert(!f.app.enabled);
	/* names that cannot be ask nobody */
	(void)global_queries();
	OK(meta_find(mt, arena, "not\xffutf8", NULL, &f, &err));
	ck_assert_int_eq(f.has_app, 0);
	ck_assert_int_eq(global_queries(), 0);
}
END_TEST

static const char *
document_of(const struct bucket *b, enum config_kind kind)
{
	const char *document;

	OK(meta_bucket_config(mt, arena, b, kind, &document, &err));
	return document;
}

START_TEST(test_documents_of_buckets)
{
	enum config_done done;
	struct meta_found f;
	char *big;

	make_bucket("documented");
	wait_for_trust(mt, arena);
	OK(meta_find(mt, arena, NULL, "documented", &f, &err));
	(void)global_queries();
	/* none: the bucket's own value says so, and nobody is asked */
	ck_assert_ptr_null(document_of(&f.bucket, CONFIG_KIND_CORS));
	ck_assert_int_eq(meta_spent(mt)->cache_round_trips, 0);
	OK(meta_bucket_set_config(mt, arena, &f.bucket.id, "cors", "<a/>", &done, &err));
	ck_assert(registry_last_change(mt)->acknowledged);
	OK(meta_find(mt, arena, NULL, "documented", &f, &err));
	ck_assert(bucket_has_config(&f.bucket, CONFIG_KIND_CORS) && !bucket_has_config(&f.bucket, CONFIG_KIND_LIFECYCLE));
	ck_assert_str_eq(document_of(&f.bucket, CONFIG_KIND_CORS), "<a/>");
	(void)global_queries();
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(document_of(&f.bucket, CONFIG_KIND_CORS), "<a/>");
	ck_assert_int_eq(global_queries(), 0);
	/* a change is seen at once, as long as a document may be */
	big = arena_alloc(arena, 262145);
	memset(big, 'x', 262144);
	big[262144] = '\0';
	OK(meta_bucket_set_config(mt, arena, &f.bucket.id, "cors", big, &done, &err));
	ck_assert_str_eq(document_of(&f.bucket, CONFIG_KIND_CORS), big);
	(void)global_queries();
	ck_assert_str_eq(document_of(&f.bucket, CONFIG_KIND_CORS), big);
	ck_assert_int_eq(global_queries(), 0);
	/* removed, and asked for with the bucket as it was */
	OK(meta_bucket_set_config(mt, arena, &f.bucket.id, "cors", NULL, &done, &err));
	ck_assert_ptr_null(document_of(&f.bucket, CONFIG_KIND_CORS));
}
END_TEST

START_TEST(test_change_by_psql_is_seen)
{
	struct tenant one;
	struct meta_found f;
	enum bucket_made made;

	OK(registry_tenant_create(mt, arena, "one", NULL, &one, &err));
	OK(meta_bucket_create(mt, arena, "cached", "eu", &one.id, &made, &err));
	wait_for_trust(mt, arena);
	ck_assert_int_eq(find("cached"), 1);
	ck_assert(scratch_sql(scratch, "global", "UPDATE buckets SET routing_mode = 'relay'"));
	OK(registry_wait(mt, &err));
	ck_assert(registry_last_change(mt)->acknowledged);
	OK(meta_find(mt, arena, NULL, "cached", &f, &err));
	ck_assert_str_eq(f.bucket.routing_mode, "relay");
}
END_TEST

START_TEST(test_writer_waits_for_the_other_region)
{
	struct tenant one;
	struct app_info app;

	OK(registry_tenant_create(mt, arena, "one", NULL, &one, &err));
	OK(registry_policy_create(mt, "p", "{}", &err));
	ck_assert(!registry_last_change(mt)->changed);
	atomic_store(&keeper.ack_us, false);
	clock_sleep_us(50 * US_PER_MS);
	(void)meta_spent(mt);
	OK(registry_app_import(mt, arena, "one", "", APP_FULL, "AKIAWAITS", "secret", &app, &err));
	ck_assert(!registry_last_change(mt)->acknowledged);
	ck_assert_int_ge(registry_last_change(mt)->waited_us, 790 * US_PER_MS);
	ck_assert_int_ge(meta_spent(mt)->ack_wait_us, 790 * US_PER_MS);
	/* eventual: its own region alone, which it has stamped itself */
	set.metadata_consistency = "eventual";
	OK(registry_app_enable(mt, "AKIAWAITS", false, &err));
	ck_assert(registry_last_change(mt)->acknowledged);
	set.metadata_consistency = "acknowledged";
}
END_TEST

/* One region asked n times. */
static void
asks(const char *region, int n)
{
	char sql[100];

	snprintf(sql, sizeof(sql), "SELECT anvil_region_renew('%s')", region);
	for (int i = 0; i < n; i++)
		ck_assert(scratch_sql(scratch, "global", sql));
}

/* A change that us does not acknowledge. */
static const struct registry_change *
change_without_us(bool enabled)
{
	atomic_store(&keeper.ack_us, false);
	clock_sleep_us(50 * US_PER_MS);
	OK(registry_app_enable(mt, "AKIALOST", enabled, &err));
	return registry_last_change(mt);
}

START_TEST(test_lost_region_taxes_one_writer)
{
	const struct registry_change *c;
	struct region_info *list;
	struct tenant one;
	struct app_info app;
	size_t n;

	OK(registry_tenant_create(mt, arena, "one", NULL, &one, &err));
	asks("us", 3);
	OK(registry_app_import(mt, arena, "one", "", APP_FULL, "AKIALOST", "secret", &app, &err));
	/* the first waits for W, and marks it; the second, and one who waits with psql's change, do not wait */
	c = change_without_us(false);
	ck_assert(!c->acknowledged);
	ck_assert_str_eq(c->skipped, "");
	c = change_without_us(true);
	ck_assert(c->acknowledged);
	ck_assert_str_eq(c->skipped, "us");
	ck_assert_str_eq(meta_spent(mt)->ack_skipped, "us");
	OK(registry_wait(mt, &err));
	ck_assert_str_eq(registry_last_change(mt)->skipped, "us");
	OK(registry_region_list(mt, arena, &list, &n, &err));
	ck_assert(list[0].lost_us == 0 && list[1].lost_us > 0);
	/* it asks again: it is waited for again, and marked again */
	asks("us", 1);
	c = change_without_us(false);
	ck_assert(!c->acknowledged);
	ck_assert_str_eq(change_without_us(true)->skipped, "us");
	/* a mark holds in its epoch only */
	OK(registry_new_epoch(mt, "a test", &err));
	ck_assert(!registry_last_change(mt)->acknowledged);
	ck_assert_str_eq(change_without_us(false)->skipped, "us");
	/* one that leaves is waited for like any other: it may still trust what it cached */
	asks("us", 1);
	ck_assert(scratch_sql(scratch, "global", "UPDATE regions SET state = 'leaving', leaving_at = now() WHERE name = 'us'"));
	ck_assert(!change_without_us(true)->acknowledged);
	ck_assert_str_eq(change_without_us(false)->skipped, "us");
	ck_assert(scratch_sql(scratch, "global", "UPDATE regions SET state = 'active', leaving_at = NULL WHERE name = 'us'"));
}
END_TEST

static void *
asks_meanwhile(void *arg)
{
	(void)arg;
	for (int i = 0; i < 8; i++) {
		clock_sleep_us(100 * US_PER_MS);
		asks("us", 1);
	}
	return NULL;
}

START_TEST(test_region_that_asks_is_not_marked)
{
	struct tenant one;
	struct app_info app;
	pthread_t th;

	OK(registry_tenant_create(mt, arena, "one", NULL, &one, &err));
	OK(registry_app_import(mt, arena, "one", "", APP_FULL, "AKIALOST", "secret", &app, &err));
	asks("us", 1);
	ck_assert_int_eq(pthread_create(&th, NULL, asks_meanwhile, NULL), 0);
	ck_assert(!change_without_us(false)->acknowledged);
	ck_assert(!change_without_us(true)->acknowledged);
	ck_assert_int_eq(pthread_join(th, NULL), 0);
}
END_TEST

/* ---- what lies in memcached ---- */

/* All that the server holds, through a connection of our own: every key, then every value. */
static size_t
dump(char *buf, size_t size)
{
	char cmd[1024];
	FILE *f;
	size_t n;

	snprintf(cmd, sizeof(cmd), "python3 - '%s' <<'END'\n"
	    "import socket, sys, urllib.parse\n"
	    "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); f = s.makefile('rwb')\n"
	    "f.write(b'lru_crawler metadump all\\r\\n'); f.flush()\n"
	    "keys = []\n"
	    "for l in iter(f.readline, b'END\\r\\n'): keys.append(urllib.parse.unquote(l.split()[0].decode()[4:]))\n"
	    "for k in keys:\n"
	    "    f.write(b'get ' + k.encode() + b'\\r\\n'); f.flush()\n"
	    "    for l in iter(f.readline, b'END\\r\\n'): sys.stdout.buffer.write(l)\n"
	    "END", servers[0]);
	f = popen(cmd, "r");
	ck_assert_ptr_nonnull(f);
	n = fread(buf, 1, size, f);
	ck_assert_int_eq(pclose(f), 0);
	return n;
}

START_TEST(test_no_secret_lies_in_memcached)
{
	static char all[1 << 20];
	char secret[SECRET_LEN + 1];
	struct tenant one;
	struct app_info app;
	struct meta_found f;
	size_t n;

	OK(registry_tenant_create(mt, arena, "one", NULL, &one, &err));
	OK(registry_app_create(mt, arena, "one", "", APP_FULL, &app, secret, &err));
	wait_for_trust(mt, arena);
	OK(meta_find(mt, arena, app.access_key, NULL, &f, &err));
	(void)global_queries();
	OK(meta_find(mt, arena, app.access_key, NULL, &f, &err));
	ck_assert_int_eq(global_queries(), 0); /* it is there */
	n = dump(all, sizeof(all));
	ck_assert_msg(memmem(all, n, app.access_key, strlen(app.access_key)) != NULL, "the dump of %zu bytes lacks the app", n);
	ck_assert_ptr_null(memmem(all, n, secret, SECRET_LEN));
	ck_assert_ptr_null(memmem(all, n, secret, SECRET_LEN / 2));
}
END_TEST

/* Another version's value, or none of ours, where a value is looked for: a miss, and then there is a good one again. */
START_TEST(test_values_that_cannot_be_read)
{
	struct event_clock now = { .n = UINT64_C(1) << 40 }; /* not old by any slot */
	struct cache_key key = { EVENT_KIND_BUCKET, SPAN("versions") };
	int64_t before;
	static const struct {
		const char *data;
		size_t len;
	} rows[] = {
		{ "\xb0", 1 },      /* the format before ours */
		{ "\xb2 later", 7 },
		{ "\xb1", 1 },      /* ours, cut short */
		{ "\xa1", 1 },      /* an app's */
		{ "", 0 },
		{ "\xb1\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 22 },
	};

	make_bucket("versions");
	wait_for_trust(mt, arena);
	memcpy(now.epoch, registry_last_change(mt)->at.epoch, EPOCH_LEN);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cache_set(registry_cache(mt), &key, &now, false, (struct span){ rows[i].data, rows[i].len });
		before = metric_get(M_CACHE_FORMAT);
		(void)global_queries();
		ck_assert_int_eq(find("versions"), 1);
		ck_assert_msg(global_queries() == 1, "row %zu was believed", i);
		ck_assert_int_gt(metric_get(M_CACHE_FORMAT), before);
		ck_assert_int_eq(find("versions"), 1);
		ck_assert_int_eq(global_queries(), 0);
	}
}
END_TEST

/* ---- crowds ---- */

#define CROWD_THREADS 16
struct crowd { /* shared by processes */
	atomic_int ready; /* processes that trust their pages */
	atomic_bool go;
	atomic_int found, absent, failed;
};
struct crowd_thread {
	pthread_t id;
	struct crowd *crowd;
	struct meta *meta;
	const char *bucket;
};

static struct crowd *
crowd_new(void)
{
	struct crowd *c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert(c != MAP_FAILED);
	return c;
}

static void *
crowd_find(void *arg)
{
	struct crowd_thread *me = arg;
	struct arena *a = arena_new(1 << 20);
	struct meta_thread *t;
	struct meta_found f;
	struct err e = { 0 };

	if (meta_thread_new(me->meta, &t, &e) != 0)
		abort();
	while (!atomic_load(&me->crowd->go))
		clock_sleep_us(US_PER_MS);
	if (meta_find(t, a, NULL, me->bucket, &f, &e) != 0)
		atomic_fetch_add(&me->crowd->failed, 1);
	else
		atomic_fetch_add(f.has_bucket ? &me->crowd->found : &me->crowd->absent, 1);
	meta_thread_free(t);
	arena_free(a);
	return NULL;
}

/* A worker process of n threads, each of which asks for the bucket once. */
static pid_t
crowd_process(struct crowd *c, const char *bucket, int n)
{
	struct crowd_thread t[CROWD_THREADS];
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid != 0)
		return pid;
	open_meta(META_CACHE);
	for (int i = 0; i < n; i++) {
		t[i] = (struct crowd_thread){ .crowd = c, .meta = meta, .bucket = bucket };
		if (pthread_create(&t[i].id, NULL, crowd_find, &t[i]) != 0)
			abort();
	}
	wait_for_trust(mt, arena);
	atomic_fetch_add(&c->ready, 1);
	for (int i = 0; i < n; i++)
		pthread_join(t[i].id, NULL);
	_exit(0);
}

static void
wait_until_ready(struct crowd *c, int processes)
{
	for (int i = 0; i < 3000 && atomic_load(&c->ready) < processes; i++)
		clock_sleep_us(10 * US_PER_MS);
	ck_assert_int_eq(atomic_load(&c->ready), processes);
}

static void
ck_ended(const pid_t *pids, int n)
{
	for (int i = 0; i < n; i++) {
		int status;

		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
}

/* How often PostgreSQL was asked for a bucket since the last look. */
static int
bucket_reads(void)
{
	const char *n = scratch_query(scratch, "global", "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE query LIKE "
	    "'%LEFT JOIN bucket_rows%'");
	int reads = -1;

	ck_assert_int_eq(sscanf(n, "%d", &reads), 1);
	ck_assert(scratch_sql(scratch, "global", "SELECT pg_stat_statements_reset()"));
	return reads;
}

#define CROWD_PROCESSES 4

/* 0: a bucket that is there; 1: one that is not. */
START_TEST(test_a_crowd_reads_once)
{
	const char *bucket = _i == 0 ? "crowded" : "never-was";
	struct crowd *c = crowd_new();
	pid_t pids[CROWD_PROCESSES];

	make_bucket("crowded");
	for (int i = 0; i < CROWD_PROCESSES; i++)
		pids[i] = crowd_process(c, bucket, CROWD_THREADS);
	keeper_start(&keeper, &set);
	wait_until_ready(c, CROWD_PROCESSES);
	(void)bucket_reads();
	atomic_store(&c->go, true);
	ck_ended(pids, CROWD_PROCESSES);
	ck_assert_int_eq(bucket_reads(), 1);
	ck_assert_int_eq(atomic_load(_i == 0 ? &c->found : &c->absent), CROWD_PROCESSES * CROWD_THREADS);
	ck_assert_int_eq(atomic_load(&c->failed), 0);
}
END_TEST

static const char *
blocked_read(void)
{
	return scratch_query(scratch, "global", "SELECT max(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE "
	    "'%LEFT JOIN bucket_rows%'");
}

START_TEST(test_a_dead_reader_is_replaced_by_one)
{
	struct crowd *first = crowd_new(), *c = crowd_new();
	pid_t pids[CROWD_PROCESSES];
	struct db *lock;
	char sql[128];

	make_bucket("crowded");
	pids[0] = crowd_process(first, "crowded", 1);
	for (int i = 1; i < CROWD_PROCESSES; i++)
		pids[i] = crowd_process(c, "crowded", CROWD_THREADS);
	keeper_start(&keeper, &set);
	wait_until_ready(first, 1);
	wait_until_ready(c, CROWD_PROCESSES - 1);
	OK(db_acquire(meta->global, &lock, &err));
	OK(db_script(lock, "SET idle_in_transaction_session_timeout = 0", &err));
	OK(db_script(lock, "BEGIN; LOCK TABLE buckets IN ACCESS EXCLUSIVE MODE", &err));
	atomic_store(&first->go, true);
	for (int i = 0; i < 500 && blocked_read()[0] == '\0'; i++)
		clock_sleep_us(10 * US_PER_MS);
	snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%s, 5000)", blocked_read());
	ck_assert_int_eq(kill(pids[0], SIGKILL), 0);
	ck_assert_int_eq(waitpid(pids[0], NULL, 0), pids[0]);
	/* Its busy key is left behind, and its reading comes to nothing. */
	ck_assert(scratch_sql(scratch, "global", sql));
	OK(db_script(lock, "COMMIT", &err));
	db_release(lock);
	(void)bucket_reads();
	atomic_store(&c->go, true);
	ck_ended(pids + 1, CROWD_PROCESSES - 1);
	ck_assert_int_eq(bucket_reads(), 1);
	ck_assert_int_eq(atomic_load(&c->found), (CROWD_PROCESSES - 1) * CROWD_THREADS);
	ck_assert_int_eq(atomic_load(&c->failed), 0);
}
END_TEST

/* One who reads for others is awaited only where the cache could answer afterwards. */
START_TEST(test_no_waiting_without_trust)
{
	struct cache_key key = { EVENT_KIND_BUCKET, SPAN("lonely") };
	struct cache_claim claim = { 0 }, again = { 0 };
	int64_t waited = metric_get(M_CACHE_FILLS_WAITED), taken = metric_get(M_CACHE_TAKEN_OVER);

	make_bucket("lonely");
	keeper_stop(&keeper);
	scratch_memcached_verb(scratch, 0, "restart"); /* no page is left, and nobody makes one */
	for (int i = 0; i < 500 && cache_claim(registry_cache(mt), &key, &claim) != CLAIM_MINE; i++)
		clock_sleep_us(10 * US_PER_MS);
	(void)global_queries();
	ck_assert_int_eq(find("lonely"), 1);
	ck_assert_int_eq(global_queries(), 1);
	ck_assert_int_eq(metric_get(M_CACHE_FILLS_WAITED), waited);
	ck_assert_int_eq(metric_get(M_CACHE_TAKEN_OVER), taken);
	ck_assert_int_eq(cache_claim(registry_cache(mt), &key, &again), CLAIM_OTHER); /* it was let alone */
}
END_TEST

/* ---- cut off ---- */

/* How many lines of the log have this. */
static int
logged(const char *path, const char *what)
{
	FILE *f = fopen(path, "r");
	char line[1024];
	int n = 0;

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, what) != NULL;
	fclose(f);
	return n;
}

START_TEST(test_cut_off_refuses_or_serves)
{
	const char *path = arena_printf(arena, "%s/cut_off.log", scratch_dir(scratch));
	struct tenant one;
	struct meta_found f;
	enum bucket_made made;
	int64_t served = metric_get(M_CACHE_SERVED_OLD);

	OK(registry_tenant_create(mt, arena, "one", NULL, &one, &err));
	OK(meta_bucket_create(mt, arena, "cached", "eu", &one.id, &made, &err));
	wait_for_trust(mt, arena);
	ck_assert_int_eq(find("cached"), 1);
	keeper_stop(&keeper);
	scratch_pg_verb(scratch, "kill");
	/* still within F: what is cached is proved */
	OK(meta_find(mt, arena, NULL, "cached", &f, &err));
	ck_assert_int_eq(f.has_bucket, 1);
	FAILS(meta_find(mt, arena, NULL, "unknown", &f, &err), ERR_UNAVAILABLE);
	clock_sleep_us((set.metadata_trust_ms + 100) * US_PER_MS);
	FAILS(meta_find(mt, arena, NULL, "cached", &f, &err), ERR_UNAVAILABLE);
	set.metadata_when_cut_off = "serve";
	ck_assert_int_eq(log_open("test_find", LOG_WARN, path), 0);
	*meta_spent(mt) = (struct meta_spent){ 0 };
	for (int i = 0; i < 3; i++) {
		OK(meta_find(mt, arena, NULL, "cached", &f, &err));
		ck_assert_int_eq(f.has_bucket, 1);
	}
	ck_assert_int_eq(meta_spent(mt)->unproved, 3);
	ck_assert_int_eq(metric_get(M_CACHE_SERVED_OLD), served + 3);
	ck_assert_int_gt(metric_get(M_SERVED_OLD_AT), 0);
	ck_assert_int_eq(logged(path, "ev=serve.old "), 1);
	FAILS(meta_find(mt, arena, NULL, "unknown", &f, &err), ERR_UNAVAILABLE);
	set.metadata_cache_ttl_secs = 1;
	FAILS(meta_find(mt, arena, NULL, "cached", &f, &err), ERR_UNAVAILABLE);
	set.metadata_cache_ttl_secs = 300;
	set.metadata_when_cut_off = "refuse";
	scratch_pg_verb(scratch, "restart");
	keeper_start(&keeper, &set);
	for (int i = 0; i < 200 && meta_find(mt, arena, NULL, "cached", &f, &err) != 0; i++) {
		err_clear(&err);
		clock_sleep_us(20 * US_PER_MS);
	}
	wait_for_trust(mt, arena);
	/* what is proved ends it, told once */
	*meta_spent(mt) = (struct meta_spent){ 0 };
	for (int i = 0; i < 200 && logged(path, "ev=serve.old_end ") == 0; i++) {
		OK(meta_find(mt, arena, NULL, "cached", &f, &err));
		clock_sleep_us(20 * US_PER_MS);
	}
	OK(meta_find(mt, arena, NULL, "cached", &f, &err));
	ck_assert_int_eq(logged(path, "ev=serve.old_end values=3 "), 1);
	ck_assert_int_eq(logged(path, "ev=serve.old "), 1);
	ck_assert_int_eq(meta_spent(mt)->unproved, 0);
	ck_assert_int_eq(log_open("test_find", LOG_ERROR, "/dev/null"), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("find");
	TCase *cached = tcase_create("cached"), *crowds = tcase_create("crowds");

	signal(SIGPIPE, SIG_IGN);
	tcase_add_unchecked_fixture(cached, start_all, NULL);
	tcase_add_checked_fixture(cached, begin_cached, end);
	tcase_set_timeout(cached, 120);
	tcase_add_test(cached, test_find_hit_miss_negative);
	tcase_add_test(cached, test_change_by_psql_is_seen);
	tcase_add_test(cached, test_documents_of_buckets);
	tcase_add_test(cached, test_writer_waits_for_the_other_region);
	tcase_add_test(cached, test_lost_region_taxes_one_writer);
	tcase_add_test(cached, test_region_that_asks_is_not_marked);
	tcase_add_test(cached, test_no_secret_lies_in_memcached);
	tcase_add_test(cached, test_values_that_cannot_be_read);
	tcase_add_test(cached, test_no_waiting_without_trust);
	tcase_add_test(cached, test_cut_off_refuses_or_serves);
	suite_add_tcase(s, cached);
	tcase_add_unchecked_fixture(crowds, start_all, end_all);
	tcase_add_checked_fixture(crowds, begin, end);
	tcase_set_timeout(crowds, 120);
	tcase_add_loop_test(crowds, test_a_crowd_reads_once, 0, 2);
	tcase_add_test(crowds, test_a_dead_reader_is_replaced_by_one);
	suite_add_tcase(s, crowds);
	return suite_run(s);
}
