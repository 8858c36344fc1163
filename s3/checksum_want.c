/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/checksum_want.c - what a request declares of its body's checksums, and the
 * verdict when the body has been read.
 *
 * Owns:       nothing; texts live in the caller's arena.
 * Called by:  fcgi/ops before and after a body.
 * Blocks:     no.
 * Source:     S3 User Guide, "Checking object integrity".
 */
#include "base/parse.h"
#include "s3/checksum.h"
#include "s3/errors.h"

#define PREFIX "x-amz-checksum-"
#define ONE_ONLY "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
#define SDK_ALGORITHM "x-amz-sdk-checksum-algorithm"

static int
invalid(struct s3_problem *pr, const char *message)
{
	return s3_problem_set(pr, S3_InvalidRequest, message);
}

static int
invalid_value(struct s3_problem *pr, struct arena *a, const char *header, const char *kind)
{
	return invalid(pr, arena_printf(a, "Value for %s %s is invalid.", header, kind));
}

static int
parse_md5(const struct s3_headers *headers, struct checksum_want *w, struct s3_problem *pr)
{
	struct span text = s3_header_get(headers, "content-md5");

	if (text.p == NULL)
		return 0;
	text = s3_trim(text);
	if (base64_decode(text, w->md5, MD5_LEN) != MD5_LEN) {
		if (pr->code == 0) {
			s3_problem_set(pr, S3_InvalidDigest, NULL);
			s3_problem_extra(pr, "Content-MD5", text);
		}
		return -1;
	}
	w->has_md5 = true;
	w->md5_text = text;
	return 0;
}

/* The one x-amz-checksum-<algorithm> header. */
static int
parse_value_header(struct arena *a, const struct s3_headers *headers, struct checksum_want *w, struct s3_problem *pr)
{
	for (size_t i = 0; i < headers->n; i++) {
		struct span name = headers->h[i].name;
		enum checksum algo;

		if (!s3_istarts(name, PREFIX) || s3_header_name_eq(name, SPAN(PREFIX "type")) ||
		    s3_header_name_eq(name, SPAN(PREFIX "algorithm")) || s3_header_name_eq(name, SPAN(PREFIX "mode")))
			continue;
		algo = checksum_by_header(name);
		if (algo == CHECKSUM_NONE)
			return invalid(pr, "The algorithm type you specified in x-amz-checksum- header is invalid.");
		if (w->algo != CHECKSUM_NONE)
			return invalid(pr, ONE_ONLY);
		w->algo = algo;
		if (!checksum_parse_value(algo, s3_trim(headers->h[i].value), w->value))
			return invalid_value(pr, a, checksum_table[algo].header, "header");
	}
	return 0;
}

static int
parse_trailer_header(const struct s3_headers *headers, const struct sigv4_auth *auth, struct checksum_want *w,
    struct s3_problem *pr)
{
	struct span rest = s3_header_get(headers, "x-amz-trailer"), item;
	enum checksum algo;

	if (!s3_list_next(&rest, ',', &item))
		return 0;
	algo = checksum_by_header(item);
	if (algo == CHECKSUM_NONE ||
	    (auth->payload != PAYLOAD_STREAM_SIGNED_TRAILER && auth->payload != PAYLOAD_STREAM_UNSIGNED_TRAILER))
		return invalid(pr, "The value specified in the x-amz-trailer header is not supported");
	if (w->algo != CHECKSUM_NONE || s3_list_next(&rest, ',', &item))
		return invalid(pr, ONE_ONLY);
	w->algo = algo;
	w->in_trailer = true;
	return 0;
}

static const char *
unsupported(struct arena *a)
{
	struct strbuf sb;

	strbuf_init(&sb, a, 512);
	strbuf_str(&sb, "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [");
	for (int i = 0; i < CHECKSUM_COUNT; i++) {
		strbuf_str(&sb, i > 0 ? ", " : "");
		strbuf_str(&sb, checksum_table[i].name);
	}
	strbuf_ch(&sb, ']');
	return strbuf_cstr(&sb);
}

int
checksum_algorithm(struct arena *a, struct span name, enum checksum *out, struct s3_problem *pr)
{
	*out = checksum_by_name(name);
	return *out == CHECKSUM_NONE ? invalid(pr, unsupported(a)) : 0;
}

static int
parse_sdk_algorithm(struct arena *a, const struct s3_headers *headers, const struct checksum_want *w,
    struct s3_problem *pr)
{
	struct span name = s3_trim(s3_header_get(headers, SDK_ALGORITHM));
	enum checksum algo;

	if (name.len == 0)
		return 0;
	if (checksum_algorithm(a, name, &algo, pr) != 0)
		return -1;
	if (w->algo == CHECKSUM_NONE)
		return invalid(pr, SDK_ALGORITHM " specified, but no corresponding x-amz-checksum-* "
		    "or x-amz-trailer headers were found.");
	if (w->algo != algo)
		return invalid_value(pr, a, SDK_ALGORITHM, "header");
	return 0;
}

int
checksum_want_parse(struct arena *a, const struct s3_headers *headers, const struct sigv4_auth *auth,
    struct checksum_want *out, struct s3_problem *pr)
{
	memset(out, 0, sizeof(*out));
	out->algo = CHECKSUM_NONE;
	if (parse_md5(headers, out, pr) != 0 || parse_value_header(a, headers, out, pr) != 0 ||
	    parse_trailer_header(headers, auth, out, pr) != 0 || parse_sdk_algorithm(a, headers, out, pr) != 0)
		return -1;
	out->store = out->algo != CHECKSUM_NONE ? out->algo : CHECKSUM_CRC64NVME;
	out->compute = CHECKSUM_MD5_BIT | CHECKSUM_BIT(out->store);
	if (auth->payload == PAYLOAD_HASHED) {
		out->has_sha256 = true;
		memcpy(out->sha256, auth->payload_sha256, SHA256_LEN);
		out->compute |= CHECKSUM_BIT(CHECKSUM_SHA256);
	}
	return 0;
}

/* --- the verdict --- */

static struct span
hex_text(struct arena *a, const uint8_t *p, size_t len)
{
	char *s = arena_alloc(a, 2 * len + 1);

	if (s != NULL)
		hex_encode(p, len, s);
	return span_of(s);
}

static int
check_sha256(struct arena *a, const struct checksum_want *w, const struct checksum_values *got, struct s3_problem *pr)
{
	if (!w->has_sha256 || memcmp(w->sha256, got->v[CHECKSUM_SHA256], SHA256_LEN) == 0)
		return 0;
	if (pr->code == 0) {
		s3_problem_set(pr, S3_XAmzContentSHA256Mismatch, NULL);
		s3_problem_extra(pr, "ClientComputedContentSHA256", hex_text(a, w->sha256, SHA256_LEN));
		s3_problem_extra(pr, "S3ComputedContentSHA256", hex_text(a, got->v[CHECKSUM_SHA256], SHA256_LEN));
	}
	return -1;
}

static int
check_md5(struct arena *a, const struct checksum_want *w, const struct checksum_values *got, struct s3_problem *pr)
{
	char *b64;

	if (!w->has_md5 || memcmp(w->md5, got->md5, MD5_LEN) == 0)
		return 0;
	if (pr->code == 0) {
		s3_problem_set(pr, S3_BadDigest, NULL);
		/* S3 writes one in hexadecimal and the other in base64. */
		s3_problem_extra(pr, "ExpectedDigest", hex_text(a, w->md5, MD5_LEN));
		b64 = arena_alloc(a, base64_len(MD5_LEN) + 1);
		if (b64 != NULL) {
			base64_encode(got->md5, MD5_LEN, b64);
			s3_problem_extra(pr, "CalculatedDigest", span_of(b64));
		}
	}
	return -1;
}

int
checksum_check(struct arena *a, const struct checksum_want *want, const struct checksum_values *got,
    const struct s3_headers *trailers, struct s3_problem *pr)
{
	const struct checksum_info *info;
	uint8_t value[CHECKSUM_BYTES_MAX];

	ASSERT((want->compute & ~got->set) == 0);
	if (check_sha256(a, want, got, pr) != 0 || check_md5(a, want, got, pr) != 0)
		return -1;
	if (want->algo == CHECKSUM_NONE)
		return 0;
	info = &checksum_table[want->algo];
	memcpy(value, want->value, sizeof(value));
	if (want->in_trailer) {
		struct span text = { NULL, 0 };

		if (trailers != NULL)
			text = s3_header_get(trailers, info->header);
		if (text.p == NULL)
			return s3_problem_set(pr, S3_MalformedTrailerError, NULL);
		if (!checksum_parse_value(want->algo, text, value))
			return invalid_value(pr, a, info->header, "trailing header");
	}
	if (memcmp(value, got->v[want->algo], info->len) == 0)
		return 0;
	return s3_problem_set(pr, S3_BadDigest,
	    arena_printf(a, "The %s you specified did not match the calculated checksum.", info->name));
}
