/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_clock.c - the global schema: every change of what is cached
 * makes its events, by whatever means; numbers have no gaps and follow the
 * commits; a row and the clock of one SELECT belong together; epochs.
 */
#include "base/base.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "meta/db.h"
#include "meta/migrate.h"
#include "tests/lib/scratch.h"
#include "tests/unit/suite_help.h"

static struct scratch *scratch;
static struct settings settings;
static struct arena *arena;
static struct err err;

#define T1 "00000000-0000-4000-8000-000000000001"
#define T2 "00000000-0000-4000-8000-000000000002"
#define B1 "00000000-0000-4000-8000-0000000000b1"
#define P1 "00000000-0000-4000-8000-0000000000c1"
#define P2 "00000000-0000-4000-8000-0000000000c2"
#define SECRET "repeat('s', 60)::bytea"

/* No region holds any trust: only then may its row go, or be called another name. */
#define ALL_LOST \
	"INSERT INTO region_renewals (region, renewal, lost_at, lost_epoch) SELECT name, 1, 1, epoch FROM regions, event_clock " \
	"ON CONFLICT (region) DO UPDATE SET lost_at = region_renewals.renewal, lost_epoch = excluded.lost_epoch; "

static void
start_all(void)
{
	static const char *const options[] = { "wal_writer_delay=10s", "client_min_messages=error",
		"max_connections=200", NULL };
	int applied;

	if (scratch != NULL)
		return; /* by the other case */
	scratch = scratch_new();
	(void)scratch_pg(scratch, options);
	/* An ordinary user owns the database: nothing here needs a superuser. */
	ck_assert(scratch_sql(scratch, "postgres", "CREATE ROLE anvil LOGIN; CREATE ROLE writer LOGIN"));
	settings.global_dsn = scratch_database(scratch, "clocktest");
	ck_assert(scratch_sql(scratch, "postgres", "ALTER DATABASE clocktest OWNER TO anvil"));
	settings.global_dsn = strstr(settings.global_dsn, "host=");
	{
		static char dsn[512];

		snprintf(dsn, sizeof(dsn), "%s user=anvil", settings.global_dsn);
		settings.global_dsn = dsn;
	}
	settings.db_connect_timeout_s = 5;
	if (log_open("test_clock", LOG_ERROR, "/dev/null") != 0)
		abort();
	err_clear(&err);
	if (migrate_apply(&settings, 'g', &applied, &err) != 0) {
		fprintf(stderr, "migrate: %s\n", err.detail);
		abort();
	}
	ck_assert(scratch_sql(scratch, "clocktest",
	    "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO writer;"
	    "REVOKE ALL ON event_clock, metadata_events FROM writer"));
}

static void
end_all(void)
{
	scratch_free(scratch);
}

/* Each test begins with the same few rows. */
static const char first_rows[] =
    "SET client_min_messages = error; " ALL_LOST
	    "TRUNCATE regions, region_renewals, tenants, apps, policies, app_policies, buckets, bucket_configs CASCADE;"
	    "INSERT INTO regions (name, endpoint) VALUES ('eu', 'http://eu.test'), ('us', 'http://us.test');"
	    "INSERT INTO tenants (id, name, canonical_id) VALUES ('" T1 "', 'one', repeat('a', 64)), ('" T2 "', 'two', repeat('b', 64));"
	    "INSERT INTO apps (access_key, name, tenant_id, sealed_secret) VALUES ('KEY1', '', '" T1 "', " SECRET "), ('KEY2', '', '" T1 "', " SECRET "),"
	    "  ('KEY3', '', '" T2 "', " SECRET ");"
	    "INSERT INTO policies (id, name, document) VALUES ('" P1 "', 'p1', '{}'), ('" P2 "', 'p2', '{}');"
	    "INSERT INTO app_policies VALUES ('KEY1', '" P1 "'), ('KEY3', '" P1 "');"
	    "INSERT INTO buckets (id, name, region, tenant_id) VALUES ('" B1 "', 'bucket-1', 'eu', '" T1 "');"
	    "INSERT INTO bucket_configs VALUES ('" B1 "', 'cors', '<x/>')";

static void
begin(void)
{
	arena = arena_new(1 << 24);
	err_clear(&err);
	ck_assert_msg(scratch_sql(scratch, "clocktest", first_rows), "the first rows");
}

static void
end(void)
{
	arena_free(arena);
}

static int64_t
clock_n(void)
{
	int64_t n = -1;
	const char *s = scratch_query(scratch, "clocktest", "SELECT n FROM event_clock");

	ck_assert_int_eq(sscanf(s, "%" SCNd64, &n), 1);
	return n;
}

/* What the numbers after n say, sorted. */
static const char *
events_after(int64_t n)
{
	char sql[300];

	snprintf(sql, sizeof(sql), "SELECT string_agg(e, ' ' ORDER BY e COLLATE \"C\") FROM (SELECT DISTINCT kind || ':' || key AS e "
	    "FROM metadata_events WHERE n > %" PRId64 ") x", n);
	return scratch_query(scratch, "clocktest", sql);
}

/* ---- each table and operation ---- */

static const struct {
	const char *name, *sql, *want;
	int numbers; /* that the clock advances */
} changes[] = {
	{ "region insert", "INSERT INTO regions (name, endpoint) VALUES ('ap', 'http://ap.test')", "r:regions", 1 },
	{ "region update", "UPDATE regions SET endpoint = 'http://other.test' WHERE name = 'us'", "r:regions", 1 },
	{ "region rename", ALL_LOST "UPDATE regions SET name = 'eu2' WHERE name = 'eu'", "b:bucket-1 r:regions", 1 },
	{ "region delete", ALL_LOST "DELETE FROM regions WHERE name = 'us'", "r:regions", 1 },
	{ "tenant insert", "INSERT INTO tenants (name, canonical_id) VALUES ('three', repeat('c', 64))", "", 0 },
	{ "tenant disable", "UPDATE tenants SET enabled = false WHERE name = 'one'", "a:KEY1 a:KEY2 b:bucket-1", 1 },
	{ "tenant rename", "UPDATE tenants SET name = 'zwei' WHERE name = 'two'", "a:KEY3", 1 },
	{ "tenant delete", "DELETE FROM tenants WHERE name = 'two'", "a:KEY3", 1 },
	{ "app insert", "INSERT INTO apps (access_key, name, tenant_id, sealed_secret) VALUES ('KEY9', '', '" T1 "', " SECRET ")", "a:KEY9", 1 },
	{ "app disable", "UPDATE apps SET enabled = false WHERE access_key = 'KEY1'", "a:KEY1", 1 },
	{ "app key changed", "UPDATE apps SET access_key = 'KEY7' WHERE access_key = 'KEY1'", "a:KEY1 a:KEY7", 1 },
	{ "app delete", "DELETE FROM apps WHERE access_key = 'KEY1'", "a:KEY1", 1 },
	{ "policy insert", "INSERT INTO policies (name, document) VALUES ('p3', '{}')", "", 0 },
	{ "policy update", "UPDATE policies SET document = '[]' WHERE name = 'p1'", "a:KEY1 a:KEY3", 1 },
	{ "policy update, carried by none", "UPDATE policies SET document = '[]' WHERE name = 'p2'", "a:", 1 },
	{ "attach", "INSERT INTO app_policies VALUES ('KEY2', '" P2 "')", "a:KEY2", 1 },
	{ "detach", "DELETE FROM app_policies WHERE access_key = 'KEY3'", "a:KEY3", 1 },
	{ "attachment moved", "UPDATE app_policies SET access_key = 'KEY2' WHERE access_key = 'KEY3'", "a:KEY2 a:KEY3", 1 },
	{ "bucket insert", "INSERT INTO buckets (name, region, tenant_id) VALUES ('bucket-2', 'us', '" T2 "')", "b:bucket-2", 1 },
	{ "bucket update", "UPDATE buckets SET routing_mode = 'relay'", "b:bucket-1", 1 },
	{ "bucket rename", "UPDATE buckets SET name = 'bucket-9'", "b:bucket-1 b:bucket-9", 1 },
	{ "bucket delete", "DELETE FROM buckets", "b:bucket-1 c:" B1 "/cors", 1 },
	{ "config insert", "INSERT INTO bucket_configs VALUES ('" B1 "', 'policy', '{}')", "b:bucket-1 c:" B1 "/policy", 1 },
	{ "config update", "UPDATE bucket_configs SET document = ''", "b:bucket-1 c:" B1 "/cors", 1 },
	{ "config delete", "DELETE FROM bucket_configs", "b:bucket-1 c:" B1 "/cors", 1 },
	{ "config of another kind", "UPDATE bucket_configs SET kind = 'acl'", "b:bucket-1 c:" B1 "/acl c:" B1 "/cors", 1 },
	{ "truncate configs", "TRUNCATE bucket_configs", "b:* c:*", 1 },
	{ "truncate buckets", "TRUNCATE buckets CASCADE", "b:* c:*", 1 },
	{ "truncate attachments", "TRUNCATE app_policies", "a:*", 1 },
	{ "truncate tenants", "TRUNCATE tenants CASCADE", "a:* b:* c:*", 1 },
	{ "truncate regions", ALL_LOST "TRUNCATE regions CASCADE", "b:* c:* r:*", 1 },
	{ "copy", "COPY buckets (name, region, tenant_id) FROM STDIN;\nbucket-3\teu\t" T1 "\nbucket-4\teu\t" T1 "\n\\.\n",
	    "b:bucket-3 b:bucket-4", 1 },
	{ "many statements, one number", "BEGIN; UPDATE apps SET name = 'x'; DELETE FROM bucket_configs; COMMIT",
	    "a:KEY1 a:KEY2 a:KEY3 b:bucket-1 c:" B1 "/cors", 1 },
	{ "two transactions, two numbers", "UPDATE apps SET name = 'x' WHERE access_key = 'KEY1'; UPDATE apps SET name = 'y' "
	    "WHERE access_key = 'KEY2'", "a:KEY1 a:KEY2", 2 },
	{ "rolled back", "BEGIN; UPDATE apps SET name = 'x'; ROLLBACK", "", 0 },
	{ "back to a savepoint", "BEGIN; UPDATE apps SET name = 'x' WHERE access_key = 'KEY1'; SAVEPOINT s; UPDATE buckets SET "
	    "routing_mode = 'relay'; ROLLBACK TO s; COMMIT", "a:KEY1", 1 },
	{ "numbered, then back to a savepoint", "BEGIN; SAVEPOINT s; UPDATE apps SET name = 'x' WHERE access_key = 'KEY1'; SELECT n "
	    "FROM anvil_event_flush(9); ROLLBACK TO s; UPDATE apps SET name = 'x' WHERE access_key = 'KEY2'; COMMIT", "a:KEY2", 1 },
	{ "numbered, then more", "BEGIN; UPDATE apps SET name = 'x' WHERE access_key = 'KEY1'; SELECT n FROM anvil_event_flush(9);"
	    "UPDATE tenants SET enabled = false WHERE name = 'two'; SELECT n FROM anvil_event_flush(9); COMMIT", "a:KEY1 a:KEY3", 1 },
	{ "constraints immediate", "BEGIN; SET CONSTRAINTS ALL IMMEDIATE; UPDATE tenants SET enabled = false; UPDATE buckets SET "
	    "routing_mode = 'relay'; COMMIT", "a:KEY1 a:KEY2 a:KEY3 b:bucket-1", 1 },
	{ "triggers of a replica", "SET session_replication_role = replica; UPDATE apps SET enabled = false WHERE access_key = 'KEY2'",
	    "a:KEY2", 1 },
	{ "truncate as a replica", "SET session_replication_role = replica; TRUNCATE bucket_configs", "b:* c:*", 1 },
	{ "asynchronous commit", "SET synchronous_commit = off; UPDATE apps SET enabled = false WHERE access_key = 'KEY2'", "a:KEY2", 1 },
	{ "another user", "SET ROLE writer; UPDATE apps SET enabled = false WHERE access_key = 'KEY2'", "a:KEY2", 1 },
	{ "operators are not cached", "INSERT INTO operators (name, password_hash) VALUES (gen_random_uuid()::text, '$y$')", "", 0 },
	{ "many apps of a tenant", "INSERT INTO apps (access_key, name, tenant_id, sealed_secret) SELECT 'MANY' || 1000 + i, '', '" T2 "', "
	    SECRET " FROM generate_series(1, 1000) i; UPDATE tenants SET enabled = false WHERE name = 'two'; DELETE FROM "
	    "metadata_events WHERE key LIKE 'MANY%'", "a:*", 2 },
	{ "a great many rows", "INSERT INTO buckets (name, region, tenant_id) SELECT 'many-' || i, 'eu', '" T1 "' FROM "
	    "generate_series(1, 5001) i", "*:*", 1 },
};

START_TEST(test_change_makes_events)
{
	int64_t before = clock_n(), after, pending;
	char sql[512];
	const char *said, *events;

	ck_assert_msg(scratch_sql(scratch, "clocktest", changes[_i].sql), "%s: the SQL failed", changes[_i].name);
	snprintf(sql, sizeof(sql), "SELECT c.n || ' ' || (SELECT count(*) FROM metadata_events WHERE n IS NULL OR epoch IS NULL) || ' ' || "
	    "coalesce((SELECT string_agg(e, ' ' ORDER BY e COLLATE \"C\") FROM (SELECT DISTINCT kind || ':' || key AS e "
	    "FROM metadata_events WHERE n > %" PRId64 ") x), '') FROM event_clock c", before);
	said = scratch_query(scratch, "clocktest", sql);
	ck_assert_int_eq(sscanf(said, "%" SCNd64 " %" SCNd64, &after, &pending), 2);
	events = strchr(strchr(said, ' ') + 1, ' ') + 1;
	ck_assert_msg(strcmp(events, changes[_i].want) == 0, "%s: events are \"%s\", wanted \"%s\"", changes[_i].name, events,
	    changes[_i].want);
	ck_assert_msg(after - before == changes[_i].numbers, "%s: the clock went from %" PRId64 " to %" PRId64, changes[_i].name, before,
	    after);
	ck_assert_int_eq(pending, 0);
}
END_TEST

static const struct {
	const char *name, *sql;
} refused[] = {
	{ "same name of a bucket", "INSERT INTO buckets (name, region, tenant_id) VALUES ('bucket-1', 'us', '" T2 "')" },
	{ "short name", "INSERT INTO buckets (name, region, tenant_id) VALUES ('ab', 'us', '" T2 "')" },
	{ "long name", "INSERT INTO buckets (name, region, tenant_id) VALUES (repeat('a', 64), 'us', '" T2 "')" },
	{ "upper case", "INSERT INTO buckets (name, region, tenant_id) VALUES ('Bucket', 'us', '" T2 "')" },
	{ "no such region", "INSERT INTO buckets (name, region, tenant_id) VALUES ('bucket-2', 'xx', '" T2 "')" },
	{ "id of a bucket", "UPDATE buckets SET id = gen_random_uuid()" },
	{ "canonical id", "INSERT INTO tenants (name, canonical_id) VALUES ('x', repeat('A', 64))" },
	{ "canonical id twice", "INSERT INTO tenants (name, canonical_id) VALUES ('x', repeat('a', 64))" },
	{ "tenant with buckets", "DELETE FROM tenants WHERE name = 'one'" },
	{ "region with buckets", "DELETE FROM regions WHERE name = 'eu'" },
	{ "region that may trust", "DELETE FROM regions WHERE name = 'us'" },
	{ "another name for one that may trust", "UPDATE regions SET name = 'them' WHERE name = 'us'" },
	{ "regions that may trust", "TRUNCATE regions CASCADE" },
	{ "policy that is carried", "DELETE FROM policies WHERE name = 'p1'" },
	{ "policy that is no JSON", "INSERT INTO policies (name, document) VALUES ('p4', 'nothing')" },
	{ "status", "UPDATE buckets SET status = 'gone'" },
	{ "leaving without a time", "UPDATE regions SET state = 'leaving'" },
	{ "second clock", "INSERT INTO event_clock SELECT false, epoch, n, xid, changed_at, epoch_since, epoch_reason, "
	    "system_identifier, timeline, filenode, database FROM event_clock" },
};

START_TEST(test_constraints_refuse)
{
	char sql[700];
	const char *said;

	snprintf(sql, sizeof(sql), "DO $$ BEGIN %s; RAISE EXCEPTION 'accepted'; EXCEPTION WHEN integrity_constraint_violation OR "
	    "data_exception THEN RAISE NOTICE 'refused'; END $$; SELECT 'refused'", refused[_i].sql);
	said = scratch_query(scratch, "clocktest", sql);
	ck_assert_msg(strcmp(said, "refused") == 0, "%s: %s", refused[_i].name, said);
}
END_TEST

/* ---- sessions side by side ---- */

static struct db_pool *
pool(int n)
{
	/* limits that a loaded machine does not reach: 64 writers queue for the lock of one row */
	return db_pool_new('g', settings.global_dsn, n, 120000, 60);
}

static void
ck_script(struct db *db, const char *sql)
{
	ck_assert_msg(db_script(db, sql, &err) == 0, "%s: %s", sql, err.detail);
}

/*
 * Each row: session 1 changes something that others are part of; session 2 adds
 * such a part and commits first. Whoever then reads the part as of session 2's
 * number sees it without session 1's change, so session 1 must name it.
 */
static const struct {
	const char *name, *first, *second, *want;
} races[] = {
	{ "tenant and a new app", "UPDATE tenants SET enabled = false WHERE id = '" T1 "'",
	    "INSERT INTO apps (access_key, name, tenant_id, sealed_secret) VALUES ('KEY9', '', '" T1 "', " SECRET ")",
	    "a:KEY1 a:KEY2 a:KEY9 b:bucket-1" },
	{ "tenant and a new bucket", "UPDATE tenants SET enabled = false WHERE id = '" T1 "'",
	    "INSERT INTO buckets (name, region, tenant_id) VALUES ('bucket-2', 'us', '" T1 "')",
	    "a:KEY1 a:KEY2 b:bucket-1 b:bucket-2" },
	{ "policy and a new attachment", "UPDATE policies SET document = '[]' WHERE id = '" P1 "'",
	    "INSERT INTO app_policies VALUES ('KEY2', '" P1 "')", "a:KEY1 a:KEY2 a:KEY3" },
	{ "config and a renamed bucket", "UPDATE bucket_configs SET document = 'x'", "UPDATE buckets SET name = 'bucket-8'",
	    "b:bucket-8 c:" B1 "/cors" },
};

START_TEST(test_race_is_covered)
{
	struct db_pool *p = pool(2);
	struct db *one, *two;
	int64_t after_two;

	ck_assert_int_eq(db_acquire(p, &one, &err), 0);
	ck_assert_int_eq(db_acquire(p, &two, &err), 0);
	ck_script(one, "BEGIN");
	ck_script(one, races[_i].first);
	ck_script(two, races[_i].second);
	after_two = clock_n();
	ck_script(one, "COMMIT");
	ck_assert_msg(strcmp(events_after(after_two), races[_i].want) == 0, "%s: events are \"%s\", wanted \"%s\"", races[_i].name,
	    events_after(after_two), races[_i].want);
	db_release(one);
	db_release(two);
	db_pool_free(p);
}
END_TEST

#define WRITERS 64
#define READERS 64
#define WRITES 16
#define PSQLS 4  /* writers of the other kind: psql, by means of its own */
#define KEYS 3

static struct {
	struct db_pool *pool;
	pthread_mutex_t lock;
	int next_value;
	struct {
		int key, value;
		int64_t n;
	} wrote[WRITERS * WRITES];
	int n_wrote;
	int writing;
	atomic_int failed;
} run;

struct observation {
	int key, value;
	int64_t n;
};

static int
write_tx(struct db *db, void *arg, struct err *e)
{
	struct observation *o = arg;
	char sql[200];

	snprintf(sql, sizeof(sql), "UPDATE apps SET name = '%d' WHERE access_key = 'KEY%d'", o->value, o->key + 1);
	return db_script(db, sql, e);
}

static int
write_one(struct observation *o, struct err *e)
{
	struct db_param max = P_INT(5);
	struct arena *a = arena_new(1 << 16);
	struct db_last last = { .arena = a, .st = STMT_EVENT_FLUSH, .params = &max, .n_params = 1 };
	int rc = db_tx_last(run.pool, write_tx, o, &last, e);

	if (rc == 0)
		o->n = db_i64(last.rows, 0, 1);
	arena_free(a);
	return rc;
}

static void *
writer(void *arg)
{
	int me = (int)(intptr_t)arg;

	for (int i = 0; i < WRITES; i++) {
		struct observation o = { (me + i) % KEYS, 0, 0 };
		struct err e = { 0 };

		pthread_mutex_lock(&run.lock);
		o.value = ++run.next_value;
		pthread_mutex_unlock(&run.lock);
		if (write_one(&o, &e) != 0) {
			fprintf(stderr, "writer: %s\n", e.detail);
			atomic_fetch_add(&run.failed, 1);
			break;
		}
		pthread_mutex_lock(&run.lock);
		run.wrote[run.n_wrote].key = o.key;
		run.wrote[run.n_wrote].value = o.value;
		run.wrote[run.n_wrote++].n = o.n;
		pthread_mutex_unlock(&run.lock);
	}
	pthread_mutex_lock(&run.lock);
	run.writing--;
	pthread_mutex_unlock(&run.lock);
	return NULL;
}

/* Each takes one number, and touches nothing that the readers look at. # is the psql's own digit. */
static const char *const psql_changes[] = {
	"COPY buckets (name, region, tenant_id) FROM STDIN;\npsql-a-#\teu\t" T2 "\npsql-b-#\teu\t" T2 "\n\\.\n",
	"INSERT INTO bucket_configs SELECT id, 'policy', '{}' FROM buckets WHERE name = 'psql-a-#'",
	"SET session_replication_role = replica; UPDATE buckets SET routing_mode = 'relay' WHERE name IN ('psql-a-#', 'psql-b-#')",
	"BEGIN; SAVEPOINT s; UPDATE tenants SET name = 'never' WHERE id = '" T2 "'; ROLLBACK TO s; DELETE FROM bucket_configs WHERE kind = 'policy' "
	    "AND bucket_id = (SELECT id FROM buckets WHERE name = 'psql-a-#'); COMMIT",
	"DELETE FROM buckets WHERE name IN ('psql-a-#', 'psql-b-#')",
};

static void *
psql_writer(void *arg)
{
	char sql[400];

	for (size_t i = 0; i < ARRAY_LEN(psql_changes); i++) {
		snprintf(sql, sizeof(sql), "%s", psql_changes[i]);
		for (char *at = sql; (at = strchr(at, '#')) != NULL;)
			*at = (char)('0' + (intptr_t)arg);
		if (!scratch_sql(scratch, "clocktest", sql))
			atomic_fetch_add(&run.failed, 1);
	}
	return NULL;
}

#define OBSERVATIONS 20000
struct reader {
	pthread_t id;
	struct observation *seen;
	int n;
};

static void *
reader(void *arg)
{
	struct reader *me = arg;
	struct arena *a = arena_new(1 << 20);
	struct err e = { 0 };
	bool go_on = true;

	while (go_on && me->n < OBSERVATIONS) {
		char name[8];
		struct db_rows *r;
		struct observation *o = &me->seen[me->n++];

		o->key = me->n % KEYS;
		snprintf(name, sizeof(name), "KEY%d", o->key + 1);
		if (db_query(run.pool, a, STMT_APP_FIND, (const struct db_param[]){ P_TEXT(name) }, 1, &r, &e) != 0) {
			fprintf(stderr, "reader: %s\n", e.detail);
			atomic_fetch_add(&run.failed, 1);
			break;
		}
		o->n = db_i64(r, 0, 1);
		o->value = 0;
		(void)sscanf(db_text(r, 0, 3), "%d", &o->value);
		arena_reset(a);
		clock_sleep_us(20 * US_PER_MS); /* so that 64 of them leave the writers a processor */
		pthread_mutex_lock(&run.lock);
		go_on = run.writing > 0;
		pthread_mutex_unlock(&run.lock);
	}
	arena_free(a);
	return NULL;
}

#define NUMBERS (WRITERS * WRITES + PSQLS * (int)ARRAY_LEN(psql_changes))

/* The value of each key as of before + i, by what the writers were told. */
static int as_of[WRITERS * WRITES + PSQLS * ARRAY_LEN(psql_changes) + 1][KEYS];

static void
work_out_values(int64_t before)
{
	for (int i = 1; i <= NUMBERS; i++) {
		memcpy(as_of[i], as_of[i - 1], sizeof(as_of[i]));
		for (int k = 0; k < run.n_wrote; k++)
			if (run.wrote[k].n == before + i)
				as_of[i][run.wrote[k].key] = run.wrote[k].value;
	}
}

START_TEST(test_numbers_and_snapshots_under_writers)
{
	pthread_t w[WRITERS], ps[PSQLS];
	struct reader rd[READERS];
	int64_t before = clock_n();
	char sql[300];
	long checked = 0;
	struct arena *big = arena_new(READERS * (OBSERVATIONS * sizeof(struct observation) + 4096));

	run.pool = pool(WRITERS + READERS);
	run.writing = WRITERS;
	pthread_mutex_init(&run.lock, NULL);
	for (int i = 0; i < WRITERS; i++)
		ck_assert_int_eq(pthread_create(&w[i], NULL, writer, (void *)(intptr_t)i), 0);
	for (int i = 0; i < PSQLS; i++)
		ck_assert_int_eq(pthread_create(&ps[i], NULL, psql_writer, (void *)(intptr_t)i), 0);
	for (int i = 0; i < READERS; i++) {
		rd[i] = (struct reader){ .seen = arena_array(big, OBSERVATIONS, sizeof(struct observation)) };
		ck_assert_ptr_nonnull(rd[i].seen);
		ck_assert_int_eq(pthread_create(&rd[i].id, NULL, reader, &rd[i]), 0);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(w[i], NULL);
	for (int i = 0; i < PSQLS; i++)
		pthread_join(ps[i], NULL);
	for (int i = 0; i < READERS; i++)
		pthread_join(rd[i].id, NULL);
	ck_assert_int_eq(run.failed, 0);
	ck_assert_int_eq(run.n_wrote, WRITERS * WRITES);
	/* no gaps, nothing twice */
	ck_assert_int_eq(clock_n() - before, NUMBERS);
	snprintf(sql, sizeof(sql), "SELECT count(*) >= %d AND count(DISTINCT n) = %d AND max(n) - min(n) = %d AND count(DISTINCT epoch) = 1 "
	    "FROM metadata_events WHERE n > %" PRId64, NUMBERS, NUMBERS, NUMBERS - 1, before);
	ck_assert_str_eq(scratch_query(scratch, "clocktest", sql), "t");
	/* every reading is what the writers' numbers say: so numbers follow commits, and row and clock belong together */
	work_out_values(before);
	for (int i = 0; i < READERS; i++)
		for (int k = 0; k < rd[i].n; k++) {
			const struct observation *o = &rd[i].seen[k];

			ck_assert_int_ge(o->n, before);
			ck_assert_int_le(o->n, before + NUMBERS);
			ck_assert_msg(o->value == as_of[o->n - before][o->key], "KEY%d as of %" PRId64 " was %d, must be %d", o->key + 1,
			    o->n, o->value, as_of[o->n - before][o->key]);
			checked++;
		}
	ck_assert_int_gt(checked, 1000);
	db_pool_free(run.pool);
	arena_free(big);
}
END_TEST

/* One table out of a dump, into the database as it is now: what came and what was overwritten is named. */
START_TEST(test_restore_of_one_table)
{
	char cmd[1024];
	int64_t before;

	snprintf(cmd, sizeof(cmd), "h=$(cat '%s/pg/socket_dir') && pg_dump -h \"$h\" -U postgres -Fc -f '%s/dump' clocktest",
	    scratch_dir(scratch), scratch_dir(scratch));
	ck_assert_int_eq(system(cmd), 0);
	ck_assert(scratch_sql(scratch, "clocktest", "INSERT INTO buckets (name, region, tenant_id) VALUES ('bucket-2', 'us', '" T2 "');"
	    "DELETE FROM buckets WHERE name = 'bucket-1'"));
	before = clock_n();
	snprintf(cmd, sizeof(cmd), "h=$(cat '%s/pg/socket_dir') && pg_restore --data-only -t buckets -h \"$h\" -U postgres -d clocktest '%s/dump'",
	    scratch_dir(scratch), scratch_dir(scratch));
	ck_assert_int_eq(system(cmd), 0);
	ck_assert_str_eq(events_after(before), "b:bucket-1");
	ck_assert_int_eq(clock_n(), before + 1);
	/* The same in one transaction with the emptying that goes before. */
	snprintf(cmd, sizeof(cmd), "h=$(cat '%s/pg/socket_dir') && { echo 'BEGIN; TRUNCATE buckets CASCADE;'; pg_restore --data-only -t buckets "
	    "-f - '%s/dump'; echo 'COMMIT;'; } | psql -X -q -v ON_ERROR_STOP=1 -h \"$h\" -U postgres -d clocktest >/dev/null",
	    scratch_dir(scratch), scratch_dir(scratch));
	before = clock_n();
	ck_assert_int_eq(system(cmd), 0);
	ck_assert_str_eq(events_after(before), "b:* b:bucket-1 c:*");
	ck_assert_int_eq(clock_n(), before + 1);
}
END_TEST

/* ---- epochs, sources, the outbox ---- */

struct answer {
	bool primary, known;
	char epoch[16];
	int64_t n;
};

static struct answer
ask(struct db_pool *p, const char *region)
{
	struct db_rows *r;
	struct answer a = { 0 };

	err_clear(&err);
	ck_assert_msg(db_query(p, arena, STMT_CLOCK_SOURCE, (const struct db_param[]){ P_TEXT(region) }, 1, &r, &err) == 0, "%s",
	    err.detail);
	a.primary = db_bool(r, 0, 0);
	a.known = db_bool(r, 0, 1);
	memcpy(a.epoch, db_span(r, 0, 2).p, 16);
	a.n = db_i64(r, 0, 3);
	return a;
}

static const struct {
	const char *name, *sql;
} new_epochs[] = {
	{ "table rewritten", "VACUUM FULL event_clock" },
	{ "clock emptied", "TRUNCATE event_clock" },
	{ "clock deleted", "DELETE FROM event_clock" },
	{ "restored from another cluster", "UPDATE event_clock SET system_identifier = system_identifier + 1" },
	{ "promoted", "UPDATE event_clock SET timeline = '00000002'" },
	{ "copied database", "UPDATE event_clock SET database = 1" },
};

START_TEST(test_epoch_changes)
{
	struct db_pool *p = pool(1);
	struct answer before = ask(p, "eu"), after, again;

	ck_assert(before.primary && before.known);
	ck_assert(scratch_sql(scratch, "clocktest", new_epochs[_i].sql));
	after = ask(p, "eu");
	again = ask(p, "eu");
	ck_assert_msg(memcmp(before.epoch, after.epoch, 16) != 0, "%s: by a source", new_epochs[_i].name);
	ck_assert_mem_eq(after.epoch, again.epoch, 16);
	ck_assert_int_gt(after.n, 0);
	/* a writer that comes first does the same, and its event is of the new epoch */
	ck_assert(scratch_sql(scratch, "clocktest", new_epochs[_i].sql));
	ck_assert(scratch_sql(scratch, "clocktest", "UPDATE apps SET name = 'e' WHERE access_key = 'KEY1'"));
	ck_assert_str_eq(scratch_query(scratch, "clocktest", "SELECT count(*) FROM metadata_events m JOIN event_clock c ON m.epoch = c.epoch "
	    "AND m.n = c.n WHERE m.key = 'KEY1'"), "1");
	ck_assert_msg(memcmp(ask(p, "eu").epoch, after.epoch, 16) != 0, "%s: by a writer", new_epochs[_i].name);
	db_pool_free(p);
}
END_TEST

START_TEST(test_source_knows_active_regions_only)
{
	struct db_pool *p = pool(1);

	ck_assert(ask(p, "us").known);
	ck_assert(!ask(p, "ap").known);
	ck_assert(scratch_sql(scratch, "clocktest", "UPDATE regions SET state = 'leaving', leaving_at = now() WHERE name = 'us'"));
	ck_assert(!ask(p, "us").known);
	db_pool_free(p);
}
END_TEST

START_TEST(test_clock_that_went_back)
{
	struct db_pool *p = pool(1);
	struct answer now = ask(p, "eu"), then;
	struct db_rows *r;
	struct db_param params[] = { { DB_UUID, now.epoch, 16, 0 }, P_INT(now.n + 5) };

	/* seen less than there is: nothing happens */
	params[1] = P_INT(now.n);
	ck_assert_int_eq(db_query(p, arena, STMT_CLOCK_WENT_BACK, params, 2, &r, &err), 0);
	ck_assert(!db_bool(r, 0, 0));
	params[1] = P_INT(now.n + 5);
	ck_assert_int_eq(db_query(p, arena, STMT_CLOCK_WENT_BACK, params, 2, &r, &err), 0);
	ck_assert(db_bool(r, 0, 0));
	then = ask(p, "eu");
	ck_assert_mem_ne(now.epoch, then.epoch, 16);
	/* a second source with the same memory finds it done */
	ck_assert_int_eq(db_query(p, arena, STMT_CLOCK_WENT_BACK, params, 2, &r, &err), 0);
	ck_assert(!db_bool(r, 0, 0));
	db_pool_free(p);
}
END_TEST

START_TEST(test_outbox_is_read_in_whole_numbers)
{
	struct db_pool *p = pool(1);
	struct answer from = ask(p, "eu");
	struct db_rows *r;

	ck_assert(scratch_sql(scratch, "clocktest", "UPDATE apps SET name = 'o'; UPDATE apps SET name = 'p' WHERE access_key = 'KEY1'"));
	/* three events share the first number: asked for one, all three come, and not the next number */
	ck_assert_int_eq(db_query(p, arena, STMT_EVENTS_AFTER,
	    (const struct db_param[]){ { DB_UUID, from.epoch, 16, 0 }, P_INT(from.n), P_INT(1) }, 3, &r, &err), 0);
	ck_assert_uint_eq(db_count(r), 3);
	ck_assert_int_eq(db_i64(r, 2, 0), from.n + 1);
	ck_assert_str_eq(db_text(r, 0, 1), "a");
	ck_assert_int_eq(db_query(p, arena, STMT_EVENTS_AFTER,
	    (const struct db_param[]){ { DB_UUID, from.epoch, 16, 0 }, P_INT(from.n + 1), P_INT(100) }, 3, &r, &err), 0);
	ck_assert_uint_eq(db_count(r), 1);
	db_pool_free(p);
}
END_TEST

static int64_t
outbox_query(const char *what)
{
	int64_t n;

	ck_assert(parse_i64(span_of(scratch_query(scratch, "clocktest", what)), 0, INT64_MAX, &n));
	return n;
}

static void
heard(struct db_pool *p, const char *region, const struct answer *at, int64_t n, int64_t age_ms)
{
	struct db_param par[] = { P_TEXT(region), { DB_UUID, at->epoch, 16, 0 }, P_INT(n), P_INT(age_ms) };

	ck_assert_int_eq(db_query(p, arena, STMT_REGION_HEARD, par, 4, NULL, &err), 0);
}

static int64_t
prune(struct db_pool *p, int64_t keep_s, int64_t silent_s, int64_t max, int batch, const char *given_up)
{
	struct db_param par[] = { P_INT(keep_s), P_INT(silent_s), P_INT(max), P_INT(batch) };
	const char *const *list;
	struct db_rows *r;

	ck_assert_int_eq(db_query(p, arena, STMT_OUTBOX_PRUNE, par, 4, &r, &err), 0);
	list = db_texts(r, 0, 2, arena);
	ck_assert_str_eq(list[0] == NULL ? "" : list[0], given_up);
	ck_assert(list[0] == NULL || list[1] == NULL);
	return db_i64(r, 0, 0);
}

/* Of the oldest numbers: n + 1 is the first. */
#define ROWS_OF "SELECT count(*) FROM metadata_events e, (SELECT min(n) - 1 AS n FROM metadata_events) o WHERE e.n = o."
#define OLDEST "SELECT coalesce(min(n), 0) FROM metadata_events"

START_TEST(test_outbox_is_pruned_by_what_regions_applied)
{
	struct db_pool *p = pool(1);
	struct answer now;
	int64_t n, before, first, second;

	ck_assert(scratch_sql(scratch, "clocktest", ALL_LOST "DELETE FROM regions WHERE name NOT IN ('eu', 'us') AND NOT EXISTS "
	    "(SELECT FROM buckets b WHERE b.region = regions.name); UPDATE regions SET state = 'active', leaving_at = NULL"));
	for (int i = 0; i < 20; i++)
		ck_assert(scratch_sql(scratch, "clocktest", "UPDATE apps SET name = name || 'x'"));
	now = ask(p, "eu");
	n = (int64_t)now.n;
	(void)prune(p, 0, 3600, 1000000, 100000, ""); /* what other tests left in other epochs */
	/* Nobody has acknowledged: nothing goes, whatever its age. */
	ck_assert_int_eq(prune(p, 0, 3600, 1000000, 100000, ""), 0);
	/* One has: the other is waited for. */
	heard(p, "eu", &now, n, 0);
	ck_assert_int_eq(prune(p, 0, 3600, 1000000, 100000, ""), 0);
	heard(p, "us", &now, n - 5, 0);
	ck_assert_int_eq(prune(p, 3600, 3600, 1000000, 100000, ""), 0); /* too young */
	ck_assert_int_gt(prune(p, 0, 3600, 1000000, 100000, ""), 0);
	ck_assert_int_eq(outbox_query(OLDEST), n - 4);
	/* What was heard before does not undo what was heard later; nor does a lower number. */
	heard(p, "us", &now, n - 10, 0);
	ck_assert_int_eq(outbox_query("SELECT n FROM region_progress WHERE region = 'us'"), n - 5);
	/* Silent for too long: given up, and not waited for. It is heard of again: waited for. */
	ck_assert(scratch_sql(scratch, "clocktest", "UPDATE region_progress SET heard_at = now() - interval '2 hours' WHERE region = 'us'"));
	before = outbox_query("SELECT count(*) FROM metadata_events");
	ck_assert_int_eq(prune(p, 3600, 3600, 1000000, 100000, "us"), 0);
	heard(p, "us", &now, n - 5, 60000);
	ck_assert_int_eq(prune(p, 0, 3600, 1000000, 100000, ""), 0);
	ck_assert(scratch_sql(scratch, "clocktest", "UPDATE region_progress SET heard_at = now() - interval '2 hours' WHERE region = 'us'"));
	/* Batches, but never a part of a number. */
	first = outbox_query(ROWS_OF "n + 1");
	ck_assert_int_gt(first, 1);
	ck_assert_int_eq(prune(p, 0, 3600, 1000000, 1, "us"), first);
	before -= first;
	first = outbox_query(ROWS_OF "n + 1");
	second = outbox_query(ROWS_OF "n + 2");
	ck_assert_int_eq(prune(p, 0, 3600, 1000000, (int)first + 1, "us"), first + second);
	ck_assert_int_eq(prune(p, 0, 3600, 1000000, 100000, "us"), before - first - second);
	ck_assert_int_eq(outbox_query("SELECT count(*) FROM metadata_events"), 0);

	/* Too many go whoever waits; another epoch's are of no use to anybody. */
	heard(p, "us", &now, n, 0);
	for (int i = 0; i < 10; i++)
		ck_assert(scratch_sql(scratch, "clocktest", "UPDATE apps SET name = name || 'y'"));
	ck_assert_int_eq(prune(p, 3600, 3600, 1000000, 100000, ""), 0);
	before = outbox_query("SELECT count(*) FROM metadata_events");
	ck_assert_int_gt(prune(p, 3600, 3600, before / 2, 100000, ""), 0);
	first = outbox_query("SELECT count(*) FROM metadata_events");
	ck_assert(first <= before / 2 && first > 0);
	ck_assert(scratch_sql(scratch, "clocktest", "SELECT anvil_epoch_begin('a test')"));
	ck_assert_int_eq(prune(p, 3600, 3600, 1000000, 100000, ""), first);
	ck_assert_int_eq(outbox_query("SELECT count(*) FROM metadata_events"), 1);
	db_pool_free(p);
}
END_TEST

/* However long the outbox is, a batch reads it by its indexes. */
START_TEST(test_outbox_is_pruned_by_index)
{
	struct db_pool *p = pool(1);
	struct answer now = ask(p, "eu");
	int64_t scans;

	heard(p, "eu", &now, (int64_t)now.n, 0);
	heard(p, "us", &now, (int64_t)now.n, 0);
	ck_assert(scratch_sql(scratch, "clocktest", "SET session_replication_role = replica; "
	    "ALTER TABLE metadata_events DISABLE TRIGGER ALL; INSERT INTO metadata_events (epoch, n, kind, key) "
	    "SELECT epoch, n + g, 'a', 'k' FROM event_clock, generate_series(1, 50000) g; "
	    "ALTER TABLE metadata_events ENABLE ALWAYS TRIGGER metadata_events_number; ANALYZE metadata_events"));
	scans = outbox_query("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'metadata_events'");
	for (int i = 0; i < 5; i++)
		ck_assert_int_gt(prune(p, 3600, 3600, 40000 - 2000 * i, 1000, ""), 500);
	db_pool_free(p); /* its counts are told when the connection ends */
	ck_assert(scratch_sql(scratch, "clocktest", "SELECT pg_sleep(0.3)"));
	ck_assert_int_eq(outbox_query("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'metadata_events'"), scans);
	ck_assert(scratch_sql(scratch, "clocktest", "DELETE FROM metadata_events WHERE n > (SELECT n FROM event_clock)"));
}
END_TEST

/* A crash of the server right after an acknowledged asynchronous commit loses neither it nor the clock. */
START_TEST(test_commit_is_durable_though_asynchronous)
{
	int64_t n;

	ck_assert(scratch_sql(scratch, "clocktest", "SET synchronous_commit = off; UPDATE apps SET name = 'kept' WHERE access_key = 'KEY1'"));
	n = clock_n();
	scratch_pg_verb(scratch, "kill");
	scratch_pg_verb(scratch, "restart");
	ck_assert_int_eq(clock_n(), n);
	ck_assert_str_eq(scratch_query(scratch, "clocktest", "SELECT name FROM apps WHERE access_key = 'KEY1'"), "kept");
}
END_TEST

/* What a request waits for must not depend on how many others there are. */
static const struct {
	enum stmt st;
	const char *types, *values;
} hot[] = {
	{ STMT_BUCKET_FIND, "text", "'many-500'" },
	{ STMT_APP_FIND, "text", "'MANY500'" },
	{ STMT_BUCKET_LIST_OWN, "uuid, text, text, text, int", "'" T2 "', '', 'many-5', NULL, 100" },
	{ STMT_BUCKET_FIND_ID, "uuid", "'" T1 "'" },
	{ STMT_EVENTS_AFTER, "uuid, bigint, int", "'" T1 "', 5, 100" },
};

START_TEST(test_hot_statements_use_indexes)
{
	static const char make[] = "INSERT INTO tenants (name, canonical_id) SELECT 'many-' || i, lpad(to_hex(i), 64, '0') FROM "
	    "generate_series(1, 3000) i; INSERT INTO apps (access_key, name, tenant_id, sealed_secret) SELECT 'MANY' || i, '', t.id, " SECRET
	    " FROM generate_series(1, 3000) i JOIN tenants t ON t.name = 'many-' || i; INSERT INTO buckets (name, region, tenant_id) SELECT "
	    "'many-' || i, 'eu', t.id FROM generate_series(1, 3000) i JOIN tenants t ON t.name = 'many-' || i; INSERT INTO metadata_events "
	    "(epoch, n, kind, key) SELECT '" T1 "', i, 'a', 'x' FROM generate_series(1000000, 1003000) i;"
	    "ANALYZE tenants, apps, buckets, metadata_events, policies, app_policies";

	ck_assert(scratch_sql(scratch, "clocktest", make));
	for (size_t i = 0; i < ARRAY_LEN(hot); i++) {
		const char *sql = arena_printf(arena, "SET plan_cache_mode = force_generic_plan; PREPARE q (%s) AS %s; DO $$ DECLARE l text; "
		    "all_of text := ''; BEGIN FOR l IN EXPLAIN EXECUTE q(%s) LOOP all_of := all_of || l || ' / '; END LOOP; IF all_of ~ "
		    "'Seq Scan on (buckets|apps|tenants|metadata_events)' THEN RAISE EXCEPTION '%%', all_of; END IF; END $$", hot[i].types,
		    stmt_defs[hot[i].st].sql, hot[i].values);

		ck_assert_msg(scratch_sql(scratch, "clocktest", sql), "%s does not use an index", stmt_defs[hot[i].st].name);
	}
	ck_assert(scratch_sql(scratch, "clocktest", "DELETE FROM metadata_events WHERE n >= 1000000"));
}
END_TEST

START_TEST(test_every_statement_of_the_global_database_prepares)
{
	struct db_pool *p = pool(1);
	struct db *db;

	ck_assert_int_eq(db_acquire(p, &db, &err), 0);
	for (int i = 0; i < STMT_COUNT; i++) {
		if (stmt_defs[i].database == 'r')
			continue;
		err_clear(&err);
		ck_assert_msg(db_check(db, (enum stmt)i, &err) == 0, "%s: %s", stmt_defs[i].name, err.detail);
	}
	db_release(db);
	db_pool_free(p);
}
END_TEST

/* Numbering many events reads each a few times, not each for each: what is dead in the index of pending ones counts, too. */
START_TEST(test_numbering_is_linear)
{
	static const char many[] = "ANALYZE metadata_events; SELECT pg_stat_force_next_flush(); SELECT pg_stat_reset(); "
	    "INSERT INTO apps (access_key, name, tenant_id, sealed_secret) SELECT 'LINE' || i, '', '" T2 "', " SECRET
	    " FROM generate_series(1, 2000) i; SELECT pg_stat_force_next_flush()";
	int64_t n = -1;

	ck_assert(scratch_sql(scratch, "clocktest", many));
	ck_assert_int_eq(sscanf(scratch_query(scratch, "clocktest", "SELECT idx_tup_read FROM pg_stat_user_indexes "
	    "WHERE indexrelname = 'metadata_events_pending'"), "%" SCNd64, &n), 1);
	ck_assert_msg(n >= 0 && n < 40 * 2000, "2,000 events: %" PRId64 " entries of the index were read", n);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("clock");
	TCase *tc = tcase_create("clock"), *many = tcase_create("many");

	tcase_add_unchecked_fixture(tc, start_all, NULL);
	tcase_add_checked_fixture(tc, begin, end);
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, test_change_makes_events, 0, ARRAY_LEN(changes));
	tcase_add_loop_test(tc, test_constraints_refuse, 0, ARRAY_LEN(refused));
	tcase_add_loop_test(tc, test_race_is_covered, 0, ARRAY_LEN(races));
	tcase_add_loop_test(tc, test_epoch_changes, 0, ARRAY_LEN(new_epochs));
	tcase_add_test(tc, test_source_knows_active_regions_only);
	tcase_add_test(tc, test_clock_that_went_back);
	tcase_add_test(tc, test_outbox_is_read_in_whole_numbers);
	tcase_add_test(tc, test_outbox_is_pruned_by_what_regions_applied);
	tcase_add_test(tc, test_outbox_is_pruned_by_index);
	tcase_add_test(tc, test_commit_is_durable_though_asynchronous);
	tcase_add_test(tc, test_numbering_is_linear);
	tcase_add_test(tc, test_hot_statements_use_indexes);
	tcase_add_test(tc, test_every_statement_of_the_global_database_prepares);
	suite_add_tcase(s, tc);
	tcase_add_unchecked_fixture(many, start_all, end_all);
	tcase_add_checked_fixture(many, begin, end);
	tcase_set_timeout(many, 300);
	tcase_add_test(many, test_restore_of_one_table);
	tcase_add_test(many, test_numbers_and_snapshots_under_writers);
	suite_add_tcase(s, many);
	return suite_run(s);
}
