/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_upload.c - uploads in parts against a real PostgreSQL: the
 * object is the listed parts in order, what is not in it dies, of those who end
 * an upload one wins, and none outlives its bucket.
 */
#include "tests/unit/region_help.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "meta/db.h"
#include "meta/upload.h"
#include "tests/unit/suite_help.h"

#define KEY SPAN("k")

static struct uuid
begin_as(const struct bucket *b, const struct object *o)
{
	enum upload_did did;
	struct uuid id;

	OK(meta_upload_create(thread, arena, b, o, &id, &did, &err));
	ck_assert_int_eq(did, UPLOAD_DONE);
	return id;
}

static struct uuid
begin(const struct bucket *b, struct span key)
{
	struct object o = { .key = key };

	return begin_as(b, &o);
}

static enum upload_did
put_part_of(const struct bucket *b, const struct uuid *id, int number, const struct object *in)
{
	enum upload_did did;
	int64_t mtime = 0;

	OK(meta_upload_part(thread, arena, b, KEY, id, number, in, &mtime, &did, &err));
	ck_assert((mtime > 0) == (did == UPLOAD_DONE));
	return did;
}

/* A part whose bytes are a blob. */
static struct uuid
put_part(const struct bucket *b, const struct uuid *id, int number, int64_t size, const char *etag)
{
	struct object in = { .size = size, .etag = etag, .has_blob = true };

	uuid_random(&in.blob_id);
	ck_assert_int_eq(put_part_of(b, id, number, &in), UPLOAD_DONE);
	return in.blob_id;
}

static enum upload_did
complete_if(const struct bucket *b, const struct uuid *id, const char *const *numbers, const char *const *etags,
    const struct object_cond *cond, struct object_placed *placed)
{
	enum upload_did did;

	OK(meta_upload_complete(thread, arena, b, KEY, id, numbers, etags, "whole-2", SPAN("sum"), cond, &did, placed, &err));
	ck_assert((placed->version != NULL) == (did == UPLOAD_DONE));
	return did;
}

static const char *const one_two[] = { "1", "2", NULL };
static const char *const a_b[] = { "a", "b", NULL };

static enum upload_did
complete(const struct bucket *b, const struct uuid *id)
{
	struct object_placed placed;

	return complete_if(b, id, one_two, a_b, NULL, &placed);
}

static enum upload_did
abort_it(const struct bucket *b, const struct uuid *id)
{
	enum upload_did did;

	OK(meta_upload_abort(thread, arena, &b->id, KEY, id, &did, &err));
	return did;
}

static int64_t
count(const struct bucket *b, const char *what)
{
	char sql[200], id[UUID_TEXT_LEN + 1];

	uuid_text(&b->id, id);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s WHERE bucket_id = '%s'", what, id);
	return regional(sql);
}

static bool
is_dead(const struct uuid *blob)
{
	char sql[200], id[UUID_TEXT_LEN + 1];

	uuid_text(blob, id);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM dead_blobs WHERE blob_id = '%s'", id);
	return regional(sql) == 1;
}

static struct object
current(const struct bucket *b)
{
	struct object o;

	ck_assert_int_eq(meta_object_get(thread, arena, b, KEY, NULL, true, &o, &err), 1);
	return o;
}

START_TEST(test_ids)
{
	static const char *const bad[] = { "", "0", "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdef0",
		"0123456789ABCDEF0123456789abcdef", "0123456789abcdef0123456789abcdeg", "56788" };
	struct uuid id, last = { { 0 } }, got;
	char text[UPLOAD_ID_TEXT_LEN + 1];
	struct bucket b = new_bucket();

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!upload_id_parse(span_of(bad[i]), &id), "%s", bad[i]);
	for (int i = 0; i < 20; i++) {
		id = begin(&b, KEY);
		upload_id_text(&id, text);
		ck_assert(upload_id_parse(span_of(text), &got) && memcmp(&got, &id, sizeof(id)) == 0);
		ck_assert_int_ge(memcmp(id.b, last.b, 6), 0); /* the time */
		last = id;
	}
}
END_TEST

START_TEST(test_every_field_comes_back)
{
	struct bucket b = new_bucket();
	struct object in = { .key = KEY, .checksums = SPAN("\1\0"), .headers = SPAN("h\0h"), .storage_class = "GLACIER",
		.owner_id = "somebody", .tags = SPAN("a=1"), .acl = "public-read", .sse = SPAN("\0sse"), .lock_mode = 'G',
		.retain_until_us = 4000000000000000, .legal_hold = true };
	struct uuid id = begin_as(&b, &in);
	struct object_placed placed;
	struct upload_part *parts;
	struct upload u;
	struct object o;
	size_t n;
	bool more;

	ck_assert_int_eq(meta_upload_find(thread, arena, &b, KEY, &id, &u, &err), 1);
	ck_assert(span_eq(u.checksums, in.checksums) && span_eq(u.headers, in.headers) && span_eq(u.sse, in.sse));
	ck_assert_str_eq(u.storage_class, "GLACIER");
	ck_assert_str_eq(u.owner_id, "somebody");
	ck_assert_int_eq(meta_upload_find(thread, arena, &b, SPAN("other"), &id, &u, &err), 0);
	put_part(&b, &id, 1, 3, "a");
	put_part(&b, &id, 2, 4, "b");
	ck_assert_int_eq(meta_object_get(thread, arena, &b, KEY, NULL, true, &o, &err), 0);
	ck_assert_int_eq(complete_if(&b, &id, one_two, a_b, NULL, &placed), UPLOAD_DONE);
	o = current(&b);
	ck_assert(o.has_parts && !o.has_blob && memcmp(&o.parts_id, &id, sizeof(id)) == 0);
	ck_assert_int_eq(o.size, 7);
	ck_assert_int_eq(o.parts_count, 2);
	ck_assert_int_eq(o.mtime_us, placed.mtime_us);
	ck_assert_str_eq(o.etag, "whole-2");
	ck_assert(span_eq(o.checksums, SPAN("sum")) && span_eq(o.headers, in.headers) && span_eq(o.tags, in.tags) &&
	    span_eq(o.sse, in.sse));
	ck_assert_str_eq(o.storage_class, "GLACIER");
	ck_assert_str_eq(o.owner_id, "somebody");
	ck_assert_str_eq(o.acl, "public-read");
	ck_assert(o.lock_mode == 'G' && o.retain_until_us == in.retain_until_us && o.legal_hold);
	OK(meta_upload_parts(thread, arena, &b, &id, 0, 10, &parts, &n, &more, &err));
	ck_assert(n == 2 && !more && parts[0].first == 0 && parts[1].first == 3 && parts[1].number == 2 && parts[1].size == 4);
	ck_assert_str_eq(parts[1].etag, "b");
	OK(meta_upload_parts(thread, arena, &b, &id, 0, 1, &parts, &n, &more, &err));
	ck_assert(n == 1 && more);
	OK(meta_upload_parts(thread, arena, &b, &id, 1, 1, &parts, &n, &more, &err));
	ck_assert(n == 1 && !more && parts[0].number == 2);
	/* Asked again. */
	ck_assert_int_eq(complete(&b, &id), UPLOAD_NOT_THERE);
	ck_assert_int_eq(meta_upload_completed(thread, arena, &b, KEY, &id, &o, &err), 1);
	ck_assert_str_eq(o.etag, "whole-2");
	ck_assert_int_eq(meta_upload_completed(thread, arena, &b, SPAN("other"), &id, &o, &err), 0);
}
END_TEST

START_TEST(test_parts_are_replaced_and_dropped)
{
	struct bucket b = new_bucket();
	struct uuid id = begin(&b, KEY), replaced = put_part(&b, &id, 2, 9, "x"), first = put_part(&b, &id, 1, 3, "a");
	struct uuid second = put_part(&b, &id, 2, 4, "b"), unlisted = put_part(&b, &id, 7, 5, "c");
	struct object in_row = { .size = 2, .etag = "d", .inline_data = SPAN("dd") };

	ck_assert(is_dead(&replaced) && !is_dead(&second));
	ck_assert_int_eq(put_part_of(&b, &id, 10000, &in_row), UPLOAD_DONE);
	ck_assert_int_eq(complete(&b, &id), UPLOAD_DONE);
	ck_assert(is_dead(&unlisted) && !is_dead(&first) && !is_dead(&second));
	ck_assert_int_eq(count(&b, "parts"), 2);
	ck_assert_int_eq(count(&b, "uploads"), 0);
	/* An ended upload takes no part, and cannot be ended again. */
	ck_assert_int_eq(put_part_of(&b, &id, 3, &in_row), UPLOAD_NOT_THERE);
	ck_assert_int_eq(abort_it(&b, &id), UPLOAD_NOT_THERE);
	ck_assert_int_eq(count(&b, "parts"), 2);
	/* A simple put in its place lets go of the parts. */
	in_row.key = KEY;
	OK(meta_object_put(thread, arena, &b, &in_row, NULL, &(enum object_wrote){ 0 }, &(struct object_placed){ 0 }, &err));
	ck_assert(is_dead(&first) && is_dead(&second));
	ck_assert_int_eq(count(&b, "parts"), 0);
}
END_TEST

START_TEST(test_other_parts)
{
	static const char *const three[] = { "1", "3", NULL }, *const a_x[] = { "a", "x", NULL }, *const none[] = { NULL };
	struct bucket b = new_bucket();
	struct object_placed placed;
	struct uuid id = begin(&b, KEY);

	put_part(&b, &id, 1, 3, "a");
	put_part(&b, &id, 2, 3, "b");
	ck_assert_int_eq(complete_if(&b, &id, three, a_b, NULL, &placed), UPLOAD_OTHER_PARTS);
	ck_assert_int_eq(complete_if(&b, &id, one_two, a_x, NULL, &placed), UPLOAD_OTHER_PARTS);
	ck_assert_int_eq(complete_if(&b, &id, none, none, NULL, &placed), UPLOAD_OTHER_PARTS);
	ck_assert_int_eq(count(&b, "objects"), 0);
	ck_assert_int_eq(count(&b, "parts"), 2);
	ck_assert_int_eq(complete(&b, &id), UPLOAD_DONE);
}
END_TEST

START_TEST(test_abort)
{
	struct bucket b = new_bucket();
	struct uuid id = begin(&b, KEY), other = begin(&b, KEY), never, blob = put_part(&b, &id, 1, 3, "a");
	struct uuid kept = put_part(&b, &other, 1, 3, "a");

	uuid_random(&never);
	ck_assert_int_eq(abort_it(&b, &never), UPLOAD_NOT_THERE);
	ck_assert_int_eq(abort_it(&b, &id), UPLOAD_DONE);
	ck_assert(is_dead(&blob) && !is_dead(&kept));
	ck_assert_int_eq(abort_it(&b, &id), UPLOAD_NOT_THERE);
	ck_assert_int_eq(complete(&b, &id), UPLOAD_NOT_THERE);
	ck_assert_int_eq(count(&b, "uploads"), 1);
}
END_TEST

START_TEST(test_conditions)
{
	struct bucket b = new_bucket();
	struct object_cond absent = { COND_IF_NONE_MATCH_ANY, NULL }, match = { COND_IF_MATCH, "e1" };
	struct object in = inline_object("k", "e1");
	struct object_placed placed;
	struct uuid id = begin(&b, KEY);

	put_part(&b, &id, 1, 3, "a");
	put_part(&b, &id, 2, 3, "b");
	ck_assert_int_eq(complete_if(&b, &id, one_two, a_b, &match, &placed), UPLOAD_NO_KEY);
	OK(meta_object_put(thread, arena, &b, &in, NULL, &(enum object_wrote){ 0 }, &placed, &err));
	ck_assert_int_eq(complete_if(&b, &id, one_two, a_b, &absent, &placed), UPLOAD_PRECONDITION);
	match.etag = "other";
	ck_assert_int_eq(complete_if(&b, &id, one_two, a_b, &match, &placed), UPLOAD_PRECONDITION);
	ck_assert_str_eq(current(&b).etag, "e1");
	ck_assert_int_eq(count(&b, "uploads") + count(&b, "parts"), 3);
	match.etag = "e1";
	ck_assert_int_eq(complete_if(&b, &id, one_two, a_b, &match, &placed), UPLOAD_DONE);
	ck_assert_str_eq(current(&b).etag, "whole-2");
}
END_TEST

START_TEST(test_versions)
{
	struct bucket b = new_bucket();
	struct object_placed placed[2];
	struct object o;
	struct uuid id[2];
	bool open;

	OK(meta_fence_versioning(thread, arena, &b.id, "Enabled", &open, &err));
	for (int i = 0; i < 2; i++) {
		id[i] = begin(&b, KEY);
		put_part(&b, &id[i], 1, 3, "a");
		put_part(&b, &id[i], 2, 3, "b");
		ck_assert_int_eq(complete_if(&b, &id[i], one_two, a_b, NULL, &placed[i]), UPLOAD_DONE);
		ck_assert(placed[i].versioned);
	}
	ck_assert_int_eq(count(&b, "objects"), 2);
	ck_assert_int_eq(count(&b, "parts"), 4);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(meta_upload_completed(thread, arena, &b, KEY, &id[i], &o, &err), 1);
		ck_assert_str_eq(o.version, placed[i].version);
	}
}
END_TEST

START_TEST(test_bucket_takes_its_uploads_along)
{
	struct bucket b = new_bucket();
	struct object in = { .key = KEY, .size = 1, .etag = "a", .inline_data = SPAN("a") };
	struct uuid id = begin(&b, KEY), blob = put_part(&b, &id, 1, 3, "a"), other;
	enum upload_did did;
	bool closed;

	OK(meta_fence_close(thread, arena, &b.id, &closed, &err));
	ck_assert(closed && is_dead(&blob));
	ck_assert_int_eq(count(&b, "uploads") + count(&b, "parts"), 0);
	ck_assert_int_eq(put_part_of(&b, &id, 2, &in), UPLOAD_FENCE_CLOSED);
	ck_assert_int_eq(complete(&b, &id), UPLOAD_FENCE_CLOSED);
	ck_assert_int_eq(abort_it(&b, &id), UPLOAD_FENCE_CLOSED);
	OK(meta_upload_create(thread, arena, &b, &in, &other, &did, &err));
	ck_assert_int_eq(did, UPLOAD_FENCE_CLOSED);
	ck_assert_int_eq(count(&b, "uploads") + count(&b, "parts"), 0);
	/* A bucket where nothing was ever written has no uploads. */
	b = new_bucket();
	ck_assert_int_eq(put_part_of(&b, &id, 2, &in), UPLOAD_NOT_THERE);
	ck_assert_int_eq(complete(&b, &id), UPLOAD_NOT_THERE);
	ck_assert_int_eq(abort_it(&b, &id), UPLOAD_NOT_THERE);
}
END_TEST

/* The numbers and etags of n parts. */
static void
list_parts(int n, const char ***numbers, const char ***etags)
{
	*numbers = arena_array(arena, (size_t)n + 1, sizeof(**numbers));
	*etags = arena_array(arena, (size_t)n + 1, sizeof(**etags));
	for (int i = 0; i < n; i++) {
		(*numbers)[i] = arena_printf(arena, "%d", i + 1);
		(*etags)[i] = arena_printf(arena, "%032x", (unsigned)i + 1);
	}
	(*numbers)[n] = (*etags)[n] = NULL;
}

/* Without statistics, and with those of an empty table. */
START_TEST(test_many_parts)
{
	enum { N = UPLOAD_PARTS_MAX };
	struct bucket b = new_bucket();
	struct object_placed placed;
	struct upload_part *parts;
	const char **numbers, **etags;
	struct uuid id = begin(&b, KEY);
	char sql[600], bucket_id[UUID_TEXT_LEN + 1], upload_id[UUID_TEXT_LEN + 1];
	size_t n;
	bool more;

	uuid_text(&b.id, bucket_id);
	uuid_text(&id, upload_id);
	if (_i == 1)
		ck_assert(scratch_sql(scratch, "regional", "ANALYZE parts"));
	snprintf(sql, sizeof(sql), "INSERT INTO parts (bucket_id, upload_id, part_no, size, mtime, etag, blob_id) SELECT '%s', '%s', i,"
	    " 5368709120, now(), lpad(to_hex(i), 32, '0'), gen_random_uuid() FROM generate_series(1, %d) i", bucket_id, upload_id, N);
	ck_assert(scratch_sql(scratch, "regional", sql));
	list_parts(N - 1, &numbers, &etags); /* so that one is dropped, too */
	ck_assert_int_eq(complete_if(&b, &id, numbers, etags, NULL, &placed), UPLOAD_DONE);
	ck_assert_int_eq(current(&b).parts_count, N - 1);
	ck_assert_int_eq(current(&b).size, (N - 1) * (int64_t)5368709120);
	OK(meta_upload_parts(thread, arena, &b, &id, 0, N, &parts, &n, &more, &err));
	ck_assert(n == N - 1 && !more);
	for (size_t i = 0; i < n; i++)
		ck_assert(parts[i].number == (int)i + 1 && parts[i].first == (int64_t)i * 5368709120);
	ck_assert_int_eq(count(&b, "dead_blobs"), 1);
	ck_assert(scratch_sql(scratch, "regional", "DELETE FROM objects"));
	ck_assert_int_eq(count(&b, "dead_blobs"), N);
}
END_TEST

/* ---- many at once ---- */

struct racer {
	struct bucket bucket;
	struct uuid id;
	int number; /* of the one: what it does */
	pthread_barrier_t *start;
	enum upload_did did;
	bool failed;
	struct err err;
};

static int
race_do(struct racer *r, struct meta_thread *t, struct arena *a)
{
	struct object in = { .size = 1, .etag = "b", .inline_data = SPAN("b") };
	struct object_placed placed;
	int64_t mtime;

	switch (r->number % 3) {
	case 0:
		return meta_upload_complete(t, a, &r->bucket, KEY, &r->id, one_two, a_b, "whole-2", SPAN(""), NULL, &r->did, &placed,
		    &r->err);
	case 1:
		return meta_upload_abort(t, a, &r->bucket.id, KEY, &r->id, &r->did, &r->err);
	default:
		return meta_upload_part(t, a, &r->bucket, KEY, &r->id, 2 + r->number, &in, &mtime, &r->did, &r->err);
	}
}

static void *
race_run(void *arg)
{
	struct racer *r = arg;
	struct arena *a = arena_new(1 << 20);
	struct meta_thread *t;

	r->failed = meta_thread_new(meta, &t, &r->err) != 0;
	pthread_barrier_wait(r->start);
	if (!r->failed)
		r->failed = race_do(r, t, a) != 0;
	meta_thread_free(t);
	arena_free(a);
	return NULL;
}

/* Of all that end an upload one wins; no part is left that is in neither an upload nor an object. */
START_TEST(test_one_end)
{
	struct racer racer[12];
	pthread_t th[ARRAY_LEN(racer)];
	pthread_barrier_t start;

	for (int round = 0; round < 10; round++) {
		struct bucket b = new_bucket();
		struct uuid id = begin(&b, KEY);
		int ends = 0, completes = 0;

		put_part(&b, &id, 1, 3, "a");
		put_part(&b, &id, 2, 3, "b");
		pthread_barrier_init(&start, NULL, ARRAY_LEN(racer));
		for (int i = 0; i < (int)ARRAY_LEN(racer); i++) {
			racer[i] = (struct racer){ .bucket = b, .id = id, .number = i, .start = &start };
			ck_assert_int_eq(pthread_create(&th[i], NULL, race_run, &racer[i]), 0);
		}
		for (size_t i = 0; i < ARRAY_LEN(racer); i++) {
			pthread_join(th[i], NULL);
			ck_assert_msg(!racer[i].failed, "%s", racer[i].err.detail);
			ck_assert(racer[i].did == UPLOAD_DONE || racer[i].did == UPLOAD_NOT_THERE);
			if (racer[i].number % 3 != 2 && racer[i].did == UPLOAD_DONE)
				ends++, completes += racer[i].number % 3 == 0;
		}
		pthread_barrier_destroy(&start);
		ck_assert_int_eq(ends, 1);
		ck_assert_int_eq(count(&b, "uploads"), 0);
		ck_assert_int_eq(count(&b, "objects"), completes);
		ck_assert_int_eq(count(&b, "parts"), 2 * completes);
		ck_assert_int_eq(count(&b, "dead_blobs"), 2 * (1 - completes));
	}
}
END_TEST

/* ---- lists ---- */

static const char *
page(const struct bucket *b, const char *prefix, const char *delimiter, const char *after, const struct uuid *after_id, int max)
{
	struct upload_query q = { span_of(prefix), span_of(delimiter), span_of(after), after_id, max };
	struct upload_entry *e;
	struct strbuf sb;
	size_t n;
	bool more;

	strbuf_init(&sb, arena, 4096);
	OK(meta_upload_list(thread, arena, b, &q, &e, &n, &more, &err));
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&sb, "%.*s%s ", (int)e[i].key.len, e[i].key.p, e[i].is_prefix ? "*" : "");
	strbuf_str(&sb, more ? "+" : "");
	return strbuf_cstr(&sb);
}

START_TEST(test_list)
{
	struct bucket b = new_bucket();
	struct uuid a1 = begin(&b, SPAN("a")), a2 = begin(&b, SPAN("a"));
	const struct uuid *low = memcmp(&a1, &a2, sizeof(a1)) < 0 ? &a1 : &a2, *high = low == &a1 ? &a2 : &a1;

	ck_assert_str_eq(page(&b, "", "", "", NULL, 10), "a a ");
	begin(&b, SPAN("d/1"));
	begin(&b, SPAN("d/2"));
	begin(&b, SPAN("d/3"));
	begin(&b, SPAN("e"));
	begin(&b, SPAN("\xc3\xa9/x"));
	ck_assert_str_eq(page(&b, "", "", "", NULL, 10), "a a d/1 d/2 d/3 e \xc3\xa9/x ");
	ck_assert_str_eq(page(&b, "", "", "", NULL, 3), "a a d/1 +");
	ck_assert_str_eq(page(&b, "", "/", "", NULL, 10), "a a d/* e \xc3\xa9/* ");
	ck_assert_str_eq(page(&b, "", "/", "", NULL, 3), "a a d/* +");
	ck_assert_str_eq(page(&b, "", "/", "d/", NULL, 10), "e \xc3\xa9/* ");
	ck_assert_str_eq(page(&b, "", "/", "d/2", NULL, 10), "e \xc3\xa9/* ");
	ck_assert_str_eq(page(&b, "d/", "/", "", NULL, 10), "d/1 d/2 d/3 ");
	ck_assert_str_eq(page(&b, "d/", "/", "d/1", NULL, 1), "d/2 +");
	ck_assert_str_eq(page(&b, "", "", "a", NULL, 2), "d/1 d/2 +");
	ck_assert_str_eq(page(&b, "", "", "a", low, 2), "a d/1 +");
	ck_assert_str_eq(page(&b, "", "", "a", high, 1), "d/1 +");
	ck_assert_str_eq(page(&b, "x", "", "", NULL, 10), "");
	ck_assert_str_eq(page(&b, "", "", "", NULL, 0), "");
}
END_TEST

START_TEST(test_stale)
{
	struct bucket b = new_bucket();
	struct uuid old = begin(&b, SPAN("old"));
	struct upload_stale *stale;
	size_t n;

	OK(meta_uploads_stale(thread, arena, 3600, 10, &stale, &n, &err));
	ck_assert_uint_eq(n, 0);
	ck_assert(scratch_sql(scratch, "regional", "UPDATE uploads SET started_at = now() - interval '2 hours' WHERE key = 'old'"));
	OK(meta_uploads_stale(thread, arena, 3600, 10, &stale, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert(memcmp(&stale[0].id, &old, sizeof(old)) == 0 && memcmp(&stale[0].bucket_id, &b.id, sizeof(b.id)) == 0 &&
	    span_eq(stale[0].key, SPAN("old")));
}
END_TEST

/* What is held by uploads begun so long ago, as key:parts:bytes; a page of max. */
static const char *
held(const struct bucket *b, int64_t older_s, int max, struct upload_held *last)
{
	struct upload_held_query q = { .bucket_id = b == NULL ? NULL : &b->id, .older_s = older_s, .after_us = last->started_us,
		.after_id = last->id, .max = max };
	struct upload_held *list;
	struct strbuf sb;
	size_t n;

	strbuf_init(&sb, arena, 4096);
	OK(meta_uploads_held(thread, arena, &q, &list, &n, &err));
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&sb, "%.*s:%" PRId64 ":%" PRId64 " ", (int)list[i].key.len, list[i].key.p, list[i].parts, list[i].bytes);
	if (n > 0)
		*last = list[n - 1];
	return strbuf_cstr(&sb);
}

START_TEST(test_held)
{
	struct bucket b = new_bucket(), other = new_bucket();
	struct upload_held last = { 0 }, none = { 0 };
	struct uploads_sum sum;
	struct uuid k, done;

	ck_assert(scratch_sql(scratch, "regional", "DELETE FROM uploads")); /* of other tests */
	k = begin(&b, KEY);
	done = begin(&other, KEY);
	put_part(&b, &k, 1, INT64_C(5) << 40, "a");
	put_part(&b, &k, 3, 7, "c");
	put_part(&b, &k, 3, 8, "d");
	put_part(&other, &done, 1, 100, "a");
	put_part(&other, &done, 2, 100, "b");
	ck_assert_int_eq(complete(&other, &done), UPLOAD_DONE);
	begin(&other, SPAN("o"));
	begin(&b, SPAN("m"));
	begin(&b, SPAN("l"));
	/* Two began at once: no page loses one of them. */
	ck_assert(scratch_sql(scratch, "regional", "UPDATE uploads SET started_at = date_trunc('second', now()) - CASE key WHEN 'k' THEN"
	    " interval '3 hours' WHEN 'o' THEN interval '4 hours' ELSE interval '1 hour' END"));
	ck_assert_str_eq(held(&b, 0, 1, &last), "k:2:5497558138888 ");
	for (int i = 0; i < 2; i++) {
		const char *one = held(&b, 0, 1, &last);

		ck_assert(strcmp(one, "l:0:0 ") == 0 || strcmp(one, "m:0:0 ") == 0);
	}
	ck_assert_str_eq(held(&b, 0, 1, &last), "");
	ck_assert_str_eq(held(NULL, 7200, 10, &none), "o:0:0 k:2:5497558138888 ");
	none = (struct upload_held){ 0 };
	ck_assert_str_eq(held(&other, 5 * 3600, 10, &none), "");
	OK(meta_uploads_sum(thread, arena, &sum, &err));
	ck_assert_int_eq(sum.uploads, 4);
	ck_assert_int_eq(sum.parts, 2);
	ck_assert_int_eq(sum.bytes, 5497558138888);
	ck_assert_int_eq(sum.oldest_us / US_PER_S, regional("SELECT floor(extract(epoch FROM min(started_at))) FROM uploads"));
	ck_assert(scratch_sql(scratch, "regional", "DELETE FROM uploads"));
	OK(meta_uploads_sum(thread, arena, &sum, &err));
	ck_assert(sum.uploads == 0 && sum.parts == 0 && sum.bytes == 0 && sum.oldest_us == 0);
}
END_TEST

/* Of that page: how many rows it has, and how many of uploads were read for it. */
static void
count_held(const char *values, int64_t *rows, int64_t *read)
{
	PGconn *c = PQconnectdb(settings.regional_dsn);
	const char *sql = arena_printf(arena, "SET plan_cache_mode = force_generic_plan; PREPARE q (uuid, bigint, timestamptz, uuid, int) AS %s;"
	    "BEGIN; CREATE TEMP TABLE page ON COMMIT DROP AS EXECUTE q (%s); SELECT (SELECT count(*) FROM page), seq_tup_read + idx_tup_fetch"
	    " FROM pg_stat_xact_user_tables WHERE relname = 'uploads'", stmt_defs[STMT_UPLOAD_HELD].sql, values);
	PGresult *res = PQexec(c, sql);

	ck_assert_msg(PQresultStatus(res) == PGRES_TUPLES_OK, "%s", PQerrorMessage(c));
	ck_assert(parse_i64(span_of(PQgetvalue(res, 0, 0)), 0, INT64_MAX, rows));
	ck_assert(parse_i64(span_of(PQgetvalue(res, 0, 1)), 0, INT64_MAX, read));
	PQclear(res);
	PQfinish(c);
}

/* A page reads what it shows, however many uploads the bucket has, and however many are not old enough. */
START_TEST(test_held_reads_a_page)
{
	struct bucket b = new_bucket(), other = new_bucket();
	char id[UUID_TEXT_LEN + 1], id2[UUID_TEXT_LEN + 1];
	int64_t rows, read;

	uuid_text(&b.id, id);
	uuid_text(&other.id, id2);
	/* One a minute. */
	ck_assert(scratch_sql(scratch, "regional", arena_printf(arena,
	    "INSERT INTO uploads (bucket_id, upload_id, key, started_at) SELECT b, (lpad(to_hex((extract(epoch FROM s) * 1000)::bigint), 12, '0')"
	    " || '70008000000000000000')::uuid, 'k', s FROM unnest(ARRAY['%s', '%s']::uuid[]) b,"
	    " (SELECT now() - make_interval(mins => i) AS s FROM generate_series(0, 4999) i) t; ANALYZE uploads", id, id2)));
	count_held(arena_printf(arena, "'%s', 0, '1970-01-01Z', '00000000-0000-0000-0000-000000000000', 101", id), &rows, &read);
	ck_assert_msg(rows == 101 && read <= 101, "%" PRId64 " rows, %" PRId64 " read", rows, read);
	count_held(arena_printf(arena, "'%s', 0, '1970-01-01Z', (lpad(to_hex((extract(epoch FROM now() - interval '2500 minutes') * 1000)::bigint), 12, '0')"
	    " || repeat('0', 20))::uuid, 101", id), &rows, &read);
	ck_assert_msg(rows == 101 && read <= 101, "%" PRId64 " rows, %" PRId64 " read", rows, read);
	count_held(arena_printf(arena, "'%s', %d, '1970-01-01Z', '00000000-0000-0000-0000-000000000000', 101", id, 4990 * 60 - 30), &rows, &read);
	ck_assert_msg(rows == 10 && read <= 10, "%" PRId64 " rows, %" PRId64 " read", rows, read);
	ck_assert(scratch_sql(scratch, "regional", "DELETE FROM uploads"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("upload");
	TCase *tc = tcase_create("upload");

	tcase_add_unchecked_fixture(tc, region_start, region_stop);
	tcase_add_checked_fixture(tc, region_begin, region_end);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_stale);
	tcase_add_test(tc, test_held);
	tcase_add_test(tc, test_held_reads_a_page);
	tcase_add_test(tc, test_ids);
	tcase_add_test(tc, test_every_field_comes_back);
	tcase_add_test(tc, test_parts_are_replaced_and_dropped);
	tcase_add_test(tc, test_other_parts);
	tcase_add_test(tc, test_abort);
	tcase_add_test(tc, test_conditions);
	tcase_add_test(tc, test_versions);
	tcase_add_test(tc, test_bucket_takes_its_uploads_along);
	tcase_add_loop_test(tc, test_many_parts, 0, 2);
	tcase_add_test(tc, test_one_end);
	tcase_add_test(tc, test_list);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
