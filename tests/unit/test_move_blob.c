/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_move_blob.c - a moved blob's answer in any pieces, plain and sealed; what is not as announced gets no id.
 */
#include "admin/move_blob.h"

#include <check.h>

#include "base/chunk_seal.h"
#include "base/codec.h"
#include "base/crypto.h"
#include "base/parse.h"
#include "routing/move.h"
#include "s3/checksum.h"
#include "s3/sse.h"
#include "tests/unit/suite_help.h"

#define SIZE ((size_t)CHUNK_SEAL_BYTES * 2 + 1000)
#define ANSWER_MAX (SIZE * 2 + MOVE_HEAD_MAX)

static char dir[256];
static struct settings settings;
static struct store *st;
static struct arena *a;
static struct err err;
static uint8_t bytes[SIZE];
static const struct region home = { .name = "eu" };

static void
begin(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%s/anvil-moved.XXXXXX", tmp == NULL ? "/tmp" : tmp);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	settings.store_engine = "file";
	settings.store_dir = dir;
	crypto_random(settings.master.key, sizeof(settings.master.key));
	err_clear(&err);
	ck_assert_msg(store_open(&settings, &st, &err) == 0, "%s", err.detail);
	a = arena_new(64 * 1024 * 1024);
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)(i * 7 ^ i >> 8);
}

static void
end(void)
{
	char command[300];

	arena_free(a);
	store_close(st);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

/* How an answer is, and what is wrong with it. */
struct answer {
	const char *name;
	size_t size;
	bool named, sealed, customer;
	enum { WHOLE, BAD_BYTE, BAD_DIGEST, BAD_SIZE, BAD_ETAG, BAD_ENVELOPE, BAD_VERSION, LONG_HEAD, SHORT, LONG } wrong;
	int want; /* 0, or the error's kind */
};
static const struct answer answers[] = {
	{ "plain", SIZE, true, false, false, WHOLE, 0 },
	{ "empty", 0, true, false, false, WHOLE, 0 },
	{ "sealed", SIZE, true, true, false, WHOLE, 0 },
	{ "sealed, a chunk", CHUNK_SEAL_BYTES, true, true, false, WHOLE, 0 },
	{ "sealed, empty", 0, true, true, false, WHOLE, 0 },
	{ "sealed by a client", SIZE, true, true, true, WHOLE, 0 },
	{ "sealed by a client, changed", SIZE, true, true, true, BAD_BYTE, 0 },
	{ "of no row", SIZE, false, false, false, BAD_BYTE, 0 },
	{ "plain, changed", SIZE, true, false, false, BAD_BYTE, ERR_INTERNAL },
	{ "sealed, changed", SIZE, true, true, false, BAD_BYTE, ERR_INTERNAL },
	{ "another size", SIZE, true, false, false, BAD_SIZE, ERR_INTERNAL },
	{ "another size, by a client", SIZE, true, true, true, BAD_SIZE, ERR_INTERNAL },
	{ "another etag", SIZE, true, true, false, BAD_ETAG, ERR_INTERNAL },
	{ "another master key", SIZE, true, true, false, BAD_ENVELOPE, ERR_INTERNAL },
	{ "changed on its way", SIZE, true, false, false, BAD_DIGEST, ERR_UNAVAILABLE },
	{ "changed on its way, of no row", SIZE, false, false, false, BAD_DIGEST, ERR_UNAVAILABLE },
	{ "another release", SIZE, true, false, false, BAD_VERSION, ERR_CONFLICT },
	{ "a long head", SIZE, true, false, false, LONG_HEAD, ERR_INTERNAL },
	{ "cut short", SIZE, true, false, false, SHORT, ERR_UNAVAILABLE },
	{ "too long", SIZE, true, false, false, LONG, ERR_INTERNAL },
};

static void
seal_into(struct strbuf *sb, const struct answer *t, const uint8_t *data_key, const struct uuid *as)
{
	uint8_t key[CHUNK_SEAL_KEY], chunk[CHUNK_SEAL_SIZE];
	int64_t n = chunk_seal_count((int64_t)t->size);
	struct chunk_sealer *s;

	chunk_seal_key(data_key, as->b, UUID_LEN, key);
	s = chunk_sealer_new(key);
	for (int64_t i = 0; i < n; i++) {
		size_t at = (size_t)i * CHUNK_SEAL_BYTES, len = i == n - 1 ? t->size - at : CHUNK_SEAL_BYTES;

		memcpy(chunk, bytes + at, len);
		chunk_seal(s, i, i == n - 1, chunk, len);
		strbuf_add(sb, chunk, len + CHUNK_SEAL_TAG);
	}
	chunk_sealer_free(s);
}

static void
row_into(struct strbuf *head, const struct answer *t, const uint8_t *data_key, const struct uuid *as)
{
	uint8_t sum[MD5_LEN], envelope[SSE_ENVELOPE_LEN];
	struct checksum_stored known = { .algo = CHECKSUM_CRC64NVME, .type = CHECKSUM_FULL_OBJECT };
	char hex[2 * MD5_LEN + 1];
	struct strbuf sums;
	struct seal_key master = settings.master;

	md5(bytes, t->size, sum);
	sum[0] ^= t->wrong == BAD_ETAG;
	hex_encode(sum, MD5_LEN, hex);
	checksum_of(CHECKSUM_CRC64NVME, bytes, t->size, known.value);
	strbuf_init(&sums, a, 256);
	checksum_encode(&sums, &known);
	master.key[0] ^= t->wrong == BAD_ENVELOPE;
	sse_envelope_s3(&master, data_key, envelope);
	if (t->customer)
		envelope[1] = 'C';
	enc_bytes(head, "k", 1);
	enc_i64(head, 0);
	enc_i64(head, (int64_t)t->size + (t->wrong == BAD_SIZE));
	enc_str(head, hex);
	enc_bytes(head, sums.buf, sums.len);
	enc_bytes(head, envelope, t->sealed ? sizeof(envelope) : 0);
	strbuf_add(head, as->b, UUID_LEN);
}

static struct span
make(const struct answer *t)
{
	uint8_t data_key[SSE_KEY_LEN], digest[SHA256_LEN];
	struct strbuf all, head, stored;
	struct uuid as;

	strbuf_init(&all, a, ANSWER_MAX);
	strbuf_init(&head, a, MOVE_HEAD_MAX);
	strbuf_init(&stored, a, ANSWER_MAX);
	crypto_random(data_key, sizeof(data_key));
	uuid_random(&as);
	if (t->sealed)
		seal_into(&stored, t, data_key, &as);
	else
		strbuf_add(&stored, bytes, t->size);
	if (t->wrong == BAD_BYTE)
		stored.buf[stored.len / 2] ^= 1;
	enc_i64(&head, (int64_t)stored.len);
	enc_u8(&head, t->named);
	if (t->named)
		row_into(&head, t, data_key, &as);
	enc_u8(&all, t->wrong == BAD_VERSION ? MOVE_VERSION + 1 : MOVE_VERSION);
	enc_u32(&all, t->wrong == LONG_HEAD ? MOVE_HEAD_MAX + 1 : (uint32_t)head.len);
	strbuf_add(&all, head.buf, head.len);
	strbuf_add(&all, stored.buf, stored.len);
	sha256(stored.buf, stored.len, digest);
	digest[0] ^= t->wrong == BAD_DIGEST;
	strbuf_add(&all, digest, t->wrong == SHORT ? 31 : 32);
	if (t->wrong == LONG)
		strbuf_add(&all, "x", 1);
	ck_assert(strbuf_ok(&all) && strbuf_ok(&head) && strbuf_ok(&stored));
	return (struct span){ (const char *)all.buf, all.len };
}

START_TEST(test_any_pieces)
{
	static const size_t pieces[] = { 1, 2, 37, 65535, 65553, ANSWER_MAX };
	const struct answer *t = &answers[_i];

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		struct move_blob *b;
		struct span all;
		struct uuid from = { { 0 } };
		struct blob_id id;
		int rc = 0;

		arena_reset(a);
		err_clear(&err);
		all = make(t);
		b = move_blob_new(a, &settings, st);
		ck_assert_ptr_nonnull(b);
		for (size_t at = 0; rc == 0 && at < all.len; at += pieces[i])
			rc = move_blob_take(b, all.p + at, all.len - at < pieces[i] ? all.len - at : pieces[i], &err);
		if (rc != 0)
			move_blob_abort(b);
		else
			rc = move_blob_end(b, &home, &from, &id, &err);
		ck_assert_msg(rc == (t->want == 0 ? 0 : -1) && err.code == t->want, "%s, pieces of %zu: %d %s", t->name, pieces[i], rc,
		    err.detail);
		if (rc == 0)
			ck_assert_int_eq(store_remove(st, &id, &err), 0);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("move_blob");
	TCase *t = tcase_create("answers");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_loop_test(t, test_any_pieces, 0, (int)ARRAY_LEN(answers));
	suite_add_tcase(s, t);
	return suite_run(s);
}
