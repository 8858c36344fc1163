/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/aws_chunked.c - the decoder of aws-chunked bodies.
 *
 *   HEAD  "<hex>[;chunk-signature=<64 hex>]\r\n"     size 0 -> TRAILER
 *   DATA  <size bytes>                               signature is checked at the last one
 *   CRLF  "\r\n"                                     -> HEAD
 *   TRAILER  "name:value\r\n" ... "\r\n"             empty line -> END
 *
 * Owns:       a hash and a copy of the signing key, both gone with the arena.
 * Called by:  fcgi/ while it reads a body.
 * Blocks:     no.
 * Invariant:  decoded bytes never exceed x-amz-decoded-content-length; END is
 *             reached only when every signature was right and every declared
 *             trailer came.
 */
#include "s3/aws_chunked.h"

#include "base/parse.h"
#include "s3/errors.h"

#define KIND_CHUNK "AWS4-HMAC-SHA256-PAYLOAD"
#define KIND_TRAILER "AWS4-HMAC-SHA256-TRAILER"
#define TRAILER_SIGNATURE "x-amz-trailer-signature"
#define TERMINATED "The request body terminated unexpectedly"

enum state { CHUNK_HEAD, CHUNK_DATA, CHUNK_CRLF, CHUNK_TRAILER, CHUNK_END, CHUNK_FAILED };

struct aws_chunked {
	struct arena *arena;
	enum state state;
	bool is_signed;        /* chunks carry signatures */
	bool has_trailer;      /* the kind ends in -TRAILER */
	bool trailer_verified;
	int64_t decoded_len;   /* as declared */
	int64_t decoded;       /* the sizes of all chunk heads so far */
	int64_t left;          /* of the current chunk */
	int64_t last_size;     /* of the chunk before; -1 at first */
	int64_t n_chunks;

	struct hash *hash;     /* of the current chunk's data */
	uint8_t key[SHA256_LEN];
	char time[DATE_BASIC_SIZE];
	struct span scope, key_id;
	char previous[SIGV4_HEX_SIZE];  /* signature that the next one goes on from */
	char signature[SIGV4_HEX_SIZE]; /* the current chunk's, as sent */

	char line[CHUNK_LINE_MAX];
	size_t line_len;

	struct span declared;  /* x-amz-trailer */
	char text[CHUNK_TRAILER_MAX]; /* "name:value\n" of each: what the trailer signature covers */
	size_t text_len;
	struct s3_header trailer[CHUNK_TRAILERS_MAX];
	struct s3_headers trailers;
};

/* --- making and ending --- */

static void
chunked_release(void *arg)
{
	struct aws_chunked *c = arg;

	hash_free(c->hash);
	crypto_wipe(c->key, sizeof(c->key));
}

struct aws_chunked *
aws_chunked_new(struct arena *a, const struct sigv4_auth *auth, const uint8_t *key,
    const struct s3_headers *headers, struct s3_problem *pr)
{
	struct span len = s3_trim(s3_header_get(headers, "x-amz-decoded-content-length"));
	struct aws_chunked *c;
	int64_t decoded_len;

	ASSERT(payload_is_chunked(auth->payload));
	if (!parse_i64(len, 0, INT64_MAX, &decoded_len)) {
		s3_problem_set(pr, S3_MissingContentLength, NULL);
		return NULL;
	}
	c = ARENA_NEW(a, struct aws_chunked);
	if (c == NULL || !arena_on_reset(a, chunked_release, c)) {
		s3_problem_set(pr, S3_InternalError, NULL);
		return NULL;
	}
	c->arena = a;
	c->state = CHUNK_HEAD;
	c->decoded_len = decoded_len;
	c->last_size = -1;
	c->is_signed = auth->payload != PAYLOAD_STREAM_UNSIGNED_TRAILER;
	c->has_trailer = auth->payload != PAYLOAD_STREAM_SIGNED;
	c->trailers.h = c->trailer;
	if (c->has_trailer)
		c->declared = s3_header_get(headers, "x-amz-trailer");
	if (c->is_signed) {
		/* An anonymous request cannot get here: sigv4_parse refuses it. */
		ASSERT(key != NULL && auth->form != SIGV4_ANONYMOUS);
		c->hash = hash_new(HASH_SHA256);
		memcpy(c->key, key, sizeof(c->key));
		memcpy(c->time, auth->time, sizeof(c->time));
		c->scope = auth->scope;
		c->key_id = auth->key_id;
		ASSERT(auth->signature.len == sizeof(c->previous) - 1);
		memcpy(c->previous, auth->signature.p, sizeof(c->previous) - 1);
	}
	return c;
}

int64_t
aws_chunked_decoded_len(const struct aws_chunked *c)
{
	return c->decoded_len;
}

const struct s3_headers *
aws_chunked_trailers(const struct aws_chunked *c)
{
	return &c->trailers;
}

static int
broken(struct s3_problem *pr)
{
	return s3_problem_set(pr, S3_IncompleteBody, TERMINATED);
}

int
aws_chunked_finish(struct aws_chunked *c, struct s3_problem *pr)
{
	return c->state == CHUNK_END ? 0 : broken(pr);
}

/* --- signatures --- */

/* The signature over `data_sha256` must be c->signature; the next goes on from it. */
static int
check_signature(struct aws_chunked *c, const char *kind, const uint8_t data_sha256[SHA256_LEN], struct s3_problem *pr)
{
	char text[SIGV4_CHUNK_TEXT_MAX];
	char want[SIGV4_HEX_SIZE];
	size_t n = sigv4_chunk_text(kind, c->time, c->scope, c->previous, data_sha256, text);

	sigv4_sign_text(c->key, (struct span){ text, n }, want);
	if (!crypto_equal(want, c->signature, sizeof(want) - 1)) {
		char *copy = arena_strndup(c->arena, text, n);

		return sigv4_mismatch(pr, c->arena, c->key_id, (struct span){ c->signature, sizeof(want) - 1 },
		    span_of(copy), SPAN(""));
	}
	memcpy(c->previous, want, sizeof(want));
	return 0;
}

static int
chunk_done(struct aws_chunked *c, struct s3_problem *pr)
{
	uint8_t sum[HASH_MAX_LEN];

	if (!c->is_signed)
		return 0;
	hash_final(c->hash, sum);
	return check_signature(c, KIND_CHUNK, sum, pr);
}

/* 64 hexadecimal digits to c->signature. */
static bool
take_signature(struct aws_chunked *c, struct span s)
{
	uint8_t sum[SHA256_LEN];

	if (!hex_decode(s, sum, sizeof(sum)))
		return false;
	memcpy(c->signature, s.p, s.len);
	c->signature[s.len] = '\0';
	return true;
}

/* --- a chunk's head --- */

static int
chunk_size_ok(struct aws_chunked *c, int64_t size, struct s3_problem *pr)
{
	if (size > 0 && c->last_size >= 0 && c->last_size < CHUNK_SIZE_MIN) {
		if (pr->code == 0) {
			s3_problem_set(pr, S3_InvalidChunkSizeError, NULL);
			s3_problem_extra(pr, "Chunk", span_of(arena_printf(c->arena, "%" PRId64, c->n_chunks)));
			s3_problem_extra(pr, "BadChunkSize", span_of(arena_printf(c->arena, "%" PRId64, c->last_size)));
		}
		return -1;
	}
	/* More than was declared, or the end before it: "You did not provide the number of bytes ..." */
	if (size > c->decoded_len - c->decoded || (size == 0 && c->decoded != c->decoded_len))
		return s3_problem_set(pr, S3_IncompleteBody, NULL);
	c->decoded += size;
	c->last_size = size;
	c->n_chunks++;
	return 0;
}

static int
take_head(struct aws_chunked *c, struct span line, struct s3_problem *pr)
{
	static const struct span extension = { ";chunk-signature=", 17 };
	const char *semi = memchr(line.p, ';', line.len);
	struct span size_text = { line.p, semi == NULL ? line.len : (size_t)(semi - line.p) };
	struct span rest = { line.p + size_text.len, line.len - size_text.len };
	uint64_t size;

	if (!parse_hex_u64(size_text, &size) || size > INT64_MAX)
		return broken(pr);
	if (c->is_signed) {
		if (rest.len <= extension.len || memcmp(rest.p, extension.p, extension.len) != 0 ||
		    !take_signature(c, (struct span){ rest.p + extension.len, rest.len - extension.len }))
			return broken(pr);
		hash_reset(c->hash);
	} else if (rest.len > 0) {
		return broken(pr);
	}
	if (chunk_size_ok(c, (int64_t)size, pr) != 0)
		return -1;
	c->left = (int64_t)size;
	c->state = size > 0 ? CHUNK_DATA : CHUNK_TRAILER;
	return size > 0 ? 0 : chunk_done(c, pr);
}

/* --- the trailer --- */

static bool
is_declared(const struct aws_chunked *c, struct span name)
{
	struct span rest = c->declared, item;

	while (s3_list_next(&rest, ',', &item))
		if (s3_header_name_eq(item, name))
			return true;
	return false;
}

static bool
all_came(const struct aws_chunked *c)
{
	struct span rest = c->declared, item;

	while (s3_list_next(&rest, ',', &item))
		if (s3_header_span(&c->trailers, item).p == NULL)
			return false;
	return true;
}

static int
bad_trailer(struct s3_problem *pr)
{
	return s3_problem_set(pr, S3_MalformedTrailerError, NULL);
}

/* Keeps "name:value\n", the form that is signed. */
static int
keep_trailer(struct aws_chunked *c, struct span name, struct span value, struct s3_problem *pr)
{
	char *p = c->text + c->text_len;
	struct s3_header *h = &c->trailer[c->trailers.n];

	if (c->trailers.n == CHUNK_TRAILERS_MAX || name.len + value.len + 2 > sizeof(c->text) - c->text_len ||
	    s3_header_span(&c->trailers, name).p != NULL)
		return bad_trailer(pr);
	h->name = (struct span){ p, name.len };
	for (size_t i = 0; i < name.len; i++)
		*p++ = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + ('a' - 'A')) : name.p[i];
	*p++ = ':';
	h->value = (struct span){ p, value.len };
	if (value.len > 0)
		memcpy(p, value.p, value.len);
	p += value.len;
	*p++ = '\n';
	c->text_len = (size_t)(p - c->text);
	c->trailers.n++;
	return 0;
}

static int
take_trailer_signature(struct aws_chunked *c, struct span value, struct s3_problem *pr)
{
	uint8_t sum[SHA256_LEN];

	if (!take_signature(c, value))
		return broken(pr);
	sha256(c->text, c->text_len, sum);
	if (check_signature(c, KIND_TRAILER, sum, pr) != 0)
		return -1;
	c->trailer_verified = true;
	return 0;
}

/* The empty line. */
static int
take_end(struct aws_chunked *c, struct s3_problem *pr)
{
	if (!all_came(c))
		return bad_trailer(pr);
	if (c->is_signed && c->has_trailer && !c->trailer_verified)
		return broken(pr);
	c->state = CHUNK_END;
	return 0;
}

static int
take_trailer(struct aws_chunked *c, struct span line, struct s3_problem *pr)
{
	const char *colon;
	struct span name, value;

	if (line.len == 0)
		return take_end(c, pr);
	if (!c->has_trailer)
		return broken(pr);
	colon = memchr(line.p, ':', line.len);
	if (colon == NULL || c->trailer_verified)
		return bad_trailer(pr);
	name = s3_trim((struct span){ line.p, (size_t)(colon - line.p) });
	value = (struct span){ colon + 1, line.len - (size_t)(colon - line.p) - 1 };
	/* AWS's own example ends a trailer's value in "\n" before the CRLF. */
	if (value.len > 0 && value.p[value.len - 1] == '\n')
		value.len--;
	value = s3_trim(value);
	/* Else two trailers could be passed off as one: the signed text ends each in "\n". */
	if (memchr(name.p, '\n', name.len) != NULL || memchr(value.p, '\n', value.len) != NULL)
		return bad_trailer(pr);
	if (c->is_signed && s3_header_name_eq(name, SPAN(TRAILER_SIGNATURE)))
		return all_came(c) ? take_trailer_signature(c, value, pr) : bad_trailer(pr);
	if (is_declared(c, name))
		return keep_trailer(c, name, value, pr);
	/* S3 expects the signature next, and says so. */
	return c->is_signed && c->declared.len > 0 && all_came(c) ? broken(pr) : bad_trailer(pr);
}

/* --- pushing --- */

static void
advance(struct span *in, size_t n)
{
	in->p += n;
	in->len -= n;
}

/* Moves bytes to c->line up to CRLF. 1 a line is whole (without CRLF), 0 more is needed, -1 too long. */
static int
take_line(struct aws_chunked *c, struct span *in)
{
	while (in->len > 0) {
		char b = in->p[0];

		advance(in, 1);
		if (b == '\n' && c->line_len > 0 && c->line[c->line_len - 1] == '\r') {
			c->line_len--;
			return 1;
		}
		if (c->line_len == sizeof(c->line))
			return -1;
		c->line[c->line_len++] = b;
	}
	return 0;
}

static int
push_line(struct aws_chunked *c, struct span *in, struct s3_problem *pr)
{
	struct span line;
	int got = take_line(c, in);

	if (got <= 0)
		return got == 0 ? 0 : c->state == CHUNK_TRAILER ? bad_trailer(pr) : broken(pr);
	line = (struct span){ c->line, c->line_len };
	c->line_len = 0;
	switch (c->state) {
	case CHUNK_HEAD:
		return take_head(c, line, pr);
	case CHUNK_CRLF:
		c->state = CHUNK_HEAD;
		return line.len == 0 ? 0 : broken(pr);
	case CHUNK_TRAILER:
		return take_trailer(c, line, pr);
	case CHUNK_DATA:
	case CHUNK_END:
	case CHUNK_FAILED:
		break;
	}
	return broken(pr);
}

static int
push_data(struct aws_chunked *c, struct span *in, struct span *out, struct s3_problem *pr)
{
	size_t n = (uint64_t)c->left < in->len ? (size_t)c->left : in->len;

	*out = (struct span){ in->p, n };
	advance(in, n);
	if (c->is_signed)
		hash_update(c->hash, out->p, n);
	c->left -= (int64_t)n;
	if (c->left > 0)
		return 0;
	c->state = CHUNK_CRLF;
	if (chunk_done(c, pr) == 0)
		return 0;
	*out = SPAN("");
	return -1;
}

int
aws_chunked_push(struct aws_chunked *c, struct span *in, struct span *out, struct s3_problem *pr)
{
	int rc = 0;

	*out = SPAN("");
	while (rc == 0 && in->len > 0) {
		if (c->state == CHUNK_DATA) {
			rc = push_data(c, in, out, pr);
			break;
		}
		rc = c->state >= CHUNK_END ? broken(pr) : push_line(c, in, pr);
	}
	if (rc != 0)
		c->state = CHUNK_FAILED;
	return rc;
}

struct span
aws_chunked_strip_encoding(struct arena *a, struct span content_encoding)
{
	struct strbuf sb;
	struct span rest = content_encoding, item;
	bool found = false;

	strbuf_init(&sb, a, content_encoding.len + 1);
	while (s3_list_next(&rest, ',', &item)) {
		if (s3_ieq(item, SPAN("aws-chunked"))) {
			found = true;
			continue;
		}
		if (sb.len > 0)
			strbuf_ch(&sb, ',');
		strbuf_span(&sb, item);
	}
	if (!found && content_encoding.len > 0)
		return content_encoding;
	if (sb.len == 0 || !strbuf_ok(&sb))
		return (struct span){ NULL, 0 };
	return (struct span){ strbuf_cstr(&sb), sb.len };
}
