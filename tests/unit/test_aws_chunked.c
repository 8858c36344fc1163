/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_aws_chunked.c - aws-chunked bodies: AWS's published examples,
 * every stream cut at every byte, and every way to be wrong.
 */
#include "s3/aws_chunked.h"

#include <check.h>

#include "base/parse.h"
#include "s3/errors.h"
#include "tests/unit/suite_help.h"

#define TIME "20251125T133000Z"
#define SCOPE "20251125/eu/s3/aws4_request"
#define SEED "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"

static struct arena *a;
static struct s3_problem pr;
static struct sigv4_auth auth;
static struct s3_header header[2];
static struct s3_headers headers = { header, 0 };
static uint8_t key[SHA256_LEN];

static void
setup(void)
{
	a = arena_new(4 << 20);
	memset(&auth, 0, sizeof(auth));
	s3_problem_clear(&pr);
	auth.form = SIGV4_HEADER;
	memcpy(auth.time, TIME, sizeof(TIME));
	auth.scope = SPAN(SCOPE);
	auth.key_id = SPAN("AKID");
	auth.signature = SPAN(SEED);
	sigv4_signing_key(SPAN("secret"), SPAN("20251125"), SPAN("eu"), SPAN("s3"), key);
}

static void
teardown(void)
{
	arena_free(a);
}

static struct aws_chunked *
decoder(enum sigv4_payload payload, const char *len, const char *trailer)
{
	headers.n = 0;
	if (len != NULL)
		header[headers.n++] = (struct s3_header){ SPAN("x-amz-decoded-content-length"), span_of(len) };
	if (trailer != NULL)
		header[headers.n++] = (struct s3_header){ SPAN("x-amz-trailer"), span_of(trailer) };
	auth.payload = payload;
	return aws_chunked_new(a, &auth, payload == PAYLOAD_STREAM_UNSIGNED_TRAILER ? NULL : key, &headers, &pr);
}

/* Pushes one piece; what is decoded is appended to `out`. */
static int
push(struct aws_chunked *c, struct span in, struct strbuf *out)
{
	struct span run;

	while (in.len > 0) {
		if (aws_chunked_push(c, &in, &run, &pr) != 0)
			return -1;
		strbuf_span(out, run);
	}
	return 0;
}

/* The whole stream, cut at `cut` (0 = in one piece, -1 = byte by byte). */
static int
decode(struct aws_chunked *c, struct span in, long cut, struct strbuf *out)
{
	strbuf_init(out, a, 1 << 20);
	if (cut >= 0) {
		size_t n = (size_t)cut;

		if (push(c, (struct span){ in.p, n }, out) != 0 || push(c, (struct span){ in.p + n, in.len - n }, out) != 0)
			return -1;
	} else {
		for (size_t i = 0; i < in.len; i++)
			if (push(c, (struct span){ in.p + i, 1 }, out) != 0)
				return -1;
	}
	return aws_chunked_finish(c, &pr);
}

/* --- a signer --- */

struct signer {
	struct strbuf sb;
	char previous[SIGV4_HEX_SIZE];
};

static void
sign_begin(struct signer *s)
{
	strbuf_init(&s->sb, a, 1 << 20);
	memcpy(s->previous, auth.signature.p, SIGV4_HEX_SIZE - 1);
	s->previous[SIGV4_HEX_SIZE - 1] = '\0';
}

static void
sign_next(struct signer *s, const char *kind, struct span data)
{
	uint8_t sum[SHA256_LEN];
	char text[SIGV4_CHUNK_TEXT_MAX];
	size_t n;

	sha256(data.p, data.len, sum);
	n = sigv4_chunk_text(kind, auth.time, auth.scope, s->previous, sum, text);
	sigv4_sign_text(key, (struct span){ text, n }, s->previous);
}

static void
sign_chunk(struct signer *s, struct span data)
{
	sign_next(s, "AWS4-HMAC-SHA256-PAYLOAD", data);
	strbuf_printf(&s->sb, "%zx;chunk-signature=%s\r\n", data.len, s->previous);
	strbuf_span(&s->sb, data);
	if (data.len > 0)
		strbuf_str(&s->sb, "\r\n");
}

/* lines: "name:value\n" each, as signed */
static void
sign_trailer(struct signer *s, const char *lines)
{
	sign_next(s, "AWS4-HMAC-SHA256-TRAILER", span_of(lines));
	for (; *lines != '\0'; lines++)
		strbuf_str(&s->sb, *lines == '\n' ? "\r\n" : (char[]){ *lines, '\0' });
	strbuf_printf(&s->sb, "x-amz-trailer-signature:%s\r\n", s->previous);
}

static struct span
stream_of(const struct signer *s)
{
	ck_assert(strbuf_ok(&s->sb));
	return (struct span){ strbuf_cstr(&s->sb), s->sb.len };
}

/* --- AWS's examples: 65536 and 1024 times "a" --- */

static struct span
aws_stream(bool trailer, bool newline)
{
	struct strbuf sb;
	static char as[65536];

	memset(as, 'a', sizeof(as));
	strbuf_init(&sb, a, 1 << 20);
	strbuf_printf(&sb, "10000;chunk-signature=%s\r\n", trailer ?
	    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2" :
	    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
	strbuf_add(&sb, as, sizeof(as));
	strbuf_printf(&sb, "\r\n400;chunk-signature=%s\r\n", trailer ?
	    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7" :
	    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
	strbuf_add(&sb, as, 1024);
	strbuf_printf(&sb, "\r\n0;chunk-signature=%s\r\n", trailer ?
	    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992" :
	    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
	if (trailer)
		strbuf_printf(&sb, "x-amz-checksum-crc32c:sOO8/Q==%s\r\nx-amz-trailer-signature:%s\r\n", newline ? "\n" : "",
		    "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
	strbuf_str(&sb, "\r\n");
	return (struct span){ strbuf_cstr(&sb), sb.len };
}

static void
aws_auth(const char *seed)
{
	memcpy(auth.time, "20130524T000000Z", DATE_BASIC_SIZE);
	auth.scope = SPAN("20130524/us-east-1/s3/aws4_request");
	auth.signature = span_of(seed);
	sigv4_signing_key(SPAN("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), SPAN("20130524"), SPAN("us-east-1"),
	    SPAN("s3"), key);
}

START_TEST(test_aws_signed)
{
	struct span s;
	struct strbuf out;

	aws_auth("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
	s = aws_stream(false, false);
	ck_assert_uint_eq(s.len, 66824);
	/* Near its ends, where there is something to cut. */
	for (long cut = 0; cut <= (long)s.len; cut += cut < 100 || cut >= 66600 ? 1 : 211) {
		struct arena_mark m = arena_mark(a);
		struct aws_chunked *c = decoder(PAYLOAD_STREAM_SIGNED, "66560", NULL);

		ck_assert_int_eq(aws_chunked_decoded_len(c), 66560);
		ck_assert_msg(decode(c, s, cut, &out) == 0, "cut at %ld: %s", cut, s3_error_find(pr.code)->name);
		ck_assert_uint_eq(out.len, 66560);
		arena_rewind(a, m);
	}
}
END_TEST

START_TEST(test_aws_trailer)
{
	struct span s;
	struct strbuf out;
	struct aws_chunked *c;

	aws_auth("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
	s = aws_stream(true, _i == 1);
	c = decoder(PAYLOAD_STREAM_SIGNED_TRAILER, "66560", "x-amz-checksum-crc32c");
	ck_assert_msg(decode(c, s, 0, &out) == 0, "%s", s3_error_find(pr.code)->name);
	ck_assert_uint_eq(out.len, 66560);
	ck_assert(span_eq(s3_header_get(aws_chunked_trailers(c), "x-amz-checksum-crc32c"), SPAN("sOO8/Q==")));
}
END_TEST

/* --- every cut --- */

static struct span
small_stream(enum sigv4_payload payload)
{
	struct signer s;
	static char big[CHUNK_SIZE_MIN];

	memset(big, 'x', sizeof(big));
	memcpy(big, "\r\n0\r\n\r\n", 7); /* data that looks like framing */
	sign_begin(&s);
	if (payload == PAYLOAD_STREAM_UNSIGNED_TRAILER) {
		strbuf_printf(&s.sb, "%zx\r\n%.*s\r\n9\r\nhello\r\n\r\n\r\n0\r\n", sizeof(big), (int)sizeof(big), big);
		strbuf_str(&s.sb, "x-amz-checksum-crc32:AAAAAA==\r\n\r\n");
		return stream_of(&s);
	}
	sign_chunk(&s, (struct span){ big, sizeof(big) });
	sign_chunk(&s, SPAN("hello\r\n\r\n"));
	sign_chunk(&s, SPAN(""));
	if (payload == PAYLOAD_STREAM_SIGNED_TRAILER)
		sign_trailer(&s, "x-amz-checksum-crc32:AAAAAA==\n");
	strbuf_str(&s.sb, "\r\n");
	return stream_of(&s);
}

static const enum sigv4_payload kinds[] = { PAYLOAD_STREAM_SIGNED, PAYLOAD_STREAM_SIGNED_TRAILER,
	PAYLOAD_STREAM_UNSIGNED_TRAILER };

START_TEST(test_every_cut)
{
	enum sigv4_payload kind = kinds[_i / 2];
	const char *trailer = kind == PAYLOAD_STREAM_SIGNED ? NULL : "x-amz-checksum-crc32";
	struct span s = small_stream(kind);
	struct strbuf out;

	/* Even runs: cut in two at each byte, and byte by byte; odd ones: end at each byte. */
	for (long cut = -1; cut < (long)s.len; cut++) {
		struct arena_mark m = arena_mark(a);
		struct aws_chunked *c = decoder(kind, "8201", trailer);

		if (_i % 2 == 0) {
			ck_assert_msg(decode(c, s, cut, &out) == 0, "cut at %ld: %s", cut, s3_error_find(pr.code)->name);
			ck_assert_uint_eq(out.len, (size_t)aws_chunked_decoded_len(c));
			ck_assert(memcmp(out.buf, "\r\n0\r\n\r\nxx", 9) == 0);
		} else if (cut >= 0) {
			ck_assert_int_eq(decode(c, (struct span){ s.p, (size_t)cut }, 0, &out), -1);
			ck_assert_int_eq(pr.code, S3_IncompleteBody);
			s3_problem_clear(&pr);
		}
		arena_rewind(a, m);
	}
}
END_TEST

/* Any byte changed in a signed stream is found. */
START_TEST(test_every_change)
{
	struct span s = small_stream(PAYLOAD_STREAM_SIGNED_TRAILER);
	char *copy = arena_memdup(a, s.p, s.len);
	struct strbuf out;

	for (size_t i = 0; i < s.len; i += i > 200 && i < 8200 ? 97 : 1) {
		struct arena_mark m = arena_mark(a);
		struct aws_chunked *c = decoder(PAYLOAD_STREAM_SIGNED_TRAILER, "8201", "x-amz-checksum-crc32");
		char was = copy[i];

		copy[i] = (char)(was ^ 1);
		s3_problem_clear(&pr);
		ck_assert_msg(decode(c, (struct span){ copy, s.len }, 0, &out) == -1, "byte %zu", i);
		ck_assert_msg(pr.code == S3_IncompleteBody || pr.code == S3_SignatureDoesNotMatch || pr.code == S3_MalformedTrailerError ||
		    pr.code == S3_InvalidChunkSizeError,
		    "byte %zu: %s", i, s3_error_find(pr.code)->name);
		copy[i] = was;
		arena_rewind(a, m);
	}
}
END_TEST

START_TEST(test_wrong_key_and_order)
{
	struct signer s;
	static char one[CHUNK_SIZE_MIN];
	struct strbuf out;
	struct aws_chunked *c;
	struct span whole = small_stream(PAYLOAD_STREAM_SIGNED);

	key[0] ^= 1;
	c = decoder(PAYLOAD_STREAM_SIGNED, "8201", NULL);
	ck_assert_int_eq(decode(c, whole, 0, &out), -1);
	ck_assert_int_eq(pr.code, S3_SignatureDoesNotMatch);
	ck_assert_str_eq(pr.extra[0].name, "AWSAccessKeyId");
	ck_assert_str_eq(pr.extra[1].name, "StringToSign");
	ck_assert(memcmp(pr.extra[1].value.p, "AWS4-HMAC-SHA256-PAYLOAD\n" TIME "\n" SCOPE "\n" SEED "\n", 25 + 17 + 28 + 65) == 0);
	/* It stays refused. */
	ck_assert_int_eq(aws_chunked_finish(c, &pr), -1);
	ck_assert_int_eq(push(c, SPAN("0"), &out), -1);
	/* The last run of a chunk that does not verify is not handed on. */
	ck_assert_uint_eq(out.len, 0);
	key[0] ^= 1;

	/* A chunk left out. */
	s3_problem_clear(&pr);
	sign_begin(&s);
	sign_chunk(&s, (struct span){ one, sizeof(one) });
	strbuf_clear(&s.sb);
	sign_chunk(&s, SPAN("b"));
	sign_chunk(&s, SPAN(""));
	strbuf_str(&s.sb, "\r\n");
	c = decoder(PAYLOAD_STREAM_SIGNED, "1", NULL);
	ck_assert_int_eq(decode(c, stream_of(&s), 0, &out), -1);
	ck_assert_int_eq(pr.code, S3_SignatureDoesNotMatch);
}
END_TEST

/* --- unsigned streams, row by row --- */

#define CRC "x-amz-checksum-crc32"
#define TERMINATED "The request body terminated unexpectedly"
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X1024 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64

static const struct {
	const char *trailer, *len, *body;
	int code;
	const char *message; /* NULL: the code's own */
} streams[] = {
	{ NULL, "5", "5\r\nhello\r\n0\r\n\r\n", 0, NULL },
	{ NULL, "0", "0\r\n\r\n", 0, NULL },
	{ CRC, "5", "5\r\nhello\r\n0\r\n" CRC ":NhCmhg==\r\n\r\n", 0, NULL },
	{ "X-Amz-Checksum-CRC32", "5", "00005\r\nhello\r\n0000\r\nX-AMZ-checksum-crc32 : NhCmhg== \r\n\r\n", 0, NULL },
	{ CRC, "5", "5\r\nhello\r\n0\r\n" CRC ":NhCmhg==\n\r\n\r\n", 0, NULL },
	/* framing */
	{ NULL, "5", "", S3_IncompleteBody, TERMINATED },
	{ NULL, "5", "5\r\nhello\r\n0\r\n", S3_IncompleteBody, TERMINATED },
	{ NULL, "5", "5\r\nhel", S3_IncompleteBody, TERMINATED },
	{ NULL, "5", "5\nhello\r\n0\r\n\r\n", S3_IncompleteBody, TERMINATED },
	{ NULL, "5", "5\r\nhello0\r\n\r\n", S3_IncompleteBody, TERMINATED },
	{ NULL, "5", "5\r\nhelloo\r\n0\r\n\r\n", S3_IncompleteBody, TERMINATED },
	{ NULL, "5", "5\r\nhello\r\n0\r\n\r\n\r\n", S3_IncompleteBody, TERMINATED },
	{ NULL, "5", "xyz\r\nhello\r\n0\r\n\r\n", S3_IncompleteBody, TERMINATED },
	{ NULL, "5", "\r\nhello\r\n0\r\n\r\n", S3_IncompleteBody, TERMINATED },
	{ NULL, "5", "-5\r\nhello\r\n0\r\n\r\n", S3_IncompleteBody, TERMINATED },
	{ NULL, "5", " 5\r\nhello\r\n0\r\n\r\n", S3_IncompleteBody, TERMINATED },
	{ NULL, "5", "0x5\r\nhello\r\n0\r\n\r\n", S3_IncompleteBody, TERMINATED },
	{ NULL, "5", "ffffffffffffffff\r\nhello", S3_IncompleteBody, TERMINATED },
	{ NULL, "5", "10000000000000005\r\nhello", S3_IncompleteBody, TERMINATED },
	{ NULL, "5", "5;chunk-signature=" SEED "\r\nhello\r\n0\r\n\r\n", S3_IncompleteBody, TERMINATED },
	{ NULL, "5", X1024 X64, S3_IncompleteBody, TERMINATED },
	/* the declared length */
	{ NULL, "4", "5\r\nhello\r\n0\r\n\r\n", S3_IncompleteBody, NULL },
	{ NULL, "6", "5\r\nhello\r\n0\r\n\r\n", S3_IncompleteBody, NULL },
	{ NULL, "5", "7fffffffffffffff\r\nhello", S3_IncompleteBody, NULL },
	/* chunk sizes */
	{ NULL, "8", "5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n", S3_InvalidChunkSizeError, NULL },
	/* the trailer */
	{ CRC, "5", "5\r\nhello\r\n0\r\n\r\n", S3_MalformedTrailerError, NULL },
	{ NULL, "5", "5\r\nhello\r\n0\r\n" CRC ":NhCmhg==\r\n\r\n", S3_MalformedTrailerError, NULL },
	{ CRC, "5", "5\r\nhello\r\n0\r\nx-amz-checksum-sha1:x\r\n\r\n", S3_MalformedTrailerError, NULL },
	{ CRC, "5", "5\r\nhello\r\n0\r\n:NhCmhg==\r\n\r\n", S3_MalformedTrailerError, NULL },
	{ CRC, "5", "5\r\nhello\r\n0\r\n" CRC "\r\n\r\n", S3_MalformedTrailerError, NULL },
	{ CRC, "5", "5\r\nhello\r\n0\r\n" CRC ":a\r\n" CRC ":b\r\n\r\n", S3_MalformedTrailerError, NULL },
	{ CRC, "5", "5\r\nhello\r\n0\r\n" CRC ":a\nb\r\n\r\n", S3_MalformedTrailerError, NULL },
	{ CRC, "5", "5\r\nhello\r\n0\r\nx:a\n" CRC ":NhCmhg==\r\n\r\n", S3_MalformedTrailerError, NULL },
	{ CRC, "5", "5\r\nhello\r\n0\r\n" CRC ":" X1024, S3_MalformedTrailerError, NULL },
	{ CRC, "5", "5\r\nhello\r\n0\r\n" CRC ":NhCmhg==\r\n", S3_IncompleteBody, TERMINATED },
	{ CRC, "5", "5\r\nhello\r\n0\r\n" CRC ":NhCmhg==\r\nx-amz-trailer-signature:" SEED "\r\n\r\n", S3_MalformedTrailerError, NULL },
};

START_TEST(test_unsigned_streams)
{
	struct strbuf out;
	struct span body = span_of(streams[_i].body);

	for (long cut = -1; cut < (long)body.len; cut++) {
		struct arena_mark m = arena_mark(a);
		struct aws_chunked *c = decoder(PAYLOAD_STREAM_UNSIGNED_TRAILER, streams[_i].len, streams[_i].trailer);
		int rc;

		ck_assert_ptr_nonnull(c);
		s3_problem_clear(&pr);
		rc = decode(c, body, cut, &out);
		ck_assert_msg(pr.code == streams[_i].code && (rc == 0) == (pr.code == 0), "row %d, cut at %ld: %s", _i, cut,
		    s3_error_find(pr.code)->name);
		if (streams[_i].message == NULL)
			ck_assert_msg(pr.message == NULL, "row %d: %s", _i, pr.message);
		else
			ck_assert_str_eq(pr.message, streams[_i].message);
		if (rc == 0 && strcmp(streams[_i].len, "5") == 0)
			ck_assert_str_eq(strbuf_cstr(&out), "hello");
		if (rc == 0 && streams[_i].trailer != NULL)
			ck_assert(span_eq(s3_header_get(aws_chunked_trailers(c), CRC), SPAN("NhCmhg==")));
		arena_rewind(a, m);
	}
}
END_TEST

/* --- signed trailers, row by row: what follows the last chunk --- */

#define SIGLINE "x-amz-trailer-signature:"

static const struct {
	const char *trailer, *after; /* @ stands for the right signature */
	int code;
} signed_trailers[] = {
	{ CRC, CRC ":AAAAAA==\r\n" SIGLINE "@\r\n\r\n", 0 },
	{ CRC, "X-Amz-Checksum-Crc32: AAAAAA==\r\nX-Amz-Trailer-Signature: @\r\n\r\n", 0 },
	{ CRC, CRC ":AAAAAB==\r\n" SIGLINE "@\r\n\r\n", S3_SignatureDoesNotMatch },
	{ CRC, CRC ":AAAAAA==\r\n" SIGLINE SEED "\r\n\r\n", S3_SignatureDoesNotMatch },
	{ CRC, CRC ":AAAAAA==\r\n" SIGLINE "abc\r\n\r\n", S3_IncompleteBody },
	{ CRC, CRC ":AAAAAA==\r\n\r\n", S3_IncompleteBody },
	{ CRC, CRC ":AAAAAA==\r\nx-amz-trailer-sig:@\r\n\r\n", S3_IncompleteBody },
	{ CRC, SIGLINE "@\r\n" CRC ":AAAAAA==\r\n\r\n", S3_MalformedTrailerError },
	{ CRC, SIGLINE "@\r\n\r\n", S3_MalformedTrailerError },
	{ CRC, CRC ":AAAAAA==\r\n" SIGLINE "@\r\nx-more:1\r\n\r\n", S3_MalformedTrailerError },
	{ CRC, "\r\n", S3_MalformedTrailerError },
	{ CRC, "x-other:AAAAAA==\r\n" SIGLINE "@\r\n\r\n", S3_MalformedTrailerError },
	{ NULL, CRC ":AAAAAA==\r\n" SIGLINE "@\r\n\r\n", S3_MalformedTrailerError },
	{ NULL, "\r\n", S3_IncompleteBody },
};

START_TEST(test_signed_trailers)
{
	struct signer s;
	struct strbuf out;
	struct aws_chunked *c = decoder(PAYLOAD_STREAM_SIGNED_TRAILER, "5", signed_trailers[_i].trailer);

	sign_begin(&s);
	sign_chunk(&s, SPAN("hello"));
	sign_chunk(&s, SPAN(""));
	sign_next(&s, "AWS4-HMAC-SHA256-TRAILER", SPAN(CRC ":AAAAAA==\n"));
	for (const char *p = signed_trailers[_i].after; *p != '\0'; p++)
		strbuf_str(&s.sb, *p == '@' ? s.previous : (char[]){ *p, '\0' });
	ck_assert_int_eq(decode(c, stream_of(&s), 0, &out), signed_trailers[_i].code == 0 ? 0 : -1);
	ck_assert_msg(pr.code == signed_trailers[_i].code, "row %d: %s", _i, s3_error_find(pr.code)->name);
}
END_TEST

/* --- chunk sizes as S3 wants them --- */

static const struct {
	size_t sizes[8];
	const char *chunk, *bad; /* NULL: fine */
} sizes[] = {
	{ { 8192, 8192, 100, 0 }, NULL, NULL },
	{ { 100, 0 }, NULL, NULL },
	{ { 10000, 9500, 20, 0 }, NULL, NULL },
	{ { 100, 8192, 100, 0 }, "1", "100" },
	{ { 8192, 10, 100, 0 }, "2", "10" },
	{ { 10000, 8191, 8192, 0 }, "2", "8191" },
};

START_TEST(test_chunk_sizes)
{
	static char data[10000];
	struct strbuf out;
	size_t total = 0;
	struct signer s;
	struct aws_chunked *c;

	memset(data, 'd', sizeof(data));
	sign_begin(&s);
	for (size_t i = 0; sizes[_i].sizes[i] > 0; i++) {
		sign_chunk(&s, (struct span){ data, sizes[_i].sizes[i] });
		total += sizes[_i].sizes[i];
	}
	sign_chunk(&s, SPAN(""));
	strbuf_str(&s.sb, "\r\n");
	c = decoder(PAYLOAD_STREAM_SIGNED, arena_printf(a, "%zu", total), NULL);
	if (sizes[_i].chunk == NULL) {
		ck_assert_msg(decode(c, stream_of(&s), 0, &out) == 0, "%s", s3_error_find(pr.code)->name);
		return;
	}
	ck_assert_int_eq(decode(c, stream_of(&s), 0, &out), -1);
	ck_assert_int_eq(pr.code, S3_InvalidChunkSizeError);
	ck_assert_str_eq(pr.extra[0].value.p, sizes[_i].chunk);
	ck_assert_str_eq(pr.extra[1].value.p, sizes[_i].bad);
}
END_TEST

/* --- the rest --- */

START_TEST(test_decoded_length)
{
	static const char *const bad[] = { NULL, "", "abc", "12x", "-1", "99999999999999999999", "+1" };

	ck_assert_ptr_null(decoder(PAYLOAD_STREAM_UNSIGNED_TRAILER, bad[_i], NULL));
	ck_assert_int_eq(pr.code, S3_MissingContentLength);
}
END_TEST

START_TEST(test_cap)
{
	struct arena *tiny = arena_new(100), *was = a;

	a = tiny;
	ck_assert_ptr_null(decoder(PAYLOAD_STREAM_SIGNED, "5", NULL));
	ck_assert_int_eq(pr.code, S3_InternalError);
	a = was;
	arena_free(tiny);
}
END_TEST

static const struct {
	const char *in, *out;
} encodings[] = {
	{ "aws-chunked", NULL },
	{ "AWS-Chunked", NULL },
	{ "", NULL },
	{ "gzip", "gzip" },
	{ "gzip, br", "gzip, br" },
	{ "aws-chunked,gzip", "gzip" },
	{ "gzip, aws-chunked, br", "gzip,br" },
	{ "aws-chunked, aws-chunked", NULL },
};

START_TEST(test_strip_encoding)
{
	struct span got = aws_chunked_strip_encoding(a, span_of(encodings[_i].in));

	if (encodings[_i].out == NULL)
		ck_assert_ptr_null(got.p);
	else
		ck_assert_msg(span_eq(got, span_of(encodings[_i].out)), "%s", encodings[_i].in);
}
END_TEST

static Suite *
chunked_suite(void)
{
	Suite *s = suite_create("aws_chunked");
	TCase *t = tcase_create("aws_chunked");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_aws_signed);
	tcase_add_loop_test(t, test_aws_trailer, 0, 2);
	tcase_add_loop_test(t, test_every_cut, 0, 2 * (int)ARRAY_LEN(kinds));
	tcase_add_test(t, test_every_change);
	tcase_add_test(t, test_wrong_key_and_order);
	tcase_add_loop_test(t, test_unsigned_streams, 0, (int)ARRAY_LEN(streams));
	tcase_add_loop_test(t, test_signed_trailers, 0, (int)ARRAY_LEN(signed_trailers));
	tcase_add_loop_test(t, test_chunk_sizes, 0, (int)ARRAY_LEN(sizes));
	tcase_add_loop_test(t, test_decoded_length, 0, 7);
	tcase_add_test(t, test_cap);
	tcase_add_loop_test(t, test_strip_encoding, 0, (int)ARRAY_LEN(encodings));
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return suite_run(chunked_suite());
}
