/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_quota.c - accounts of buckets and their quotas, against a real PostgreSQL:
 * an account is what the rows are, whatever changes them; the limit is exact, however many
 * write at once; and nobody waits in a circle for it.
 */
#include "tests/unit/region_help.h"

#include <pthread.h>

#include "meta/quota.h"
#include "meta/upload.h"
#include "tests/unit/suite_help.h"

#define KEY SPAN("k")
#define WRITERS 16

static struct bucket b;

static void
begin(void)
{
	region_begin();
	b = new_bucket();
}

/* Sets it and has it in force. */
static enum quota_settled
quota(int64_t bytes, int64_t objects)
{
	struct quota q = { bytes, objects };
	enum quota_settled settled;
	enum config_done done;

	OK(meta_quota_set(thread, arena, &b.id, &q, &done, &err));
	ck_assert_int_eq(done, CONFIG_DONE);
	OK(meta_quota_settle(thread, arena, &b.id, true, &settled, &err));
	return settled;
}

/* The account is what the rows are, and so much. */
static void
holds(int64_t bytes, int64_t objects)
{
	int64_t lacks_bytes, lacks_objects;
	struct usage u;

	OK(meta_usage_count(thread, arena, &b.id, false, &lacks_bytes, &lacks_objects, &err));
	ck_assert_int_eq(lacks_bytes, 0);
	ck_assert_int_eq(lacks_objects, 0);
	OK(meta_usage(thread, arena, &b.id, &u, &err));
	ck_assert(u.has_account && u.counted);
	ck_assert_int_eq(u.bytes, bytes);
	ck_assert_int_eq(u.objects, objects);
}

static int
put_as(struct meta_thread *t, struct arena *a, const char *key, int64_t size, struct err *e)
{
	struct object o = { .key = span_of(key), .size = size, .etag = "etag", .has_blob = true };
	struct object_placed placed;
	enum object_wrote wrote;

	uuid_random(&o.blob_id);
	return meta_object_put(t, a, &b, &o, NULL, &wrote, &placed, e);
}

static void
put(const char *key, int64_t size)
{
	OK(put_as(thread, arena, key, size, &err));
}

static void
refused(int rc)
{
	ck_assert_int_ne(rc, 0);
	ck_assert_msg(err.code == ERR_QUOTA, "%s %s", err_kind_name(err.code), err.detail);
	err_clear(&err);
}

static void
drop(const char *key)
{
	enum object_wrote wrote;
	bool was_there;

	OK(delete_object(thread, arena, &b, span_of(key), NULL, &wrote, &was_there, &err));
}

static void
set_versioning(const char *state)
{
	enum config_done done;

	OK(meta_bucket_set_versioning(thread, arena, &b, state, NULL, &done, &err));
	ck_assert_int_eq(done, CONFIG_DONE);
}

static struct uuid
upload(void)
{
	struct object o = { .key = KEY };
	enum upload_did did;
	struct uuid id;

	OK(meta_upload_create(thread, arena, &b, &o, &id, &did, &err));
	return id;
}

static int
part(const struct uuid *id, int number, int64_t size, const char *etag)
{
	struct object in = { .size = size, .etag = etag, .has_blob = true };
	enum upload_did did;
	int64_t mtime;

	uuid_random(&in.blob_id);
	return meta_upload_part(thread, arena, &b, KEY, id, number, &in, &mtime, &did, &err);
}

/* ---- what counts ---- */

START_TEST(test_objects)
{
	enum object_renamed renamed;
	struct object from;

	put("before", 7); /* was there before anything counted */
	ck_assert_int_eq(quota(QUOTA_NO_LIMIT, QUOTA_NO_LIMIT), QUOTA_IN_FORCE);
	holds(7, 1);
	put("a", 100);
	put("a", 30);
	put("b", 1);
	holds(38, 3);
	ck_assert_int_eq(meta_object_get(thread, arena, &b, span_of("a"), NULL, false, &from, &err), 1);
	OK(meta_object_rename(thread, arena, &b, &from, span_of("c"), NULL, &renamed, &err));
	holds(38, 3);
	ck_assert_int_eq(meta_object_get(thread, arena, &b, span_of("c"), NULL, false, &from, &err), 1);
	OK(meta_object_rename(thread, arena, &b, &from, span_of("b"), NULL, &renamed, &err)); /* over one that is there */
	holds(37, 2);
	drop("b");
	drop("b");
	drop("before");
	holds(0, 0);
}
END_TEST

START_TEST(test_versions)
{
	struct version_id null = { .is_null = true };
	struct object_removal what = { .key = SPAN("a"), .version = &null };
	struct object_removed out;

	put("a", 10);
	(void)quota(QUOTA_NO_LIMIT, QUOTA_NO_LIMIT);
	set_versioning("Enabled");
	put("a", 20);
	put("a", 20);
	drop("a"); /* a marker is nothing */
	holds(50, 3);
	set_versioning("Suspended");
	put("a", 1); /* takes the place of the first */
	holds(41, 3);
	drop("a");   /* and a marker takes its place */
	holds(40, 2);
	put("a", 5);
	OK(meta_object_delete(thread, arena, &b, &what, NULL, &out, &err));
	holds(40, 2);
}
END_TEST

START_TEST(test_uploads)
{
	static const char *const numbers[] = { "1", "2", NULL }, *const etags[] = { "x", "y", NULL };
	struct object_placed placed;
	enum upload_did did;
	struct uuid id;

	id = upload();
	OK(part(&id, 1, 5, "x"));
	(void)quota(1000, QUOTA_NO_LIMIT);
	holds(5, 0);
	OK(part(&id, 1, 50, "x")); /* again */
	OK(part(&id, 2, 60, "y"));
	OK(part(&id, 3, 70, "z"));
	holds(180, 0);
	put("k", 9);
	OK(meta_upload_complete(thread, arena, &b, KEY, &id, numbers, etags, "w-2", SPAN("sum"), NULL, &did, &placed, &err));
	ck_assert_int_eq(did, UPLOAD_DONE);
	holds(110, 1);
	id = upload();
	OK(part(&id, 1, 800, "x"));
	refused(part(&id, 2, 91, "x"));
	OK(part(&id, 2, 90, "x"));
	holds(1000, 1);
	OK(meta_upload_abort(thread, arena, &b.id, KEY, &id, &did, &err));
	holds(110, 1);
	put("k", 3); /* its parts go */
	holds(3, 1);
}
END_TEST

START_TEST(test_many_at_once)
{
	struct object_removal many[1000];
	struct object_removed done[1000];

	(void)quota(QUOTA_NO_LIMIT, 1500);
	for (int round = 0; round < 3; round++) { /* more than bucket_usage_take folds at */
		for (int i = 0; i < 1000; i++) {
			many[i] = (struct object_removal){ .key = span_of(arena_printf(arena, "many-%d", i)) };
			OK(put_as(thread, arena, arena_strndup(arena, many[i].key.p, many[i].key.len), 2, &err));
		}
		holds(2000, 1000);
		OK(meta_object_delete_many(thread, arena, &b, many, 1000, NULL, done, &err));
		holds(0, 0);
	}
	ck_assert_int_lt(regional("SELECT count(*) FROM bucket_usage WHERE slot >= bucket_usage_slots()"), 2100);
}
END_TEST

/* ---- limits ---- */

START_TEST(test_limits)
{
	struct usage_add add = { .bucket_id = &b.id, .key = span_of("a"), .size = 100 };
	bool fits;

	put("a", 60);
	(void)quota(100, 2);
	refused(put_as(thread, arena, "b", 41, &err));
	put("b", 40);
	refused(put_as(thread, arena, "b", 41, &err));
	refused(put_as(thread, arena, "c", 0, &err));
	put("b", 30);
	OK(meta_usage_fits(thread, arena, &add, &fits, &err));
	ck_assert(!fits);
	add.size = 70; /* the 60 that are there go */
	OK(meta_usage_fits(thread, arena, &add, &fits, &err));
	ck_assert(fits);
	holds(90, 2);
	/* Lower than what is there: nothing may be added, all may be taken away or made smaller. */
	ck_assert_int_eq(quota(50, 1), QUOTA_IN_FORCE);
	refused(put_as(thread, arena, "a", 61, &err));
	put("a", 60);
	put("a", 50);
	drop("b");
	refused(put_as(thread, arena, "b", 0, &err));
	holds(50, 1);
	ck_assert_int_eq(quota(QUOTA_NO_LIMIT, 2), QUOTA_IN_FORCE);
	put("b", 1000000);
	(void)quota(0, QUOTA_NO_LIMIT);
	refused(put_as(thread, arena, "c", 1, &err));
	put("c", 0);
	holds(1000050, 3);
}
END_TEST

START_TEST(test_what_goes_makes_room)
{
	(void)quota(1000, 10);
	for (int i = 0; i < 10; i++)
		put(arena_printf(arena, "k%d", i), 100);
	refused(put_as(thread, arena, "more", 0, &err));
	for (int i = 0; i < 100; i++) {
		drop(arena_printf(arena, "k%d", i % 10));
		put(arena_printf(arena, "k%d", i % 10), 100);
	}
	holds(1000, 10);
}
END_TEST

/* ---- the document and its home ---- */

static enum quota_settled
settle(void)
{
	enum quota_settled settled;

	OK(meta_quota_settle(thread, arena, &b.id, true, &settled, &err));
	return settled;
}

START_TEST(test_settle)
{
	struct quota q = { 1, 2 };
	char id[UUID_TEXT_LEN + 1];
	enum config_done done;
	int64_t changed;
	struct usage u;

	ck_assert_int_eq(meta_quota_find(thread, arena, &b.id, &q, &err), 0);
	ck_assert(q.bytes == QUOTA_NO_LIMIT && q.objects == QUOTA_NO_LIMIT);
	ck_assert_int_eq(settle(), QUOTA_AS_BEFORE);
	ck_assert_int_eq(quota(5, QUOTA_NO_LIMIT), QUOTA_IN_FORCE);
	ck_assert_int_eq(meta_quota_find(thread, arena, &b.id, &q, &err), 1);
	ck_assert(q.bytes == 5 && q.objects == QUOTA_NO_LIMIT);
	ck_assert_int_eq(settle(), QUOTA_AS_BEFORE);
	OK(meta_quotas_settle(thread, &changed, &err));
	ck_assert_int_eq(changed, 0);
	OK(meta_quota_set(thread, arena, &b.id, NULL, &done, &err));
	ck_assert_int_eq(done, CONFIG_DONE);
	OK(meta_quotas_settle(thread, &changed, &err));
	ck_assert_int_eq(changed, 1);
	OK(meta_usage(thread, arena, &b.id, &u, &err));
	ck_assert(!u.has_account);
	uuid_text(&b.id, id);
	ck_assert_int_eq(regional(arena_printf(arena, "SELECT count(*) FROM bucket_usage WHERE bucket_id = '%s'", id)), 0);
	put("a", 10);
	OK(meta_quota_set(thread, arena, &b.id, NULL, &done, &err));
	ck_assert_int_eq(done, CONFIG_NONE);
	/* Of another region there is no account here. */
	b = new_bucket_in("us");
	ck_assert_int_eq(quota(5, 5), QUOTA_AS_BEFORE);
	OK(meta_usage(thread, arena, &b.id, &u, &err));
	ck_assert(!u.has_account);
}
END_TEST

START_TEST(test_documents)
{
	static const char *const bad[] = { "", "{", "[]", "{\"bytes\": -1}", "{\"bytes\": 1.5}", "{\"objects\": \"1\"}",
		"{\"bytes\": 99999999999999999999}" };
	enum quota_settled settled;
	enum config_done done;
	struct quota q;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		OK(meta_bucket_set_config(thread, arena, &b.id, "quota", bad[i], &done, &err));
		ck_assert_msg(meta_quota_settle(thread, arena, &b.id, true, &settled, &err) != 0, "%s", bad[i]);
		ck_assert_int_eq(err.code, ERR_INVALID);
		err_clear(&err);
	}
	OK(meta_bucket_set_config(thread, arena, &b.id, "quota", "{\"bytes\": 9223372036854775807}", &done, &err));
	ck_assert_int_eq(settle(), QUOTA_IN_FORCE);
	ck_assert_int_eq(meta_quota_find(thread, arena, &b.id, &q, &err), 1);
	ck_assert(q.bytes == INT64_MAX && q.objects == QUOTA_NO_LIMIT);
	put("a", INT64_C(5) << 40);
	holds(INT64_C(5) << 40, 1);
}
END_TEST

/* An older word about a quota, which was under way for long, does not undo a newer one. */
START_TEST(test_older_word)
{
	char id[UUID_TEXT_LEN + 1];

	struct quota q = { 200, QUOTA_NO_LIMIT };
	enum config_done done;

	(void)quota(100, QUOTA_NO_LIMIT);
	uuid_text(&b.id, id);
	ck_assert_int_eq(regional(arena_printf(arena, "SELECT bucket_quota_set('%s', 5, 5, now() - interval '1 day')", id)), 0);
	put("a", 100);
	refused(put_as(thread, arena, "b", 1, &err));
	/* But one that was written earlier, and is what the primary says now: a backup was restored. */
	OK(meta_quota_set(thread, arena, &b.id, &q, &done, &err));
	(void)scratch_query(scratch, "global", arena_printf(arena, "UPDATE bucket_configs SET updated_at = now() - interval '1 day' "
	    "WHERE bucket_id = '%s'", id));
	ck_assert_int_eq(settle(), QUOTA_IN_FORCE);
	put("b", 100);
}
END_TEST

/* Rows that somebody changed by hand are found, and counted anew while others write. */
START_TEST(test_recount)
{
	int64_t bytes, objects;
	char id[UUID_TEXT_LEN + 1];

	put("a", 10);
	(void)quota(100, 5);
	uuid_text(&b.id, id);
	(void)scratch_query(scratch, "regional", arena_printf(arena, "UPDATE bucket_usage SET bytes = bytes + 50, objects = objects - 1 "
	    "WHERE bucket_id = '%s' AND slot = 3", id));
	OK(meta_usage_count(thread, arena, &b.id, false, &bytes, &objects, &err));
	ck_assert_int_eq(bytes, -50);
	ck_assert_int_eq(objects, 1);
	OK(meta_usage_count(thread, arena, &b.id, true, &bytes, &objects, &err));
	holds(10, 1);
	put("b", 90);
	refused(put_as(thread, arena, "c", 1, &err));
}
END_TEST

/* ---- many writers ---- */

struct writer {
	int number, rounds;
	int64_t written, refused; /* refused: by the quota */
	unsigned seed;
	struct err err;           /* anything else */
};

static int
but_for_the_quota(struct writer *w, int rc)
{
	if (rc == 0 || w->err.code != ERR_QUOTA)
		return rc;
	w->refused++;
	err_clear(&w->err);
	return 0;
}

/* Until the bucket is full. */
static void *
fill(void *arg)
{
	struct writer *w = arg;
	struct arena *a = arena_new(1 << 20);
	struct meta_thread *t;
	int rc = meta_thread_new(meta, &t, &w->err);

	while (rc == 0 && w->refused == 0) {
		arena_reset(a);
		rc = put_as(t, a, arena_printf(a, "%d-%" PRId64, w->number, w->written), 10, &w->err);
		w->written += rc == 0;
		rc = but_for_the_quota(w, rc);
	}
	meta_thread_free(t);
	arena_free(a);
	return NULL;
}

/* Puts, overwrites, deletes, deletes of many: keys of all writers. */
static void *
churn(void *arg)
{
	struct writer *w = arg;
	struct arena *a = arena_new(1 << 20);
	struct meta_thread *t;
	int rc = meta_thread_new(meta, &t, &w->err);

	for (int i = 0; rc == 0 && i < w->rounds; i++) {
		struct object_removal many[4];
		struct object_removed done[4];
		struct object_removed one;

		arena_reset(a);
		for (size_t k = 0; k < ARRAY_LEN(many); k++)
			many[k] = (struct object_removal){ .key = span_of(arena_printf(a, "k%d", rand_r(&w->seed) % 24)) };
		if (rand_r(&w->seed) % 8 == 0)
			rc = meta_object_delete_many(t, a, &b, many, ARRAY_LEN(many), NULL, done, &w->err);
		else if (rand_r(&w->seed) % 4 == 0)
			rc = meta_object_delete(t, a, &b, &many[0], NULL, &one, &w->err);
		else
			rc = put_as(t, a, arena_strndup(a, many[0].key.p, many[0].key.len), rand_r(&w->seed) % 100, &w->err);
		rc = but_for_the_quota(w, rc);
	}
	meta_thread_free(t);
	arena_free(a);
	return NULL;
}

static void
all_at_once(void *(*fn)(void *), struct writer *w, pthread_t *th, int rounds)
{
	for (int i = 0; i < WRITERS; i++) {
		w[i] = (struct writer){ .number = i, .rounds = rounds, .seed = (unsigned)i };
		ck_assert_int_eq(pthread_create(&th[i], NULL, fn, &w[i]), 0);
	}
}

static void
join_all(struct writer *w, pthread_t *th)
{
	for (int i = 0; i < WRITERS; i++) {
		(void)pthread_join(th[i], NULL);
		ck_assert_msg(w[i].err.code == 0, "%s", w[i].err.detail);
	}
}

static struct writer writers[WRITERS];

/* Bytes, or objects: exactly so many get in. */
START_TEST(test_exactly)
{
	pthread_t th[WRITERS];
	int64_t written = 0;

	(void)quota(_i == 0 ? 5009 : QUOTA_NO_LIMIT, _i == 1 ? 500 : QUOTA_NO_LIMIT);
	all_at_once(fill, writers, th, 0);
	join_all(writers, th);
	for (int i = 0; i < WRITERS; i++)
		written += writers[i].written;
	ck_assert_int_eq(written, 500);
	holds(5000, 500);
}
END_TEST

/* Near the limit all the time, and in each state of versioning; a deadlock would fail a writer after a second. */
START_TEST(test_churn)
{
	static const char *const states[] = { NULL, "Enabled", "Suspended" };
	int64_t bytes, objects, n_refused = 0;
	pthread_t th[WRITERS];
	struct usage u;

	if (states[_i] != NULL)
		set_versioning(states[_i]);
	(void)quota(700, 20);
	all_at_once(churn, writers, th, 150);
	join_all(writers, th);
	for (int i = 0; i < WRITERS; i++)
		n_refused += writers[i].refused;
	ck_assert_int_gt(n_refused, 0);
	OK(meta_usage_count(thread, arena, &b.id, false, &bytes, &objects, &err));
	ck_assert(bytes == 0 && objects == 0);
	OK(meta_usage(thread, arena, &b.id, &u, &err));
	ck_assert(u.bytes <= 700 && u.objects <= 20);
	ck_assert_int_eq(regional("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"), 0);
}
END_TEST

/* Accounts begin, are counted and go while others write. */
START_TEST(test_set_meanwhile)
{
	int64_t bytes, objects;
	pthread_t th[WRITERS];
	enum config_done done;

	all_at_once(churn, writers, th, 200);
	for (int i = 0; i < 10; i++) {
		(void)quota(i % 2 == 0 ? QUOTA_NO_LIMIT : 600, 100);
		OK(meta_usage_count(thread, arena, &b.id, false, &bytes, &objects, &err));
		ck_assert(bytes == 0 && objects == 0);
		OK(meta_usage_count(thread, arena, &b.id, true, &bytes, &objects, &err));
		ck_assert(bytes == 0 && objects == 0);
		OK(meta_quota_set(thread, arena, &b.id, NULL, &done, &err));
		ck_assert_int_eq(settle(), QUOTA_GONE);
	}
	(void)quota(QUOTA_NO_LIMIT, QUOTA_NO_LIMIT);
	join_all(writers, th);
	OK(meta_usage_count(thread, arena, &b.id, false, &bytes, &objects, &err));
	ck_assert(bytes == 0 && objects == 0);
}
END_TEST

/* ---- tenants ---- */

struct maker {
	const struct uuid *tenant;
	char name[64];
	enum bucket_made made;
	struct err err;
};

static void *
make(void *arg)
{
	struct maker *m = arg;
	struct arena *a = arena_new(1 << 20);
	struct meta_thread *t;

	if (meta_thread_new(meta, &t, &m->err) == 0) {
		if (meta_bucket_create(t, a, m->name, "eu", m->tenant, &m->made, &m->err) != 0)
			ck_assert(m->err.code != 0);
		meta_thread_free(t);
	}
	arena_free(a);
	return NULL;
}

/* Just so many buckets are made, whoever makes them; each begins with its tenant's quota. */
START_TEST(test_tenant_limits)
{
	struct tenant_limits limits = { 5, { 10, QUOTA_NO_LIMIT } };
	static struct maker maker[WRITERS];
	pthread_t th[WRITERS];
	enum bucket_made made;
	struct tenant x;
	struct quota q;
	int n = 0;

	OK(registry_tenant_create(thread, arena, "limited", NULL, &x, &err));
	ck_assert_int_eq(x.limits.buckets, 10000); /* as at S3 */
	ck_assert(x.limits.of_bucket.bytes == QUOTA_NO_LIMIT && x.limits.of_bucket.objects == QUOTA_NO_LIMIT);
	OK(registry_tenant_set_limits(thread, "limited", &limits, &err));
	OK(registry_tenant_find(thread, arena, "limited", &x, &err));
	ck_assert(x.limits.buckets == 5 && x.limits.of_bucket.bytes == 10 && x.limits.of_bucket.objects == QUOTA_NO_LIMIT);
	for (int i = 0; i < WRITERS; i++) {
		maker[i] = (struct maker){ .tenant = &x.id };
		snprintf(maker[i].name, sizeof(maker[i].name), "limited-%d", i);
		ck_assert_int_eq(pthread_create(&th[i], NULL, make, &maker[i]), 0);
	}
	for (int i = 0; i < WRITERS; i++) {
		(void)pthread_join(th[i], NULL);
		ck_assert_msg(maker[i].err.code == 0, "%s", maker[i].err.detail);
		ck_assert(maker[i].made == BUCKET_MADE || maker[i].made == BUCKET_TOO_MANY);
		if (maker[i].made != BUCKET_MADE)
			continue;
		n++;
		OK(meta_bucket_create(thread, arena, maker[i].name, "eu", &x.id, &made, &err));
		ck_assert_int_eq(made, BUCKET_YOURS); /* that comes before the limit */
		OK(registry_bucket_find(thread, arena, maker[i].name, &b, &err));
		ck_assert(bucket_has_config(&b, CONFIG_KIND_QUOTA));
		ck_assert_int_eq(meta_quota_find(thread, arena, &b.id, &q, &err), 1);
		ck_assert(q.bytes == 10 && q.objects == QUOTA_NO_LIMIT);
		ck_assert_int_eq(settle(), QUOTA_IN_FORCE);
		refused(put_as(thread, arena, "k", 11, &err));
	}
	ck_assert_int_eq(n, 5);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("quota");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 120);
	tcase_add_unchecked_fixture(tc, region_start, region_stop);
	tcase_add_checked_fixture(tc, begin, region_end);
	tcase_add_test(tc, test_objects);
	tcase_add_test(tc, test_versions);
	tcase_add_test(tc, test_uploads);
	tcase_add_test(tc, test_many_at_once);
	tcase_add_test(tc, test_limits);
	tcase_add_test(tc, test_what_goes_makes_room);
	tcase_add_test(tc, test_settle);
	tcase_add_test(tc, test_documents);
	tcase_add_test(tc, test_older_word);
	tcase_add_test(tc, test_recount);
	tcase_add_loop_test(tc, test_exactly, 0, 2);
	tcase_add_loop_test(tc, test_churn, 0, 3);
	tcase_add_test(tc, test_set_meanwhile);
	tcase_add_test(tc, test_tenant_limits);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
