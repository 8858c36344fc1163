/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_object.c - objects and fences against a real PostgreSQL: what
 * is put is what is got, conditions have one winner, nothing is ever written to
 * a bucket that is no more, and no blob is lost.
 */
#include "tests/unit/region_help.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/parse.h"
#include "tests/unit/suite_help.h"

static enum object_wrote
put(const struct bucket *b, const struct object *o, const struct object_cond *cond)
{
	enum object_wrote wrote;
	struct object_placed placed;

	OK(meta_object_put(thread, arena, b, o, cond, &wrote, &placed, &err));
	ck_assert((placed.mtime_us != 0) == (wrote == OBJECT_WROTE));
	return wrote;
}

static enum object_wrote
put_text(const struct bucket *b, const char *key, const char *data)
{
	struct object o = inline_object(key, data);

	return put(b, &o, NULL);
}

START_TEST(test_every_field_comes_back)
{
	struct bucket b = new_bucket();
	struct object got, in = { .key = SPAN("a/\xc3\xa9 key"), .size = 5, .etag = "etag-1", .checksums = SPAN("\0\1\2"),
		.headers = SPAN("h\0h"), .storage_class = "GLACIER", .owner_id = "somebody", .inline_data = SPAN("12\0" "45"),
		.tags = SPAN("a=1&b=%20"), .acl = "public-read", .sse = SPAN("\0sse"), .lock_mode = 'C',
		.retain_until_us = 4000000000000000, .legal_hold = true };
	struct object_placed placed;
	int64_t before = clock_wall_us();
	enum object_wrote wrote;

	OK(meta_object_put(thread, arena, &b, &in, NULL, &wrote, &placed, &err));
	ck_assert_int_eq(wrote, OBJECT_WROTE);
	ck_assert_int_ge(placed.mtime_us, before - 1000);
	ck_assert_int_le(placed.mtime_us, clock_wall_us());
	ck_assert_int_eq(placed.mtime_us % 1000, 0); /* listings tell milliseconds */
	ck_assert_int_eq(meta_object_get(thread, arena, &b, in.key, NULL, true, &got, &err), 1);
	ck_assert(span_eq(got.key, in.key) && span_eq(got.checksums, in.checksums) && span_eq(got.headers, in.headers) &&
	    span_eq(got.inline_data, in.inline_data));
	ck_assert_int_eq(got.size, 5);
	ck_assert_int_eq(got.mtime_us, placed.mtime_us);
	ck_assert_str_eq(got.etag, "etag-1");
	ck_assert_str_eq(got.storage_class, "GLACIER");
	ck_assert_str_eq(got.owner_id, "somebody");
	ck_assert_str_eq(got.version, "null");
	ck_assert_str_eq(placed.version, "null");
	ck_assert(!placed.versioned && got.ord == 0 && got.is_null && !got.has_parts);
	ck_assert(span_eq(got.tags, in.tags) && span_eq(got.sse, in.sse) && got.legal_hold && got.lock_mode == 'C');
	ck_assert_str_eq(got.acl, "public-read");
	ck_assert_int_eq(got.retain_until_us, in.retain_until_us);
	ck_assert_int_eq(got.parts_count, 0);
	ck_assert(!got.has_blob && !got.is_marker && got.is_latest);
	ck_assert_int_eq(meta_object_get(thread, arena, &b, in.key, NULL, false, &got, &err), 1);
	ck_assert_ptr_null(got.inline_data.p);
	/* What is not said is the bucket's owner's, in the standard class. */
	put_text(&b, "plain", "");
	ck_assert_int_eq(meta_object_get(thread, arena, &b, SPAN("plain"), NULL, true, &got, &err), 1);
	ck_assert_str_eq(got.storage_class, "STANDARD");
	ck_assert_str_eq(got.owner_id, tenant.canonical_id);
	ck_assert_str_eq(got.acl, "private");
	ck_assert_uint_eq(got.checksums.len + got.headers.len + got.inline_data.len + got.tags.len + got.sse.len, 0);
	ck_assert(!got.legal_hold && got.lock_mode == 0 && got.retain_until_us == 0);
	ck_assert_ptr_nonnull(got.inline_data.p);
	ck_assert_int_eq(meta_object_get(thread, arena, &b, SPAN("plainer"), NULL, true, &got, &err), 0);
}
END_TEST

START_TEST(test_sizes_inline)
{
	static const size_t sizes[] = { 0, 1, 1990, 2000, 4096, 16384, 1000000 };
	struct bucket b = new_bucket();
	size_t len = sizes[_i];
	uint8_t *data = arena_alloc(arena, len + 1);
	struct object got, in = { .key = SPAN("k"), .size = (int64_t)len, .etag = "e", .inline_data = { (char *)data, len } };

	crypto_random(data, len);
	ck_assert_int_eq(put(&b, &in, NULL), OBJECT_WROTE);
	ck_assert_int_eq(meta_object_get(thread, arena, &b, SPAN("k"), NULL, true, &got, &err), 1);
	ck_assert(span_eq(got.inline_data, in.inline_data));
}
END_TEST

static const struct {
	struct span key;
	bool valid;
} keys[] = {
	{ SPAN("a"), true }, { SPAN("a/b"), true }, { SPAN("a/"), true }, { SPAN("/"), true }, { SPAN("//"), true },
	{ SPAN("/a"), true }, { SPAN("a//b"), true }, { SPAN("."), true }, { SPAN(".."), true }, { SPAN("a/../b"), true },
	{ SPAN(" "), true }, { SPAN("a b+c%20%2F"), true }, { SPAN("'\"&<>;\\"), true }, { SPAN("\1\2\x7f\n\t"), true },
	{ SPAN("\xf0\x9f\x98\x80"), true }, { SPAN("\xed\x9f\xbf"), true }, { SPAN("\xee\x80\x80"), true },
	{ SPAN("\xf4\x8f\xbf\xbf"), true }, { SPAN("\xef\xbf\xbf"), true }, { SPAN("e\xcc\x81"), true },
	{ SPAN("\xc3\xa9"), true }, { SPAN("A"), true }, { SPAN("null"), true }, { SPAN("-"), true },
	{ SPAN(""), false }, { SPAN("a\0b"), false }, { SPAN("\xff"), false }, { SPAN("\xc0\x80"), false },
	{ SPAN("\xed\xa0\x80"), false }, { SPAN("\xf4\x90\x80\x80"), false }, { SPAN("a\xc3"), false },
};

START_TEST(test_odd_keys)
{
	struct bucket b = new_bucket();
	struct object got, in;
	enum object_wrote wrote;
	struct object_placed placed;
	bool there;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		in = (struct object){ .key = keys[i].key, .etag = arena_printf(arena, "%zu", i), .inline_data = SPAN("") };
		if (keys[i].valid) {
			ck_assert_int_eq(put(&b, &in, NULL), OBJECT_WROTE);
			continue;
		}
		ck_assert_int_eq(meta_object_put(thread, arena, &b, &in, NULL, &wrote, &placed, &err), -1);
		ck_assert_int_eq(err.code, ERR_INVALID);
		err_clear(&err);
	}
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		ck_assert_int_eq(meta_object_get(thread, arena, &b, keys[i].key, NULL, true, &got, &err), keys[i].valid ? 1 : 0);
		if (keys[i].valid)
			ck_assert_str_eq(got.etag, arena_printf(arena, "%zu", i));
		OK(delete_object(thread, arena, &b, keys[i].key, NULL, &wrote, &there, &err));
		ck_assert_int_eq(wrote, OBJECT_WROTE);
		ck_assert_int_eq(there, keys[i].valid);
		ck_assert_int_eq(meta_object_get(thread, arena, &b, keys[i].key, NULL, true, &got, &err), 0);
	}
}
END_TEST

START_TEST(test_longest_key)
{
	struct bucket b = new_bucket();
	char key[1026];
	struct object got, in = { .etag = "e", .inline_data = SPAN("") };
	enum object_wrote wrote;
	struct object_placed placed;

	/* Random, so that the index cannot shorten it. */
	crypto_random(key, sizeof(key));
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (char)('!' + (key[i] & 63));
	in.key = (struct span){ key, 1024 };
	ck_assert_int_eq(put(&b, &in, NULL), OBJECT_WROTE);
	ck_assert_int_eq(meta_object_get(thread, arena, &b, in.key, NULL, true, &got, &err), 1);
	in.key.len = 1025;
	ck_assert_int_eq(meta_object_put(thread, arena, &b, &in, NULL, &wrote, &placed, &err), -1);
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert_int_eq(meta_object_get(thread, arena, &b, in.key, NULL, true, &got, &err), 0);
}
END_TEST

START_TEST(test_conditions)
{
	static const struct {
		const char *name, *there; /* the etag that is there, NULL = none */
		struct object_cond cond;
		enum object_wrote put, del;
	} row[] = {
		{ "none, new", NULL, { COND_NONE, NULL }, OBJECT_WROTE, OBJECT_WROTE },
		{ "none, there", "e1", { COND_NONE, NULL }, OBJECT_WROTE, OBJECT_WROTE },
		{ "if-none-match, new", NULL, { COND_IF_NONE_MATCH_ANY, NULL }, OBJECT_WROTE, OBJECT_WROTE },
		{ "if-none-match, there", "e1", { COND_IF_NONE_MATCH_ANY, NULL }, OBJECT_PRECONDITION, OBJECT_WROTE },
		{ "if-match, new", NULL, { COND_IF_MATCH, "e1" }, OBJECT_NOT_THERE, OBJECT_NOT_THERE },
		{ "if-match, same", "e1", { COND_IF_MATCH, "e1" }, OBJECT_WROTE, OBJECT_WROTE },
		{ "if-match, other", "e1", { COND_IF_MATCH, "e2" }, OBJECT_PRECONDITION, OBJECT_PRECONDITION },
		{ "if-match any, there", "e1", { COND_IF_MATCH, "*" }, OBJECT_WROTE, OBJECT_WROTE },
		{ "if-match any, new", NULL, { COND_IF_MATCH, "*" }, OBJECT_NOT_THERE, OBJECT_NOT_THERE },
	};
	struct bucket b = new_bucket();
	enum object_wrote wrote;
	struct object got;
	bool there;

	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct object in = inline_object("k", "new");

		(void)put_text(&b, "other", "e1"); /* the fence is open */
		if (row[i].there != NULL)
			(void)put_text(&b, "k", row[i].there);
		ck_assert_msg(put(&b, &in, &row[i].cond) == row[i].put, "%s", row[i].name);
		ck_assert_int_eq(meta_object_get(thread, arena, &b, SPAN("k"), NULL, true, &got, &err),
		    row[i].there != NULL || row[i].put == OBJECT_WROTE);
		if (row[i].there != NULL || row[i].put == OBJECT_WROTE)
			ck_assert_str_eq(got.etag, row[i].put == OBJECT_WROTE ? "new" : row[i].there);
		OK(delete_object(thread, arena, &b, SPAN("k"), NULL, &wrote, &there, &err));
		if (row[i].there != NULL)
			(void)put_text(&b, "k", row[i].there);
		OK(delete_object(thread, arena, &b, SPAN("k"), &row[i].cond, &wrote, &there, &err));
		ck_assert_msg(wrote == row[i].del, "%s", row[i].name);
		ck_assert_int_eq(there, row[i].there != NULL);
		ck_assert_int_eq(meta_object_get(thread, arena, &b, SPAN("k"), NULL, true, &got, &err),
		    row[i].del == OBJECT_PRECONDITION);
		OK(delete_object(thread, arena, &b, SPAN("k"), NULL, &wrote, &there, &err));
	}
}
END_TEST

/* ---- blobs ---- */

static int64_t
dead(const struct uuid *blob)
{
	char sql[200], text[UUID_TEXT_LEN + 1];

	uuid_text(blob, text);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM dead_blobs WHERE blob_id = '%s'", text);
	return regional(sql);
}

START_TEST(test_replaced_blobs_die)
{
	struct bucket b = new_bucket();
	struct object o;
	struct uuid id[4];
	enum object_wrote wrote;
	bool there;

	for (int i = 0; i < 4; i++)
		uuid_random(&id[i]);
	for (int i = 0; i < 2; i++) {
		o = blob_object("k", &id[i], 100 + i, "e");
		ck_assert_int_eq(put(&b, &o, NULL), OBJECT_WROTE);
	}
	ck_assert_int_eq(meta_object_get(thread, arena, &b, SPAN("k"), NULL, true, &o, &err), 1);
	ck_assert(o.has_blob && memcmp(&o.blob_id, &id[1], UUID_LEN) == 0);
	ck_assert_int_eq(o.size, 101);
	ck_assert_int_eq(dead(&id[0]), 1);
	ck_assert_int_eq(dead(&id[1]), 0);
	(void)put_text(&b, "k", "inline now");
	ck_assert_int_eq(dead(&id[1]), 1);
	ck_assert_int_eq(meta_object_get(thread, arena, &b, SPAN("k"), NULL, true, &o, &err), 1);
	ck_assert(!o.has_blob && span_eq(o.inline_data, SPAN("inline now")));
	o = blob_object("k", &id[2], 7, "e");
	ck_assert_int_eq(put(&b, &o, NULL), OBJECT_WROTE);
	/* What is refused kills nothing. */
	o = blob_object("k", &id[3], 7, "e");
	ck_assert_int_eq(put(&b, &o, &(struct object_cond){ COND_IF_NONE_MATCH_ANY, NULL }), OBJECT_PRECONDITION);
	ck_assert_int_eq(dead(&id[2]) + dead(&id[3]), 0);
	OK(delete_object(thread, arena, &b, SPAN("k"), NULL, &wrote, &there, &err));
	ck_assert_int_eq(dead(&id[2]), 1);
	/* By psql as well. */
	o = blob_object("k2", &id[3], 7, "e");
	ck_assert_int_eq(put(&b, &o, NULL), OBJECT_WROTE);
	ck_assert(scratch_sql(scratch, "regional", "DELETE FROM objects WHERE key = 'k2'"));
	ck_assert_int_eq(dead(&id[3]), 1);
}
END_TEST

START_TEST(test_parts_die_with_their_object)
{
	ck_assert(scratch_sql(scratch, "regional",
	    "INSERT INTO objects (bucket_id, key, size, mtime, etag, parts_id) VALUES"
	    " ('00000000-0000-4000-8000-000000000001', 'k', 3, now(), 'e', '00000000-0000-4000-8000-000000000002');"
	    "INSERT INTO parts (bucket_id, upload_id, part_no, size, mtime, etag, blob_id)"
	    " SELECT '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002', i, 1, now(), 'e',"
	    " ('00000000-0000-4000-8000-0000000001' || to_char(i, 'FM00'))::uuid FROM generate_series(1, 3) i;"
	    "UPDATE objects SET parts_id = NULL, data = '' WHERE bucket_id = '00000000-0000-4000-8000-000000000001'"));
	ck_assert_int_eq(regional("SELECT count(*) FROM parts"), 0);
	ck_assert_int_eq(regional("SELECT count(*) FROM dead_blobs WHERE bucket_id = '00000000-0000-4000-8000-000000000001'"), 3);
}
END_TEST

START_TEST(test_lists_of_blobs)
{
	struct bucket b = new_bucket();
	struct uuid *ids, blob[3] = { { { 0xaa, 0x10 } }, { { 0xaa, 0x1f, 1 } }, { { 0xaa, 0x20 } } };
	struct uuid low = { { 0xaa, 0x10 } }, high = { { 0xaa, 0x1f, 0xff } }, other = { { 0xbb } };
	struct blob_row *rows;
	struct object o;
	bool known[4];
	size_t n;

	for (int i = 0; i < 3; i++) {
		o = blob_object(arena_printf(arena, "k%d", i), &blob[i], 10 + i, "e");
		ck_assert_int_eq(put(&b, &o, NULL), OBJECT_WROTE);
	}
	OK(meta_blob_rows(thread, arena, &low, &high, 10, &rows, &n, &err));
	ck_assert_uint_eq(n, 2);
	ck_assert(memcmp(&rows[1].blob_id, &blob[1], UUID_LEN) == 0 && memcmp(&rows[1].bucket_id, &b.id, UUID_LEN) == 0);
	ck_assert(span_eq(rows[1].key, SPAN("k1")));
	ck_assert_int_eq(rows[1].size, 11);
	(void)put_text(&b, "k0", "inline"); /* blob 0 dies, and is still known */
	OK(meta_blobs_known(thread, arena, (struct uuid[]){ other, blob[0], blob[2], blob[1] }, 4, known, &err));
	ck_assert(!known[0] && known[1] && known[2] && known[3]);
	OK(meta_dead_blobs(thread, arena, 3600, 100, &ids, &n, &err));
	for (size_t i = 0; i < n; i++)
		ck_assert(memcmp(&ids[i], &blob[0], UUID_LEN) != 0);
	OK(meta_dead_blobs(thread, arena, 0, 1000, &ids, &n, &err));
	ck_assert_uint_ge(n, 1);
	OK(meta_dead_blobs_forget(thread, arena, ids, n, &err));
	OK(meta_dead_blobs(thread, arena, 0, 1000, &ids, &n, &err));
	ck_assert_uint_eq(n, 0);
	OK(meta_dead_blobs_forget(thread, arena, ids, 0, &err));
	OK(meta_blobs_known(thread, arena, ids, 0, known, &err));
}
END_TEST

/* ---- fences ---- */

START_TEST(test_fence)
{
	struct bucket b = new_bucket(), us = new_bucket_in("us"), ghost = b;
	struct uuid *ids;
	enum bucket_gone gone;
	enum object_wrote wrote;
	struct object_placed placed;
	struct object got, o = inline_object("k", "v");
	bool open, there;
	size_t n;

	/* Another region's (by now: it may have moved), and none of anybody's. */
	ck_assert_int_eq(meta_object_put(thread, arena, &us, &o, NULL, &wrote, &placed, &err), -1);
	ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
	err_clear(&err);
	uuid_random(&ghost.id);
	ck_assert_int_eq(put_text(&ghost, "k", "v"), OBJECT_FENCE_CLOSED);
	/* Deleting and reading where nothing was ever put. */
	OK(delete_object(thread, arena, &b, SPAN("k"), NULL, &wrote, &there, &err));
	ck_assert(wrote == OBJECT_WROTE && !there);
	ck_assert_int_eq(put_text(&b, "k", "v"), OBJECT_WROTE);
	OK(meta_bucket_delete(thread, arena, &b, &gone, &err));
	ck_assert_int_eq(gone, BUCKET_NOT_EMPTY);
	ck_assert_int_eq(put_text(&b, "k2", "v"), OBJECT_WROTE);
	OK(delete_object(thread, arena, &b, SPAN("k"), NULL, &wrote, &there, &err));
	OK(delete_object(thread, arena, &b, SPAN("k2"), NULL, &wrote, &there, &err));
	OK(meta_bucket_delete(thread, arena, &b, &gone, &err));
	ck_assert_int_eq(gone, BUCKET_GONE);
	OK(meta_bucket_delete(thread, arena, &b, &gone, &err));
	ck_assert_int_eq(gone, BUCKET_NOT_THERE);
	/* Late writers, with a stale belief. */
	ck_assert_int_eq(put_text(&b, "late", "v"), OBJECT_FENCE_CLOSED);
	OK(meta_fence_open(thread, arena, &b.id, &open, &err));
	ck_assert(!open);
	OK(delete_object(thread, arena, &b, SPAN("k"), NULL, &wrote, &there, &err));
	ck_assert_int_eq(wrote, OBJECT_FENCE_CLOSED);
	ck_assert_int_eq(meta_object_get(thread, arena, &b, SPAN("late"), NULL, true, &got, &err), 0);
	OK(meta_fences_half_done(thread, arena, 10, &ids, &n, &err));
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(test_never_opened_is_closed_for_ever)
{
	struct bucket b = new_bucket();
	struct uuid *ids;
	enum bucket_gone gone;
	bool open, closed;
	size_t n;

	OK(meta_fence_close(thread, arena, &b.id, &closed, &err));
	ck_assert(closed);
	OK(meta_fence_close(thread, arena, &b.id, &closed, &err)); /* again, as after a crash */
	ck_assert(closed);
	/* The global row still says active: the crash was before it went. */
	ck_assert_int_eq(put_text(&b, "k", "v"), OBJECT_FENCE_CLOSED);
	OK(meta_fence_open(thread, arena, &b.id, &open, &err));
	ck_assert(!open);
	OK(meta_fences_half_done(thread, arena, 10, &ids, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_mem_eq(&ids[0], &b.id, UUID_LEN);
	OK(meta_bucket_delete(thread, arena, &b, &gone, &err));
	ck_assert_int_eq(gone, BUCKET_GONE);
	OK(meta_fences_half_done(thread, arena, 10, &ids, &n, &err));
	ck_assert_uint_eq(n, 0);
	/* Not even by psql. */
	ck_assert(!scratch_sql(scratch, "regional", "UPDATE bucket_fences SET closed_at = NULL WHERE closed_at IS NOT NULL"));
	ck_assert(!scratch_sql(scratch, "regional", "DELETE FROM bucket_fences"));
	ck_assert(!scratch_sql(scratch, "regional", "TRUNCATE bucket_fences"));
	ck_assert(!scratch_sql(scratch, "regional",
	    "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT object_put(gen_random_uuid(), 'k', 0, 'e', NULL, NULL, NULL, NULL,"
	    " NULL, '', 0, NULL); COMMIT"));
	ck_assert(!scratch_sql(scratch, "regional",
	    "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT bucket_fence_close(gen_random_uuid()); COMMIT"));
}
END_TEST

/* ---- many at once ---- */

struct racer {
	struct bucket bucket;
	struct object_cond cond;
	const char *key;
	pthread_barrier_t *start;
	int number;
	enum object_wrote wrote;
	bool failed;
	struct err err;
};

static void *
race_put(void *arg)
{
	struct racer *r = arg;
	struct arena *a = arena_new(1 << 20);
	struct meta_thread *t;
	char etag[20];
	struct object o;
	struct object_placed placed;

	snprintf(etag, sizeof(etag), "racer-%d", r->number);
	o = inline_object(r->key, etag);
	r->failed = meta_thread_new(meta, &t, &r->err) != 0;
	pthread_barrier_wait(r->start);
	if (!r->failed)
		r->failed = meta_object_put(t, a, &r->bucket, &o, &r->cond, &r->wrote, &placed, &r->err) != 0;
	meta_thread_free(t);
	arena_free(a);
	return NULL;
}

/* The winner's number; there must be just one. */
static int
race(const struct bucket *b, const char *key, struct object_cond cond, int n)
{
	static struct racer racer[64];
	pthread_t th[64];
	pthread_barrier_t start;
	int winner = -1;

	pthread_barrier_init(&start, NULL, (unsigned)n);
	for (int i = 0; i < n; i++) {
		racer[i] = (struct racer){ .bucket = *b, .cond = cond, .key = key, .start = &start, .number = i };
		ck_assert_int_eq(pthread_create(&th[i], NULL, race_put, &racer[i]), 0);
	}
	for (int i = 0; i < n; i++)
		pthread_join(th[i], NULL);
	pthread_barrier_destroy(&start);
	for (int i = 0; i < n; i++) {
		ck_assert_msg(!racer[i].failed, "%s", racer[i].err.detail);
		ck_assert(racer[i].wrote == OBJECT_WROTE || racer[i].wrote == OBJECT_PRECONDITION);
		if (racer[i].wrote == OBJECT_WROTE) {
			ck_assert_int_eq(winner, -1);
			winner = i;
		}
	}
	ck_assert_int_ge(winner, 0);
	return winner;
}

/* A new bucket in each state of versioning. */
static const char *const states[] = { NULL, "Enabled", "Suspended" };

static struct bucket
bucket_in_state(const char *state)
{
	struct bucket b = new_bucket();
	enum config_done done = CONFIG_DONE;

	if (state != NULL)
		OK(meta_bucket_set_versioning(thread, arena, &b, state, NULL, &done, &err));
	ck_assert_int_eq(done, CONFIG_DONE);
	return b;
}

START_TEST(test_one_winner_if_absent)
{
	struct bucket b = bucket_in_state(states[_i]);
	struct object got;
	char etag[20];

	for (int round = 0; round < 12; round++) {
		const char *key = arena_printf(arena, "key-%d", round);
		int winner = race(&b, key, (struct object_cond){ COND_IF_NONE_MATCH_ANY, NULL }, 64);

		snprintf(etag, sizeof(etag), "racer-%d", winner);
		ck_assert_int_eq(meta_object_get(thread, arena, &b, span_of(key), NULL, true, &got, &err), 1);
		ck_assert_str_eq(got.etag, etag);
	}
}
END_TEST

/* The bucket's first write, many times at once: each finds no fence, and all are written. */
START_TEST(test_first_writes_at_once)
{
	static struct racer racer[32];
	pthread_barrier_t start;
	pthread_t th[32];

	for (int round = 0; round < 10; round++) {
		struct bucket b = new_bucket();

		pthread_barrier_init(&start, NULL, ARRAY_LEN(th));
		for (int i = 0; i < (int)ARRAY_LEN(th); i++) {
			racer[i] = (struct racer){ .bucket = b, .key = arena_printf(arena, "k%d", i), .start = &start, .number = i };
			ck_assert_int_eq(pthread_create(&th[i], NULL, race_put, &racer[i]), 0);
		}
		for (size_t i = 0; i < ARRAY_LEN(th); i++) {
			pthread_join(th[i], NULL);
			ck_assert_msg(!racer[i].failed, "%s", racer[i].err.detail);
			ck_assert_int_eq(racer[i].wrote, OBJECT_WROTE);
		}
		pthread_barrier_destroy(&start);
	}
}
END_TEST

/* Versions that are written at once are all kept, in one order; the null version there is but once. */
START_TEST(test_versions_at_once)
{
	static struct racer racer[32];
	struct bucket b = bucket_in_state(states[_i]);
	pthread_barrier_t start;
	pthread_t th[32];
	struct version_query q = { .prefix = SPAN(""), .delimiter = SPAN(""), .after = SPAN(""), .max = 1000 };
	struct list_entry *e;
	size_t n, rounds = 5;
	bool truncated;

	for (size_t round = 0; round < rounds; round++) {
		pthread_barrier_init(&start, NULL, ARRAY_LEN(th));
		for (int i = 0; i < (int)ARRAY_LEN(th); i++) {
			racer[i] = (struct racer){ .bucket = b, .key = "k", .start = &start, .number = i };
			ck_assert_int_eq(pthread_create(&th[i], NULL, race_put, &racer[i]), 0);
		}
		for (size_t i = 0; i < ARRAY_LEN(th); i++) {
			pthread_join(th[i], NULL);
			ck_assert_msg(!racer[i].failed, "%s", racer[i].err.detail);
			ck_assert_int_eq(racer[i].wrote, OBJECT_WROTE);
		}
		pthread_barrier_destroy(&start);
	}
	OK(meta_object_list_versions(thread, arena, &b, &q, &e, &n, &truncated, &err));
	ck_assert_uint_eq(n, _i == 1 ? rounds * ARRAY_LEN(th) : 1);
	for (size_t i = 0; i < n; i++) {
		ck_assert(e[i].obj.is_latest == (i == 0) && e[i].obj.is_null == (_i != 1));
		ck_assert(i == 0 || e[i - 1].obj.ord < e[i].obj.ord);
		ck_assert(i == 0 || e[i - 1].obj.mtime_us >= e[i].obj.mtime_us);
	}
}
END_TEST

START_TEST(test_one_winner_if_match)
{
	struct bucket b = bucket_in_state(states[_i]);
	char etag[20] = "first";

	ck_assert_int_eq(put_text(&b, "k", etag), OBJECT_WROTE);
	for (int round = 0; round < 12; round++) {
		int winner = race(&b, "k", (struct object_cond){ COND_IF_MATCH, arena_strdup(arena, etag) }, 32);

		snprintf(etag, sizeof(etag), "racer-%d", winner);
		/* The next round's writers must not write the etag that they wait for. */
		ck_assert_int_eq(put_text(&b, "k", arena_printf(arena, "round-%d", round)), OBJECT_WROTE);
		snprintf(etag, sizeof(etag), "round-%d", round);
	}
}
END_TEST

/*
 * DeleteBucket against writers that put and delete their own key all the time,
 * and do not know better. At the end: closed, empty, and nobody was told that a
 * put succeeded after the closing was.
 */
#define WRITERS 8
#define HOLDERS 3 /* few, so that all are now and then between their delete and their next put */
struct bucket_race {
	struct bucket bucket;
	atomic_bool closed;
	atomic_int wrote, refused, wrote_late, failed;
};
static _Atomic int writer_number;

static void *
write_and_delete(void *arg)
{
	struct bucket_race *r = arg;
	struct arena *a = arena_new(1 << 20);
	struct err e = { 0 };
	enum object_wrote wrote = OBJECT_WROTE, deleted;
	struct meta_thread *t;
	struct object o;
	char key[20];
	struct object_placed placed;
	bool there;

	snprintf(key, sizeof(key), "k%d", atomic_fetch_add(&writer_number, 1));
	o = inline_object(key, "v");
	if (meta_thread_new(meta, &t, &e) != 0)
		return NULL;
	while (wrote == OBJECT_WROTE) {
		bool was_closed = atomic_load(&r->closed);

		arena_reset(a);
		if (meta_object_put(t, a, &r->bucket, &o, NULL, &wrote, &placed, &e) != 0) {
			atomic_fetch_add(&r->failed, 1);
			break;
		}
		if (wrote != OBJECT_WROTE) {
			atomic_fetch_add(&r->refused, 1);
			break;
		}
		atomic_fetch_add(&r->wrote, 1);
		atomic_fetch_add(&r->wrote_late, was_closed ? 1 : 0);
		if (delete_object(t, a, &r->bucket, o.key, NULL, &deleted, &there, &e) != 0 || !there)
			atomic_fetch_add(&r->failed, 1);
	}
	meta_thread_free(t);
	arena_free(a);
	return NULL;
}

START_TEST(test_delete_bucket_against_puts)
{
	for (int round = 0; round < 25; round++) {
		struct bucket_race r = { .bucket = new_bucket() };
		enum bucket_gone gone = BUCKET_NOT_EMPTY;
		char sql[200], id[UUID_TEXT_LEN + 1];
		pthread_t th[HOLDERS];

		for (int i = 0; i < HOLDERS; i++)
			ck_assert_int_eq(pthread_create(&th[i], NULL, write_and_delete, &r), 0);
		if (round % 2 == 0)
			clock_sleep_us(20 * US_PER_MS);
		while (gone == BUCKET_NOT_EMPTY)
			OK(meta_bucket_delete(thread, arena, &r.bucket, &gone, &err));
		atomic_store(&r.closed, true);
		for (int i = 0; i < HOLDERS; i++)
			pthread_join(th[i], NULL);
		ck_assert_int_eq(atomic_load(&r.failed), 0);
		ck_assert_int_eq(atomic_load(&r.wrote_late), 0);
		ck_assert_int_eq(atomic_load(&r.refused), HOLDERS);
		uuid_text(&r.bucket.id, id);
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM objects WHERE bucket_id = '%s'", id);
		ck_assert_int_eq(regional(sql), 0);
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM bucket_fences WHERE bucket_id = '%s' AND closed_at IS NOT NULL", id);
		ck_assert_int_eq(regional(sql), 1);
	}
}
END_TEST

/* Every blob that was put is named by a row or on the dead list, never both, whatever raced. */
struct blob_race {
	struct bucket bucket;
	struct uuid blobs[WRITERS][60];
	atomic_int failed;
};
struct blob_racer {
	struct blob_race *race;
	int number;
};

static void *
put_blobs(void *arg)
{
	struct blob_racer *me = arg;
	struct blob_race *r = me->race;
	struct arena *a = arena_new(1 << 20);
	struct err e = { 0 };
	struct meta_thread *t;
	enum object_wrote wrote;
	struct object_placed placed;
	bool there;

	if (meta_thread_new(meta, &t, &e) != 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(r->blobs[0]); i++) {
		const char *key = arena_printf(a, "k%zu", i % 3);
		struct object o;

		uuid_random(&r->blobs[me->number][i]);
		o = blob_object(key, &r->blobs[me->number][i], 1, "e");
		if (meta_object_put(t, a, &r->bucket, &o, NULL, &wrote, &placed, &e) != 0 || wrote != OBJECT_WROTE)
			atomic_fetch_add(&r->failed, 1);
		if (i % 5 == 4 && delete_object(t, a, &r->bucket, o.key, NULL, &wrote, &there, &e) != 0)
			atomic_fetch_add(&r->failed, 1);
		if (i % 7 == 6) {
			o = inline_object(key, "x");
			if (meta_object_put(t, a, &r->bucket, &o, NULL, &wrote, &placed, &e) != 0)
				atomic_fetch_add(&r->failed, 1);
		}
	}
	meta_thread_free(t);
	arena_free(a);
	return NULL;
}

START_TEST(test_no_blob_is_lost)
{
	static struct blob_race r;
	struct blob_racer me[WRITERS];
	pthread_t th[WRITERS];
	bool known[ARRAY_LEN(r.blobs[0])];
	char sql[300], id[UUID_TEXT_LEN + 1];
	int64_t live, died;

	r.bucket = new_bucket();
	for (int i = 0; i < WRITERS; i++) {
		me[i] = (struct blob_racer){ &r, i };
		ck_assert_int_eq(pthread_create(&th[i], NULL, put_blobs, &me[i]), 0);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(th[i], NULL);
	ck_assert_int_eq(atomic_load(&r.failed), 0);
	for (int i = 0; i < WRITERS; i++) {
		OK(meta_blobs_known(thread, arena, r.blobs[i], ARRAY_LEN(r.blobs[i]), known, &err));
		for (size_t j = 0; j < ARRAY_LEN(known); j++)
			ck_assert(known[j]);
	}
	uuid_text(&r.bucket.id, id);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM objects WHERE bucket_id = '%s' AND blob_id IS NOT NULL", id);
	live = regional(sql);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM dead_blobs WHERE bucket_id = '%s'", id);
	died = regional(sql);
	ck_assert_int_eq(live + died, WRITERS * (int64_t)ARRAY_LEN(r.blobs[0]));
}
END_TEST

/* The plans of the statements that every request runs, with no statistics and with many rows. */
START_TEST(test_plans_use_the_index)
{
	static const char *const explain[] = {
		"SELECT size, data FROM objects WHERE bucket_id = '00000000-0000-4000-8000-000000000009' AND key = 'k' ORDER BY ord LIMIT 1",
		"SELECT blob_id FROM objects WHERE blob_id = ANY ('{00000000-0000-4000-8000-000000000009}'::uuid[])",
		"SELECT blob_id FROM objects WHERE blob_id BETWEEN '00000000-0000-4000-8000-000000000009' AND"
		" '00000000-0000-4000-8000-00000000000a' ORDER BY blob_id LIMIT 10",
		"SELECT bucket_id FROM bucket_fences WHERE closed_at IS NOT NULL AND ended_at IS NULL ORDER BY closed_at LIMIT 10",
		"SELECT blob_id FROM dead_blobs WHERE died_at < clock_timestamp() ORDER BY died_at LIMIT 10",
	};
	struct err e = { 0 };

	(void)e;
	ck_assert(scratch_sql(scratch, "regional",
	    "INSERT INTO objects (bucket_id, key, size, mtime, etag, blob_id, data)"
	    " SELECT '00000000-0000-4000-8000-000000000009', 'k' || i, 0, now(), 'e',"
	    " CASE WHEN i % 10 = 0 THEN gen_random_uuid() END, CASE WHEN i % 10 > 0 THEN '\\x00'::bytea END"
	    " FROM generate_series(1, 50000) i;"
	    "INSERT INTO bucket_fences (bucket_id, closed_at, ended_at) SELECT gen_random_uuid(), now(), now() FROM generate_series(1, 5000);"
	    "INSERT INTO dead_blobs (bucket_id, blob_id) SELECT gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 20000);"
	    "ANALYZE"));
	for (size_t i = 0; i < ARRAY_LEN(explain); i++) {
		PGconn *c = PQconnectdb(settings.regional_dsn);
		PGresult *r;
		char sql[600];
		bool index = false;

		snprintf(sql, sizeof(sql), "EXPLAIN %s", explain[i]);
		r = PQexec(c, sql);
		ck_assert_int_eq(PQresultStatus(r), PGRES_TUPLES_OK);
		for (int row = 0; row < PQntuples(r); row++) {
			const char *line = PQgetvalue(r, row, 0);

			index = index || strstr(line, "Index Scan") != NULL || strstr(line, "Index Only Scan") != NULL;
			ck_assert_msg(strstr(line, "Seq Scan") == NULL && strstr(line, "Sort") == NULL, "%s: %s", explain[i], line);
		}
		ck_assert_msg(index, "%s", explain[i]);
		PQclear(r);
		PQfinish(c);
	}
	ck_assert(scratch_sql(scratch, "regional", "DELETE FROM objects; TRUNCATE dead_blobs"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("object");
	TCase *tc = tcase_create("objects");

	tcase_add_unchecked_fixture(tc, region_start, region_stop);
	tcase_add_checked_fixture(tc, region_begin, region_end);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, test_every_field_comes_back);
	tcase_add_loop_test(tc, test_sizes_inline, 0, 7);
	tcase_add_test(tc, test_odd_keys);
	tcase_add_test(tc, test_longest_key);
	tcase_add_test(tc, test_conditions);
	tcase_add_test(tc, test_replaced_blobs_die);
	tcase_add_test(tc, test_parts_die_with_their_object);
	tcase_add_test(tc, test_lists_of_blobs);
	tcase_add_test(tc, test_fence);
	tcase_add_test(tc, test_never_opened_is_closed_for_ever);
	tcase_add_loop_test(tc, test_one_winner_if_absent, 0, 3);
	tcase_add_loop_test(tc, test_versions_at_once, 0, 3);
	tcase_add_test(tc, test_first_writes_at_once);
	tcase_add_loop_test(tc, test_one_winner_if_match, 0, 3);
	tcase_add_test(tc, test_delete_bucket_against_puts);
	tcase_add_test(tc, test_no_blob_is_lost);
	tcase_add_test(tc, test_plans_use_the_index);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
