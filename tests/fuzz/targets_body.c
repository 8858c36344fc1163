/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/targets_body.c - what a body is made of: chunks, signatures of
 * chunks, trailers, checksums.
 *
 * Called by:  fuzz.c.
 */
#include "tests/fuzz/fuzz.h"

#include "base/parse.h"
#include "s3/aws_chunked.h"
#include "s3/checksum.h"

#define TIME "20251125T133000Z"
#define SCOPE "20251125/eu/s3/aws4_request"
#define SEED "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
#define DECODED_MAX (1 << 20)

static void
auth_of(enum sigv4_payload payload, struct sigv4_auth *auth)
{
	*auth = (struct sigv4_auth){ .form = SIGV4_HEADER, .payload = payload, .scope = SPAN(SCOPE), .key_id = SPAN("AKID"),
		.signature = SPAN(SEED) };
	memcpy(auth->time, TIME, sizeof(TIME));
}

/* In pieces of `step` bytes; what is decoded goes to *out. */
static int
decode(struct aws_chunked *c, struct span in, size_t step, struct strbuf *out, struct s3_problem *pr)
{
	while (in.len > 0) {
		struct span piece = { in.p, in.len < step ? in.len : step }, run;

		in.p += piece.len;
		in.len -= piece.len;
		while (piece.len > 0) {
			if (aws_chunked_push(c, &piece, &run, pr) != 0)
				return -1;
			strbuf_span(out, run);
		}
	}
	return aws_chunked_finish(c, pr);
}

/* A step byte, then headers, then the body: whole and in pieces must come to the same. */
void
fuzz_chunked(struct arena *a, struct span in)
{
	size_t step = 1 + fuzz_byte(&in) % 64;
	struct s3_headers headers = fuzz_headers(a, &in);
	struct s3_problem pr = { 0 }, pr2 = { 0 };
	struct aws_chunked *one, *two;
	struct strbuf whole, pieces;
	struct sigv4_auth auth;
	int rc;

	auth_of(PAYLOAD_STREAM_UNSIGNED_TRAILER, &auth);
	one = aws_chunked_new(a, &auth, NULL, &headers, &pr);
	if (one == NULL) {
		FUZZ_REFUSED(&pr);
		return;
	}
	two = aws_chunked_new(a, &auth, NULL, &headers, &pr2);
	FUZZ_CHECK(two != NULL);
	strbuf_init(&whole, a, DECODED_MAX);
	strbuf_init(&pieces, a, DECODED_MAX);
	rc = decode(one, in, in.len + 1, &whole, &pr);
	FUZZ_CHECK(decode(two, in, step, &pieces, &pr2) == rc && pr.code == pr2.code);
	if (rc != 0) {
		FUZZ_REFUSED(&pr);
		return;
	}
	FUZZ_CHECK((int64_t)whole.len == aws_chunked_decoded_len(one) && whole.len == pieces.len);
	FUZZ_CHECK(whole.len == 0 || memcmp(whole.buf, pieces.buf, whole.len) == 0);
	FUZZ_CHECK(aws_chunked_trailers(one)->n == aws_chunked_trailers(two)->n);
}

/* --- signed --- */

struct signer {
	struct strbuf sb;
	uint8_t key[SHA256_LEN];
	char previous[SIGV4_HEX_SIZE];
};

static void
sign(struct signer *s, const char *kind, struct span data)
{
	char text[SIGV4_CHUNK_TEXT_MAX];
	uint8_t sum[SHA256_LEN];
	size_t n;

	sha256(data.p, data.len, sum);
	n = sigv4_chunk_text(kind, TIME, SPAN(SCOPE), s->previous, sum, text);
	sigv4_sign_text(s->key, (struct span){ text, n }, s->previous);
}

static void
add_chunk(struct signer *s, struct span data)
{
	sign(s, "AWS4-HMAC-SHA256-PAYLOAD", data);
	strbuf_printf(&s->sb, "%zx;chunk-signature=%s\r\n", data.len, s->previous);
	strbuf_span(&s->sb, data);
	if (data.len > 0)
		strbuf_str(&s->sb, "\r\n");
}

static struct span
signed_body(struct arena *a, struct signer *s, struct span data, bool trailer)
{
	strbuf_init(&s->sb, a, DECODED_MAX);
	sigv4_signing_key(SPAN("secret"), SPAN("20251125"), SPAN("eu"), SPAN("s3"), s->key);
	memcpy(s->previous, SEED, sizeof(SEED));
	while (data.len > CHUNK_SIZE_MIN) {
		add_chunk(s, (struct span){ data.p, CHUNK_SIZE_MIN });
		data.p += CHUNK_SIZE_MIN;
		data.len -= CHUNK_SIZE_MIN;
	}
	if (data.len > 0)
		add_chunk(s, data);
	add_chunk(s, SPAN(""));
	if (trailer) {
		sign(s, "AWS4-HMAC-SHA256-TRAILER", SPAN("x-amz-checksum-crc32:sOO8/Q==\n"));
		strbuf_printf(&s->sb, "x-amz-checksum-crc32:sOO8/Q==\r\nx-amz-trailer-signature:%s\r\n", s->previous);
	}
	strbuf_str(&s->sb, "\r\n");
	FUZZ_CHECK(strbuf_ok(&s->sb));
	return (struct span){ s->sb.buf, s->sb.len };
}

/* Changes the bytes as `how` says: up to 8 times a place (3 bytes), what, and a byte. */
static struct span
tamper(struct arena *a, struct span body, struct span *how)
{
	char *p = arena_alloc(a, body.len + 16);
	size_t len = body.len;

	memcpy(p, body.p, len);
	for (int i = 0; i < 8 && how->len > 0 && len > 0; i++) {
		size_t hi = fuzz_byte(how), mid = fuzz_byte(how), at = (hi << 16 | mid << 8 | fuzz_byte(how)) % len;
		uint8_t what = fuzz_byte(how) % 3, b = fuzz_byte(how);

		if (what == 0)
			p[at] = (char)b;
		else if (what == 1) { /* gone */
			memmove(p + at, p + at + 1, len - at - 1);
			len--;
		} else { /* one more */
			memmove(p + at + 1, p + at, len - at);
			p[at] = (char)b;
			len++;
		}
	}
	return (struct span){ p, len };
}

/* A byte of choices, then a line of data (its length times 64), then how the signed body is changed. */
void
fuzz_chunked_signed(struct arena *a, struct span in)
{
	uint8_t choice = fuzz_byte(&in);
	bool trailer = (choice & 1) != 0;
	struct span seed = fuzz_line(&in), body;
	struct s3_header h[2] = { { SPAN("x-amz-decoded-content-length"), SPAN("") },
		{ SPAN("x-amz-trailer"), SPAN("x-amz-checksum-crc32") } };
	struct s3_headers headers = { h, trailer ? 2 : 1 };
	struct s3_problem pr = { 0 };
	struct aws_chunked *c;
	struct sigv4_auth auth;
	struct signer s;
	struct strbuf data, out;

	strbuf_init(&data, a, DECODED_MAX / 2);
	for (int i = 0; i < ((choice & 2) != 0 ? 64 : 1); i++)
		strbuf_span(&data, seed);
	if (!strbuf_ok(&data))
		return;
	h[0].value = span_of(arena_printf(a, "%zu", data.len));
	body = signed_body(a, &s, (struct span){ strbuf_cstr(&data), data.len }, trailer);
	auth_of(trailer ? PAYLOAD_STREAM_SIGNED_TRAILER : PAYLOAD_STREAM_SIGNED, &auth);
	if (in.len == 0) { /* untouched: must be taken */
		c = aws_chunked_new(a, &auth, s.key, &headers, &pr);
		strbuf_init(&out, a, DECODED_MAX);
		FUZZ_CHECK(c != NULL && decode(c, body, 1 + choice, &out, &pr) == 0);
	} else {
		body = tamper(a, body, &in);
		c = aws_chunked_new(a, &auth, s.key, &headers, &pr);
		strbuf_init(&out, a, DECODED_MAX);
		if (decode(c, body, 1 + choice, &out, &pr) != 0) {
			FUZZ_REFUSED(&pr);
			return;
		}
	}
	FUZZ_CHECK(out.len == data.len && (out.len == 0 || memcmp(out.buf, data.buf, out.len) == 0));
	if (trailer)
		FUZZ_CHECK(span_eq(s3_header_get(aws_chunked_trailers(c), "x-amz-checksum-crc32"), SPAN("sOO8/Q==")));
}

/* --- checksums --- */

/* The stored form: what we decode encodes to itself. */
static void
stored_form(struct arena *a, struct span blob)
{
	struct checksum_stored s, again;
	char text[CHECKSUM_TEXT_SIZE];
	struct strbuf sb;

	if (!checksum_decode(blob, &s) || s.algo == CHECKSUM_NONE)
		return;
	checksum_text(&s, text);
	strbuf_init(&sb, a, 256);
	checksum_encode(&sb, &s);
	FUZZ_CHECK(checksum_decode((struct span){ sb.buf, sb.len }, &again));
	FUZZ_CHECK(memcmp(&s, &again, sizeof(s)) == 0);
}

/* A payload kind, headers, trailers, then the body (and the same bytes as a stored checksum). */
void
fuzz_checksums(struct arena *a, struct span in)
{
	struct sigv4_auth auth;
	struct s3_headers headers, trailers;
	struct s3_problem pr = { 0 };
	struct checksum_want want;
	struct checksum_values got;
	struct checksums *sums;

	auth_of((enum sigv4_payload)(fuzz_byte(&in) % (PAYLOAD_STREAM_UNSIGNED_TRAILER + 1)), &auth);
	headers = fuzz_headers(a, &in);
	trailers = fuzz_headers(a, &in);
	stored_form(a, in);
	if (checksum_want_parse(a, &headers, &auth, &want, &pr) != 0) {
		FUZZ_REFUSED(&pr);
		return;
	}
	sums = checksums_new(a, want.compute);
	FUZZ_CHECK(sums != NULL && want.store != CHECKSUM_NONE);
	checksums_update(sums, in.p, in.len / 2);
	checksums_update(sums, in.p + in.len / 2, in.len - in.len / 2);
	checksums_final(sums, &got);
	if (checksum_check(a, &want, &got, &trailers, &pr) != 0)
		FUZZ_REFUSED(&pr);
}
