/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/object_meta.c - the headers that are stored with an object.
 *
 * Owns:      nothing.
 * Invariant: what object_meta_headers writes cannot end its line: bytes that
 *            could are refused on the way in and blanked on the way out.
 */
#include "s3/object_meta.h"

#include "base/codec.h"
#include "s3/aws_chunked.h"
#include "s3/errors.h"

#define FORMAT 1
#define TAG_USER 255
#define SYSTEM_MAX 8192 /* of the system's headers together */
#define USER_MAX 1024 /* headers: what they take besides their names and values is bounded, too */

/*
 * The system's headers: X(tag, field, header as written, response-* parameter or NULL).
 * A tag is what is stored; it is never used twice.
 */
#define SYSTEM_HEADERS(X)                                                      \
	X(1, content_type, "Content-Type", "response-content-type")            \
	X(2, cache_control, "Cache-Control", "response-cache-control")         \
	X(3, content_disposition, "Content-Disposition",                       \
	    "response-content-disposition")                                    \
	X(4, content_encoding, "Content-Encoding",                             \
	    "response-content-encoding")                                       \
	X(5, content_language, "Content-Language",                             \
	    "response-content-language")                                       \
	X(6, expires, "Expires", "response-expires")                           \
	X(7, website_redirect, "x-amz-website-redirect-location", NULL)

static const struct system_header {
	uint8_t tag;
	size_t offset;
	const char *name;
	const char *param;
} system_headers[] = {
#define X(tag, field, name, param)                                             \
	{ tag, offsetof(struct object_meta, field), name, param },
	SYSTEM_HEADERS(X)
#undef X
};

static struct span *
field(struct object_meta *m, const struct system_header *h)
{
	return (struct span *)(void *)((char *)m + h->offset);
}

static struct span
field_value(const struct object_meta *m, const struct system_header *h)
{
	struct span s;

	memcpy(&s, (const char *)m + h->offset, sizeof(s));
	return s;
}

/* ---- from a request ---- */

/* Classes whose objects can be read at once; we have no archive to bring others back from. */
static const char *const storage_classes[] = { "STANDARD",
	"REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA",
	"INTELLIGENT_TIERING", "GLACIER_IR" };

static int
read_storage_class(const struct s3_headers *hs, struct span *out,
    struct s3_problem *pr)
{
	struct span v = s3_header_get(hs, "x-amz-storage-class");

	*out = SPAN("STANDARD");
	if (v.p == NULL)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(storage_classes); i++)
		if (span_eq(span_of(storage_classes[i]), v)) {
			*out = span_of(storage_classes[i]);
			return 0;
		}
	s3_problem_set(pr, S3_InvalidStorageClass, NULL);
	s3_problem_extra(pr, "StorageClassRequested", v);
	return -1;
}

static int
check_redirect(struct span v, struct s3_problem *pr)
{
	if (v.p == NULL || (v.len > 0 && v.p[0] == '/') ||
	    s3_istarts(v, "http://") || s3_istarts(v, "https://"))
		return 0;
	return s3_problem_set(pr, S3_InvalidRedirectLocation, NULL);
}

/* A name that can be written as a header again (RFC 9110: a token). */
static bool
is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= 0x20 || c >= 0x7f ||
		    strchr("\"(),/:;<=>?@[\\]{}", c) != NULL)
			return false;
	}
	return true;
}

static bool
is_user(const struct s3_header *h)
{
	return h->name.len > sizeof(OBJECT_META_PREFIX) - 1 &&
	    s3_istarts(h->name, OBJECT_META_PREFIX) && is_token(h->name);
}

static int
too_large(struct arena *a, size_t size, struct s3_problem *pr)
{
	s3_problem_set(pr, S3_MetadataTooLarge, NULL);
	s3_problem_extra(pr, "Size", span_of(arena_printf(a, "%zu", size)));
	s3_problem_extra(pr, "MaxSizeAllowed",
	    span_of(arena_printf(a, "%d", OBJECT_USER_META_MAX)));
	return -1;
}

static int
read_user(struct arena *a, const struct s3_headers *hs,
    struct object_meta *out, struct s3_problem *pr)
{
	size_t n = 0, size = 0;

	for (size_t i = 0; i < hs->n; i++)
		if (is_user(&hs->h[i])) {
			n++;
			size += hs->h[i].name.len + hs->h[i].value.len -
			    (sizeof(OBJECT_META_PREFIX) - 1);
		}
	if (size > OBJECT_USER_META_MAX || n > USER_MAX)
		return too_large(a, size, pr);
	if (n == 0)
		return 0;
	out->user = arena_array(a, n, sizeof(*out->user));
	if (out->user == NULL)
		return s3_problem_set(pr, S3_InternalError, NULL);
	for (size_t i = 0; i < hs->n; i++)
		if (is_user(&hs->h[i])) {
			struct s3_header *u = &out->user[out->n_user++];

			*u = hs->h[i];
			u->name.p += sizeof(OBJECT_META_PREFIX) - 1;
			u->name.len -= sizeof(OBJECT_META_PREFIX) - 1;
		}
	return 0;
}

int
object_meta_parse(struct arena *a, const struct s3_headers *hs,
    struct object_meta *out, struct s3_problem *pr)
{
	size_t size = 0;

	*out = (struct object_meta){ .n_user = 0 };
	if (read_storage_class(hs, &out->storage_class, pr) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(system_headers); i++) {
		const struct system_header *h = &system_headers[i];
		struct span v = s3_header_get(hs, h->name);

		if (v.p != NULL)
			*field(out, h) = v;
		size += v.len;
	}
	if (size > SYSTEM_MAX)
		return too_large(a, size, pr);
	if (out->content_encoding.p != NULL)
		out->content_encoding =
		    aws_chunked_strip_encoding(a, out->content_encoding);
	if (check_redirect(out->website_redirect, pr) != 0)
		return -1;
	return read_user(a, hs, out, pr);
}

/* ---- to the row and back ---- */

void
object_meta_encode(struct strbuf *sb, const struct object_meta *m)
{
	size_t start = sb->len;

	enc_u8(sb, FORMAT);
	for (size_t i = 0; i < ARRAY_LEN(system_headers); i++) {
		struct span v = field_value(m, &system_headers[i]);

		if (v.p != NULL) {
			enc_u8(sb, system_headers[i].tag);
			enc_bytes(sb, v.p, v.len);
		}
	}
	for (size_t i = 0; i < m->n_user; i++) {
		enc_u8(sb, TAG_USER);
		enc_bytes(sb, m->user[i].name.p, m->user[i].name.len);
		enc_bytes(sb, m->user[i].value.p, m->user[i].value.len);
	}
	if (strbuf_ok(sb) && sb->len == start + 1)
		strbuf_trim(sb, start);
}

static const struct system_header *
by_tag(uint8_t tag)
{
	for (size_t i = 0; i < ARRAY_LEN(system_headers); i++)
		if (system_headers[i].tag == tag)
			return &system_headers[i];
	return NULL;
}

/* How many user headers follow, so that one array holds them; -1 when it is not ours. */
static int
count_user(struct span blob)
{
	struct dec d;
	int n = 0;

	dec_init(&d, blob.p, blob.len);
	if (dec_u8(&d) != FORMAT)
		return -1;
	while (!d.failed && d.p < d.end) {
		uint8_t tag = dec_u8(&d);

		(void)dec_bytes(&d, OBJECT_HEADERS_MAX);
		if (tag == TAG_USER) {
			(void)dec_bytes(&d, OBJECT_HEADERS_MAX);
			n++;
		}
	}
	return d.failed || n > USER_MAX ? -1 : n;
}

bool
object_meta_decode(struct arena *a, struct span blob, struct object_meta *out)
{
	struct dec d;
	int n;

	*out = (struct object_meta){ .storage_class = SPAN("STANDARD") };
	if (blob.len == 0)
		return true;
	n = count_user(blob);
	if (n < 0)
		return false;
	if (n > 0) {
		out->user = arena_array(a, (size_t)n, sizeof(*out->user));
		if (out->user == NULL)
			return false;
	}
	dec_init(&d, blob.p, blob.len);
	(void)dec_u8(&d);
	while (!d.failed && d.p < d.end) {
		uint8_t tag = dec_u8(&d);
		struct span v = dec_bytes(&d, OBJECT_HEADERS_MAX);
		const struct system_header *h = by_tag(tag);

		if (tag == TAG_USER) {
			out->user[out->n_user].name = v;
			out->user[out->n_user++].value =
			    dec_bytes(&d, OBJECT_HEADERS_MAX);
		} else if (h != NULL) {
			*field(out, h) = v;
		}
		/* A tag of a later version: its value is passed over. */
	}
	return dec_done(&d);
}

/* ---- to an answer ---- */

static bool
fits_a_line(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

int
object_meta_override(const struct s3_query *q, bool anonymous,
    struct object_meta *m, struct s3_problem *pr)
{
	for (size_t i = 0; i < ARRAY_LEN(system_headers); i++) {
		const struct system_header *h = &system_headers[i];
		struct span v;

		if (h->param == NULL)
			continue;
		v = s3_query_get(q, h->param);
		if (v.p == NULL)
			continue;
		if (anonymous)
			return s3_problem_set(pr, S3_InvalidRequest,
			    "Request specific response headers cannot be used for anonymous GET requests.");
		if (!fits_a_line(v))
			return s3_problem_argument(pr,
			    "Header value cannot be represented using ISO-8859-1.",
			    h->param, v);
		*field(m, h) = v;
	}
	return 0;
}

static void
header_value(struct strbuf *sb, struct span s)
{
	if (fits_a_line(s)) {
		strbuf_span(sb, s);
		return;
	}
	for (size_t i = 0; i < s.len; i++) {
		struct span one = { s.p + i, 1 };

		strbuf_ch(sb, fits_a_line(one) ? s.p[i] : ' ');
	}
}

static void
header_line(struct strbuf *sb, const char *prefix, struct span name,
    struct span value)
{
	strbuf_str(sb, prefix);
	strbuf_span(sb, name);
	strbuf_str(sb, ": ");
	header_value(sb, value);
	strbuf_str(sb, "\r\n");
}

void
object_meta_headers(struct strbuf *sb, const struct object_meta *m)
{
	for (size_t i = 0; i < ARRAY_LEN(system_headers); i++) {
		const struct system_header *h = &system_headers[i];
		struct span v = field_value(m, h);

		if (v.len == 0 && h->tag == 1)
			v = SPAN(OBJECT_CONTENT_TYPE_DEFAULT);
		if (v.p != NULL)
			header_line(sb, "", span_of(h->name), v);
	}
	for (size_t i = 0; i < m->n_user; i++)
		header_line(sb, OBJECT_META_PREFIX, m->user[i].name,
		    m->user[i].value);
}
