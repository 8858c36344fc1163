/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_notify.c - events beside the changes that they tell of, and their
 * queues, against a real PostgreSQL.
 */
#include "tests/unit/region_help.h"

#include "meta/notify.h"
#include "tests/unit/suite_help.h"

#define HOLD_MS 60000

/* All is told to this webhook, but for keys that begin with "quiet". */
static char hook[64];

static bool
whom(const void *arg, enum notify_change change, struct span key, struct notify_to *out)
{
	static const char *const events[] = { "written", "removed", "marked" };

	(void)arg;
	*out = (struct notify_to){ hook, "id", events[change], "who" };
	return key.len < 5 || memcmp(key.p, "quiet", 5) != 0;
}

static struct bucket b;
static struct notify telling = { .bucket = &b, .address = "192.0.2.3", .request_id = "RID", .whom = whom };

static void
begin(void)
{
	region_begin();
	b = new_bucket();
	snprintf(hook, sizeof(hook), "%s", b.name);
	meta_notify(thread, &telling);
}

static enum object_wrote
put(const char *key, const struct object_cond *cond)
{
	struct object o = inline_object(key, "hello");
	struct object_placed placed;
	enum object_wrote wrote;

	OK(meta_object_put(thread, arena, &b, &o, cond, &wrote, &placed, &err));
	return wrote;
}

static void
drop(const char *key)
{
	enum object_wrote wrote;
	bool was_there;

	OK(delete_object(thread, arena, &b, span_of(key), NULL, &wrote, &was_there, &err));
}

/* The events that wait, as "event key" in order. */
static const char *
waiting(struct notification **v, size_t *n)
{
	const char *text = "";

	OK(meta_queue_next(thread, arena, hook, 100, v, n, &err));
	for (size_t i = 0; i < *n; i++)
		text = arena_printf(arena, "%s%s%s %.*s", text, i == 0 ? "" : ", ", (*v)[i].event, (int)(*v)[i].key.len, (*v)[i].key.p);
	return text;
}

START_TEST(test_beside_changes)
{
	struct object_cond absent = { .kind = COND_IF_NONE_MATCH_ANY };
	struct object_removal many[] = { { .key = SPAN("b") }, { .key = SPAN("none") }, { .key = SPAN("quiet") }, { .key = SPAN("a") } };
	struct object_removed done[4];
	enum object_renamed renamed;
	struct notification *v;
	enum object_wrote wrote;
	const char *tagged;
	struct object o;
	size_t n;

	ck_assert(!meta_notified(thread));
	ck_assert_int_eq(put("a", NULL), OBJECT_WROTE); /* the first: it makes the fence, too */
	ck_assert(meta_notified(thread));
	ck_assert_int_eq(put("a", &absent), OBJECT_PRECONDITION);
	ck_assert_int_eq(put("quiet", NULL), OBJECT_WROTE);
	OK(meta_object_tag(thread, arena, &b, SPAN("a"), NULL, SPAN("x=y"), &wrote, &tagged, &err));
	OK(meta_object_tag(thread, arena, &b, SPAN("none"), NULL, SPAN("x=y"), &wrote, &tagged, &err));
	drop("none");
	ck_assert_int_eq(meta_object_get(thread, arena, &b, SPAN("a"), NULL, false, &o, &err), 1);
	OK(meta_object_rename(thread, arena, &b, &o, SPAN("b"), NULL, &renamed, &err));
	ck_assert_int_eq(put("a", NULL), OBJECT_WROTE);
	OK(meta_object_delete_many(thread, arena, &b, many, 4, NULL, done, &err));
	ck_assert_str_eq(waiting(&v, &n), n == 7 && strcmp(v[5].key.p, "a") == 0 ?
	    "written a, written a, removed a, written b, written a, removed a, removed b" :
	    "written a, written a, removed a, written b, written a, removed b, removed a");
	for (size_t i = 1; i < n; i++)
		ck_assert_int_gt(v[i].n, v[i - 1].n);
	ck_assert_str_eq(v[0].bucket, b.name);
	ck_assert_str_eq(v[0].owner_id, b.owner_id);
	ck_assert_str_eq(v[0].principal, "who");
	ck_assert_str_eq(v[0].request_id, "RID");
	ck_assert(v[0].has_object && v[0].size == 5 && strcmp(v[0].etag, "hello") == 0 && v[0].version == NULL);
	ck_assert(!v[n - 1].has_object);
	meta_notify(thread, NULL);
	ck_assert_int_eq(put("a", NULL), OBJECT_WROTE);
	(void)waiting(&v, &n);
	ck_assert_uint_eq(n, 7);
}
END_TEST

/* Whoever pulled the numbers up to the clock holds up nobody until his commit. */
START_TEST(test_numbers_wait_for_nobody)
{
	ck_assert(scratch_sql(scratch, "regional",
	    "DO $$ DECLARE n bigint; BEGIN PERFORM pg_sleep(0.05); n := notification_number();"
	    " ASSERT n > extract(epoch FROM clock_timestamp()) * 1000000 - 1000000 AND notification_number() > n;"
	    " ASSERT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()); END $$"));
}
END_TEST

START_TEST(test_versions)
{
	enum config_done done;
	struct notification *v;
	size_t n;

	OK(meta_bucket_set_versioning(thread, arena, &b, "Enabled", NULL, &done, &err));
	b.versioning = "Enabled";
	ck_assert_int_eq(put("a", NULL), OBJECT_WROTE);
	drop("a");
	ck_assert_str_eq(waiting(&v, &n), "written a, marked a");
	ck_assert_uint_eq(strlen(v[0].version), VERSION_TEXT_SIZE - 1);
	ck_assert_str_ne(v[0].version, v[1].version);
}
END_TEST

/* This hook's queue is taken by one holder at a time; what others left behind is passed over. */
static int
take_for(const struct uuid *holder, int64_t hold_ms, int *failures)
{
	const char *webhook;
	int rc;

	while ((rc = meta_queue_take(thread, arena, holder, hold_ms, &webhook, failures, &err)) == 1)
		if (strcmp(webhook, hook) == 0)
			return 1;
	ck_assert_int_eq(rc, 0);
	return 0;
}

static int
take(const struct uuid *holder, int *failures)
{
	return take_for(holder, HOLD_MS, failures);
}

/* Of the webhook, between two that there are not. */
static struct queue_status
status(void)
{
	const char *names[] = { "none", hook, "nobody", NULL };
	struct queue_status q[3];

	OK(meta_queues_status(thread, arena, names, 3, 0, q, &err));
	ck_assert(!q[0].known && !q[2].known);
	return q[1];
}

/* Who dies with a queue in hand holds up nobody for longer than he said. */
START_TEST(test_hold_ends)
{
	struct uuid one, two;
	int failures;

	uuid_random(&one);
	uuid_random(&two);
	ck_assert_int_eq(put("a", NULL), OBJECT_WROTE);
	ck_assert_int_eq(take_for(&one, 0, &failures), 1);
	ck_assert_int_eq(take(&two, &failures), 1);
	ck_assert_int_eq(failures, 0);
	OK(meta_queue_failed(thread, arena, hook, &one, 0, "too late", &err));
	ck_assert_int_eq(take(&one, &failures), 0);
}
END_TEST

START_TEST(test_queue)
{
	struct queue_status q;
	struct notification *v;
	struct uuid one, two;
	int failures = -1;
	size_t n;

	uuid_random(&one);
	uuid_random(&two);
	q = status();
	ck_assert(!q.known && q.waiting == 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(put("a", NULL), OBJECT_WROTE);
	ck_assert_int_eq(take(&one, &failures), 1);
	ck_assert_int_eq(failures, 0);
	ck_assert_int_eq(take(&two, &failures), 0);
	OK(meta_queue_failed(thread, arena, hook, &two, 0, "not its own", &err));
	ck_assert_int_eq(take(&two, &failures), 0);
	OK(meta_queue_failed(thread, arena, hook, &one, 0, "why", &err));
	ck_assert_int_eq(take(&two, &failures), 1);
	ck_assert_int_eq(failures, 1);
	q = status();
	ck_assert(q.waiting == 3 && q.oldest_us > 0 && q.failures == 1 && strcmp(q.last_error, "why") == 0 && q.delivered == 0);
	(void)waiting(&v, &n);
	OK(meta_queue_done(thread, arena, hook, &two, v, 2, 1, &err));
	q = status();
	ck_assert(q.waiting == 1 && q.failures == 0 && q.delivered == 1 && q.dropped == 1);
	ck_assert_int_eq(take(&two, &failures), 1);
	OK(meta_queue_failed(thread, arena, hook, &two, 0, NULL, &err)); /* put off: no failure */
	q = status();
	ck_assert(q.failures == 0 && strcmp(q.last_error, "why") == 0 && q.waiting == 1);
	ck_assert_int_eq(take(&one, &failures), 1); /* given back: nobody waits for the hold's end */
	OK(meta_queue_failed(thread, arena, hook, &one, HOLD_MS, "later", &err));
	ck_assert_int_eq(take(&one, &failures), 0);
}
END_TEST

START_TEST(test_trim)
{
	struct queue_dropped *list;
	struct queue_status q;
	struct notification *v;
	size_t n, seen = 0;

	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(put("a", NULL), OBJECT_WROTE);
	(void)waiting(&v, &n);
	OK(meta_queues_trim(thread, arena, 7, 3, &list, &n, &err));
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].webhook, hook) == 0)
			seen += (size_t)list[i].n;
	ck_assert_uint_eq(seen, 2);
	q = status();
	ck_assert(q.waiting == 3 && q.dropped == 2);
	ck_assert(scratch_sql(scratch, "regional", "UPDATE notifications SET n = n - 8::bigint * 86400 * 1000000"));
	OK(meta_queues_trim(thread, arena, 7, 3, &list, &n, &err));
	q = status();
	ck_assert(q.waiting == 0 && q.dropped == 5);
}
END_TEST

START_TEST(test_webhooks)
{
	char secret[WEBHOOK_SECRET_MAX + 1] = "", other[WEBHOOK_SECRET_MAX + 1];
	const char *doc = arena_printf(arena, "<NotificationConfiguration><QueueConfiguration><Queue>arn:aws:sqs:::%s</Queue></QueueConfiguration></NotificationConfiguration>", hook);
	uint8_t key[WEBHOOK_KEY_MAX];
	enum config_done done;
	struct webhook w;
	int64_t n;
	size_t len;

	OK(registry_webhook_create(thread, hook, "https://h.test/x?y", NULL, "tenant", secret, &err));
	ck_assert(registry_webhook_create(thread, hook, "https://h.test", NULL, NULL, other, &err) != 0);
	ck_assert_int_eq(err.code, ERR_EXISTS);
	err_clear(&err);
	ck_assert(registry_webhook_create(thread, "x", "https://h.test", "whsec_eA==", NULL, other, &err) != 0);
	ck_assert_int_eq(err.code, ERR_INVALID);
	err_clear(&err);
	ck_assert(registry_webhook_create(thread, "x", "ftp://h.test", NULL, NULL, other, &err) != 0);
	ck_assert_int_eq(err.code, ERR_INVALID);
	err_clear(&err);
	OK(registry_webhook_find(thread, arena, hook, &w, &err));
	ck_assert_str_eq(w.tenant_name, "tenant");
	ck_assert(w.enabled);
	OK(webhook_key(&settings, &w, key, &len, &err));
	base64_encode(key, len, other);
	ck_assert_str_eq(secret + strlen(WEBHOOK_SECRET_PREFIX), other);
	OK(meta_bucket_set_config(thread, arena, &b.id, "notification", doc, &done, &err));
	ck_assert(registry_webhook_delete(thread, hook, &err) != 0);
	ck_assert_int_eq(err.code, ERR_CONFLICT);
	err_clear(&err);
	OK(registry_webhook_buckets(thread, arena, hook, &n, &err));
	ck_assert_int_eq(n, 1);
	OK(registry_webhook_enable(thread, hook, false, &err));
	OK(registry_webhook_find(thread, arena, hook, &w, &err));
	ck_assert(!w.enabled);
	ck_assert(registry_webhook_enable(thread, "none", true, &err) != 0);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	err_clear(&err);
	OK(meta_bucket_set_config(thread, arena, &b.id, "notification", NULL, &done, &err));
	OK(registry_webhook_update(thread, hook, "http://h.test", NULL, &err));
	OK(registry_webhook_delete(thread, hook, &err));
	ck_assert(registry_webhook_delete(thread, hook, &err) != 0);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("notify");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 120);
	tcase_add_unchecked_fixture(tc, region_start, region_stop);
	tcase_add_checked_fixture(tc, begin, region_end);
	tcase_add_test(tc, test_beside_changes);
	tcase_add_test(tc, test_numbers_wait_for_nobody);
	tcase_add_test(tc, test_versions);
	tcase_add_test(tc, test_queue);
	tcase_add_test(tc, test_hold_ends);
	tcase_add_test(tc, test_trim);
	tcase_add_test(tc, test_webhooks);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
