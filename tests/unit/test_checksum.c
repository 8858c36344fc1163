/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_checksum.c - checksums: published vectors, pieces of any size,
 * what requests declare, verdicts, and the stored form.
 */
#include "s3/checksum.h"

#include <check.h>

#include "base/parse.h"
#include "s3/errors.h"
#include "tests/unit/suite_help.h"

static struct arena *a;
static struct s3_problem pr;

static void
setup(void)
{
	a = arena_new(1 << 20);
	s3_problem_clear(&pr);
}

static void
teardown(void)
{
	arena_free(a);
}

static const char *
told(void)
{
	return arena_printf(a, "%s: %s", s3_error_find(pr.code)->name, pr.message != NULL ? pr.message : "-");
}

/* --- vectors --- */

static const struct {
	enum checksum c;
	const char *text, *hex;
} vectors[] = {
	{ CHECKSUM_CRC32, "123456789", "cbf43926" },
	{ CHECKSUM_CRC32C, "123456789", "e3069283" },
	{ CHECKSUM_CRC64NVME, "123456789", "ae8b14860a799888" },
	{ CHECKSUM_SHA1, "123456789", "f7c3bc1d808e04732adf679965ccc34ca7ae3441" },
	{ CHECKSUM_SHA256, "123456789", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225" },
	{ CHECKSUM_SHA512, "hello", "9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca7"
				    "2323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043" },
	{ CHECKSUM_MD5, "hello", "5d41402abc4b2a76b9719d911017c592" },
	{ CHECKSUM_XXHASH64, "", "ef46db3751d8e999" },
	{ CHECKSUM_XXHASH64, "a", "d24ec4f1a98c6e5b" },
	{ CHECKSUM_XXHASH64, "abc", "44bc2cf5ad770999" },
	{ CHECKSUM_XXHASH3, "", "2d06800538d394c2" },
	{ CHECKSUM_XXHASH3, "a", "e6c632b61e964e1f" },
	{ CHECKSUM_XXHASH128, "", "99aa06d3014798d86001c324468d497f" },
	{ CHECKSUM_XXHASH128, "a", "a96faf705af16834e6c632b61e964e1f" },
	{ CHECKSUM_CRC32, "", "00000000" },
	{ CHECKSUM_CRC32C, "", "00000000" },
	{ CHECKSUM_CRC64NVME, "", "0000000000000000" },
	{ CHECKSUM_SHA1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
	{ CHECKSUM_SHA256, "", SIGV4_EMPTY_SHA256 },
	{ CHECKSUM_CRC32, "hello world", "0d4a1185" },
	{ CHECKSUM_CRC64NVME, "hello world", "8d29d5c3f6ea8ebe" },
};

START_TEST(test_vectors)
{
	uint8_t out[CHECKSUM_BYTES_MAX];
	char hex[2 * CHECKSUM_BYTES_MAX + 1];

	checksum_of(vectors[_i].c, vectors[_i].text, strlen(vectors[_i].text), out);
	hex_encode(out, checksum_table[vectors[_i].c].len, hex);
	ck_assert_str_eq(hex, vectors[_i].hex);
}
END_TEST

/* Bit by bit, as the definition says. */
static uint64_t
crc64_slow(const uint8_t *p, size_t len)
{
	uint64_t c = UINT64_MAX;

	for (; len > 0; p++, len--) {
		c ^= *p;
		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ UINT64_C(0x9a6c9329ac4bc9b5) : c >> 1;
	}
	return ~c;
}

START_TEST(test_crc64_every_length)
{
	uint8_t buf[1200];
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof(buf); i++) {
		x = x * 1103515245 + 12345;
		buf[i] = (uint8_t)(x >> 16);
	}
	for (size_t len = 0; len < 700; len++)
		for (size_t at = 0; at < 17; at += 1 + len % 5) {
			uint64_t want = crc64_slow(buf + at, len);

			ck_assert_msg(crc64nvme(0, buf + at, len) == want, "length %zu at %zu", len, at);
			ck_assert_msg(crc64nvme_portable(0, buf + at, len) == want, "length %zu at %zu, portable", len, at);
			ck_assert(crc64nvme(crc64nvme(0, buf + at, len / 3), buf + at + len / 3, len - len / 3) == want);
		}
}
END_TEST

START_TEST(test_all_at_once_in_pieces)
{
	static uint8_t buf[5000];
	unsigned all = CHECKSUM_BIT(CHECKSUM_COUNT) - 1 + CHECKSUM_MD5_BIT;
	struct checksums *c = checksums_new(a, all);
	struct checksum_values v;
	uint8_t one[CHECKSUM_BYTES_MAX], sum[MD5_LEN];
	static const size_t pieces[] = { 1, 3, 64, 127, 1000, 5000 };

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)(i * 7 + i / 251);
	for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
		checksums_reset(c);
		for (size_t at = 0; at < sizeof(buf);) {
			size_t n = sizeof(buf) - at < pieces[k] ? sizeof(buf) - at : pieces[k];

			checksums_update(c, buf + at, n);
			checksums_update(c, buf, 0);
			at += n;
		}
		checksums_final(c, &v);
		ck_assert_uint_eq(v.set, all);
		for (int i = 0; i < CHECKSUM_COUNT; i++) {
			checksum_of((enum checksum)i, buf, sizeof(buf), one);
			ck_assert_msg(memcmp(one, v.v[i], checksum_table[i].len) == 0, "%s in pieces of %zu",
			    checksum_table[i].name, pieces[k]);
		}
		md5(buf, sizeof(buf), sum);
		ck_assert(memcmp(sum, v.md5, MD5_LEN) == 0);
	}
}
END_TEST

START_TEST(test_names)
{
	for (int i = 0; i < CHECKSUM_COUNT; i++) {
		ck_assert_int_eq(checksum_by_name(span_of(checksum_table[i].name)), i);
		ck_assert_int_eq(checksum_by_header(span_of(checksum_table[i].header)), i);
		ck_assert_uint_le(checksum_table[i].len, CHECKSUM_BYTES_MAX);
		ck_assert(checksum_table[i].composite || checksum_table[i].full_object);
	}
	ck_assert_int_eq(checksum_by_name(SPAN("crc64nvme")), CHECKSUM_CRC64NVME);
	ck_assert_int_eq(checksum_by_header(SPAN("X-Amz-Checksum-SHA1")), CHECKSUM_SHA1);
	ck_assert_int_eq(checksum_by_name(SPAN("CRC")), CHECKSUM_NONE);
	ck_assert_int_eq(checksum_by_header(SPAN("x-amz-checksum-")), CHECKSUM_NONE);
}
END_TEST

START_TEST(test_cap)
{
	struct arena *tiny = arena_new(0);

	ck_assert_ptr_null(checksums_new(tiny, CHECKSUM_BIT(CHECKSUM_SHA1)));
	arena_free(tiny);
}
END_TEST

/* --- declared and judged: the body is "hello" --- */

#define MD5_HELLO "XUFAKrxLKna5cZ2REBfFkg=="
#define CRC32_HELLO "NhCmhg=="
#define CRC64_HELLO "M3eFcAZSQlc="
#define SHA1_HELLO "qvTGHdzF6KLavt4PO0gs2a6pQ00="
#define SHA256_HELLO "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
#define ONE_ONLY "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
#define NOT_SUPPORTED "The value specified in the x-amz-trailer header is not supported"
#define N PAYLOAD_UNSIGNED
#define T PAYLOAD_STREAM_UNSIGNED_TRAILER

static const struct {
	struct { const char *name, *value; } h[3];
	enum sigv4_payload payload;
	const char *trailer_value; /* of the declared trailer, if it comes */
	int code;                  /* 0: fits */
	const char *message;       /* NULL: the code's own */
	enum checksum store;
} declared[] = {
	{ { { NULL, NULL } }, N, NULL, 0, NULL, CHECKSUM_CRC64NVME },
	{ { { "content-md5", MD5_HELLO } }, N, NULL, 0, NULL, CHECKSUM_CRC64NVME },
	{ { { "content-md5", " " MD5_HELLO " " } }, N, NULL, 0, NULL, CHECKSUM_CRC64NVME },
	{ { { "x-amz-checksum-crc32", CRC32_HELLO } }, N, NULL, 0, NULL, CHECKSUM_CRC32 },
	{ { { "X-Amz-Checksum-CRC64NVME", CRC64_HELLO } }, N, NULL, 0, NULL, CHECKSUM_CRC64NVME },
	{ { { "x-amz-checksum-sha1", SHA1_HELLO } }, N, NULL, 0, NULL, CHECKSUM_SHA1 },
	{ { { "x-amz-checksum-sha256", SHA256_HELLO }, { "x-amz-sdk-checksum-algorithm", "sha256" } }, N, NULL, 0, NULL,
	    CHECKSUM_SHA256 },
	{ { { "x-amz-checksum-mode", "ENABLED" }, { "x-amz-checksum-algorithm", "CRC32" }, { "x-amz-checksum-type", "x" } }, N, NULL,
	    0, NULL, CHECKSUM_CRC64NVME },
	{ { { "x-amz-trailer", "x-amz-checksum-crc32" } }, T, CRC32_HELLO, 0, NULL, CHECKSUM_CRC32 },
	{ { { "x-amz-trailer", " X-Amz-Checksum-Sha1 " }, { "x-amz-sdk-checksum-algorithm", "SHA1" } }, T, SHA1_HELLO, 0, NULL,
	    CHECKSUM_SHA1 },
	/* what cannot be */
	{ { { "content-md5", "" } }, N, NULL, S3_InvalidDigest, NULL, 0 },
	{ { { "content-md5", "XUFAKrxLKna5cZ2REBfFkg" } }, N, NULL, S3_InvalidDigest, NULL, 0 },
	{ { { "content-md5", "5d41402abc4b2a76b9719d911017c592" } }, N, NULL, S3_InvalidDigest, NULL, 0 },
	{ { { "content-md5", CRC32_HELLO } }, N, NULL, S3_InvalidDigest, NULL, 0 },
	{ { { "x-amz-checksum-crc32", "abc" } }, N, NULL, S3_InvalidRequest, "Value for x-amz-checksum-crc32 header is invalid.", 0 },
	{ { { "x-amz-checksum-crc32", SHA1_HELLO } }, N, NULL, S3_InvalidRequest,
	    "Value for x-amz-checksum-crc32 header is invalid.", 0 },
	{ { { "x-amz-checksum-crc32", "" } }, N, NULL, S3_InvalidRequest, "Value for x-amz-checksum-crc32 header is invalid.", 0 },
	{ { { "x-amz-checksum-foo", "x" } }, N, NULL, S3_InvalidRequest,
	    "The algorithm type you specified in x-amz-checksum- header is invalid.", 0 },
	{ { { "x-amz-checksum-crc32", CRC32_HELLO }, { "x-amz-checksum-sha1", SHA1_HELLO } }, N, NULL, S3_InvalidRequest, ONE_ONLY, 0 },
	{ { { "x-amz-checksum-crc32", CRC32_HELLO }, { "x-amz-trailer", "x-amz-checksum-sha1" } }, T, NULL, S3_InvalidRequest, ONE_ONLY, 0 },
	{ { { "x-amz-trailer", "x-amz-checksum-crc32,x-amz-checksum-sha1" } }, T, NULL, S3_InvalidRequest, ONE_ONLY, 0 },
	{ { { "x-amz-trailer", "x-amz-meta-a" } }, T, NULL, S3_InvalidRequest, NOT_SUPPORTED, 0 },
	{ { { "x-amz-trailer", "x-amz-checksum-crc32" } }, N, NULL, S3_InvalidRequest, NOT_SUPPORTED, 0 },
	{ { { "x-amz-sdk-checksum-algorithm", "CRC32" } }, N, NULL, S3_InvalidRequest,
	    "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.", 0 },
	{ { { "x-amz-sdk-checksum-algorithm", "CRC32" }, { "x-amz-checksum-sha1", SHA1_HELLO } }, N, NULL, S3_InvalidRequest,
	    "Value for x-amz-sdk-checksum-algorithm header is invalid.", 0 },
	{ { { "x-amz-sdk-checksum-algorithm", "FOO" } }, N, NULL, S3_InvalidRequest,
	    "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
	    "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5, XXHASH64, XXHASH3, XXHASH128]", 0 },
	/* what does not fit */
	{ { { "content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==" } }, N, NULL, S3_BadDigest, NULL, CHECKSUM_CRC64NVME },
	{ { { "x-amz-checksum-crc32", "AAAAAA==" } }, N, NULL, S3_BadDigest,
	    "The CRC32 you specified did not match the calculated checksum.", CHECKSUM_CRC32 },
	{ { { "x-amz-trailer", "x-amz-checksum-crc64nvme" } }, T, "QFRKMGE3tuw=", S3_BadDigest,
	    "The CRC64NVME you specified did not match the calculated checksum.", CHECKSUM_CRC64NVME },
	{ { { "x-amz-trailer", "x-amz-checksum-crc32" } }, T, "invalid", S3_InvalidRequest,
	    "Value for x-amz-checksum-crc32 trailing header is invalid.", CHECKSUM_CRC32 },
	{ { { "x-amz-trailer", "x-amz-checksum-crc32" } }, T, NULL, S3_MalformedTrailerError, NULL, CHECKSUM_CRC32 },
};

static int
judge(const struct checksum_want *w, const char *trailer_value)
{
	struct checksums *c = checksums_new(a, w->compute);
	struct checksum_values v;
	struct s3_header h;
	struct s3_headers trailers = { &h, 0 };

	if (trailer_value != NULL) {
		h = (struct s3_header){ span_of(checksum_table[w->algo].header), span_of(trailer_value) };
		trailers.n = 1;
	}
	checksums_update(c, "hello", 5);
	checksums_final(c, &v);
	return checksum_check(a, w, &v, &trailers, &pr);
}

START_TEST(test_declared)
{
	struct s3_header h[3];
	struct s3_headers headers = { h, 0 };
	struct sigv4_auth auth = { .payload = declared[_i].payload };
	struct checksum_want w;
	int rc;

	while (headers.n < 3 && declared[_i].h[headers.n].name != NULL) {
		h[headers.n].name = span_of(declared[_i].h[headers.n].name);
		h[headers.n].value = span_of(declared[_i].h[headers.n].value);
		headers.n++;
	}
	rc = checksum_want_parse(a, &headers, &auth, &w, &pr);
	if (rc == 0) {
		ck_assert_int_eq(w.store, declared[_i].store);
		ck_assert(w.compute & CHECKSUM_MD5_BIT);
		rc = judge(&w, declared[_i].trailer_value);
	}
	ck_assert_msg(pr.code == declared[_i].code && (rc == 0) == (pr.code == 0), "row %d: %s", _i, told());
	if (declared[_i].message == NULL)
		ck_assert_msg(pr.message == NULL, "row %d: %s", _i, told());
	else
		ck_assert_str_eq(pr.message, declared[_i].message);
}
END_TEST

START_TEST(test_payload_hash)
{
	struct s3_header md5_wrong = { SPAN("content-md5"), SPAN("1B2M2Y8AsgTpgAmY7PhCfg==") };
	struct s3_headers none = { &md5_wrong, 0 };
	struct sigv4_auth auth = { .payload = PAYLOAD_HASHED };
	struct checksum_want w;

	sha256("hello", 5, auth.payload_sha256);
	ck_assert_int_eq(checksum_want_parse(a, &none, &auth, &w, &pr), 0);
	ck_assert(w.has_sha256 && (w.compute & CHECKSUM_BIT(CHECKSUM_SHA256)));
	ck_assert_int_eq(judge(&w, NULL), 0);
	w.sha256[0] ^= 1;
	ck_assert_int_eq(judge(&w, NULL), -1);
	ck_assert_int_eq(pr.code, S3_XAmzContentSHA256Mismatch);
	ck_assert_str_eq(pr.extra[0].name, "ClientComputedContentSHA256");
	ck_assert(memcmp(pr.extra[1].value.p, "2cf24dba5fb0a30e", 16) == 0);

	none.n = 1;
	s3_problem_clear(&pr);
	ck_assert_int_eq(checksum_want_parse(a, &none, &auth, &w, &pr), 0);
	ck_assert_int_eq(judge(&w, NULL), -1);
	ck_assert_int_eq(pr.code, S3_BadDigest);
	ck_assert_str_eq(pr.extra[0].name, "ExpectedDigest");
	ck_assert(span_eq(pr.extra[0].value, SPAN("d41d8cd98f00b204e9800998ecf8427e")));
	ck_assert_str_eq(pr.extra[1].name, "CalculatedDigest");
	ck_assert(span_eq(pr.extra[1].value, SPAN(MD5_HELLO)));
}
END_TEST

/* --- stored --- */

START_TEST(test_stored)
{
	struct strbuf sb;
	struct checksum_stored in = { .algo = (enum checksum)_i }, out;
	char text[CHECKSUM_TEXT_SIZE], text2[CHECKSUM_TEXT_SIZE];

	checksum_of(in.algo, "hello", 5, in.value);
	in.type = _i % 2 == 0 ? CHECKSUM_FULL_OBJECT : CHECKSUM_COMPOSITE;
	in.parts = _i % 2 == 0 ? 0 : 10000;
	strbuf_init(&sb, a, 200);
	checksum_encode(&sb, &in);
	ck_assert(checksum_decode((struct span){ strbuf_cstr(&sb), sb.len }, &out));
	ck_assert_int_eq(out.algo, in.algo);
	checksum_text(&in, text);
	checksum_text(&out, text2);
	ck_assert_str_eq(text, text2);
	if (_i == CHECKSUM_CRC64NVME)
		ck_assert_str_eq(text, CRC64_HELLO);
	if (_i == CHECKSUM_SHA1)
		ck_assert_str_eq(text, SHA1_HELLO "-10000");
	/* Nothing shorter is one, and nothing longer. */
	for (size_t n = 1; n < sb.len; n++) {
		ck_assert(!checksum_decode((struct span){ strbuf_cstr(&sb), n }, &out));
		ck_assert_int_eq(out.algo, CHECKSUM_NONE);
	}
	strbuf_ch(&sb, 'x');
	ck_assert(!checksum_decode((struct span){ strbuf_cstr(&sb), sb.len }, &out));
}
END_TEST

START_TEST(test_stored_none)
{
	struct strbuf sb;
	struct checksum_stored in = { .algo = CHECKSUM_NONE }, out;
	char text[CHECKSUM_TEXT_SIZE];

	strbuf_init(&sb, a, 200);
	checksum_encode(&sb, &in);
	ck_assert_uint_eq(sb.len, 0);
	ck_assert(checksum_decode(SPAN(""), &out));
	ck_assert_int_eq(out.algo, CHECKSUM_NONE);
	checksum_text(&out, text);
	ck_assert_str_eq(text, "");
	ck_assert(!checksum_decode(SPAN("\1\0\0\0\0\0\0\0\0\3FOO\0\0\0\0"), &out));
}
END_TEST

static Suite *
checksum_suite(void)
{
	Suite *s = suite_create("checksum");
	TCase *t = tcase_create("checksum");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_vectors, 0, (int)ARRAY_LEN(vectors));
	tcase_add_test(t, test_crc64_every_length);
	tcase_add_test(t, test_all_at_once_in_pieces);
	tcase_add_test(t, test_names);
	tcase_add_test(t, test_cap);
	tcase_add_loop_test(t, test_declared, 0, (int)ARRAY_LEN(declared));
	tcase_add_test(t, test_payload_hash);
	tcase_add_loop_test(t, test_stored, 0, CHECKSUM_COUNT);
	tcase_add_test(t, test_stored_none);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return suite_run(checksum_suite());
}
