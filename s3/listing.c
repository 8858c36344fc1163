/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/listing.c - what the list operations are asked, and how they answer.
 *
 * Owns:      nothing.
 * Invariant: what leaves list_params_parse is UTF-8 and within limits, so that
 *            the database never refuses it.
 */
#include "s3/listing.h"

#include "base/crypto.h"
#include "base/parse.h"
#include "s3/errors.h"
#include "s3/headers.h"
#include "s3/xml.h"

#define TOKEN_VERSION 1
#define TOKEN_CHECK_LEN 6
#define TOKEN_MAX 2048
#define REGION_MAX 64

/* ---- parameters ---- */

static bool
given(struct span s)
{
	return s.p != NULL;
}

static int
key_text(struct arena *a, const struct s3_query *q, const char *name,
    struct span *out, struct s3_problem *pr)
{
	*out = s3_query_get(q, name);
	if (!utf8_valid(*out))
		return s3_problem_argument(
		    pr, "The parameter is not valid UTF-8", name, SPAN(""));
	if (out->len > S3_KEY_MAX) {
		s3_problem_set(pr, S3_KeyTooLongError, NULL);
		s3_problem_extra(pr, "Size",
		    span_of(arena_printf(a, "%zu", out->len)));
		s3_problem_extra(pr, "MaxSizeAllowed", SPAN("1024"));
		return -1;
	}
	return 0;
}

static int
max_keys(const struct s3_query *q, int *out, struct s3_problem *pr)
{
	struct span v = s3_query_get(q, "max-keys");
	int64_t n;

	*out = LIST_MAX_KEYS;
	if (v.len == 0)
		return 0;
	if (!parse_i64(v, INT64_MIN, INT64_MAX, &n))
		return s3_problem_argument(pr,
		    "Provided max-keys not an integer or within integer range",
		    "max-keys", v);
	if (n < 0 || n > INT_MAX)
		return s3_problem_argument(pr,
		    "Argument maxKeys must be an integer between 0 and 2147483647",
		    "maxKeys", v);
	if (n < LIST_MAX_KEYS)
		*out = (int)n;
	return 0;
}

static int
encoding(const struct s3_query *q, bool *url, struct s3_problem *pr)
{
	struct span v = s3_query_get(q, "encoding-type");

	*url = span_eq(v, SPAN("url"));
	if (!*url && v.p != NULL)
		return s3_problem_argument(pr,
		    "Invalid Encoding Method specified in Request",
		    "encoding-type", v);
	return 0;
}

static int
token(struct arena *a, const struct s3_query *q, struct span *text,
    struct span *after, struct s3_problem *pr)
{
	*text = s3_query_get(q, "continuation-token");
	if (text->len == 0)
		return 0; /* an empty one is told back, and means the start */
	if (!list_token_decode(a, *text, after))
		return s3_problem_argument(pr,
		    "The continuation token provided is incorrect",
		    "continuation-token", *text);
	return 0;
}

static int
where_v1(struct arena *a, const struct s3_query *q, struct list_params *out,
    struct s3_problem *pr)
{
	out->fetch_owner = true;
	if (key_text(a, q, "marker", &out->marker, pr) != 0)
		return -1;
	out->after = out->marker;
	return 0;
}

static int
where_v2(struct arena *a, const struct s3_query *q, struct list_params *out,
    struct s3_problem *pr)
{
	struct span v = s3_query_get(q, "fetch-owner");

	out->fetch_owner = s3_ieq(v, SPAN("true"));
	if (key_text(a, q, "start-after", &out->start_after, pr) != 0)
		return -1;
	out->after = out->start_after;
	/* A token comes later in the same listing: it wins. */
	return token(a, q, &out->token, &out->after, pr);
}

int
list_params_parse(struct arena *a, const struct s3_query *q, bool v2,
    struct list_params *out, struct s3_problem *pr)
{
	*out = (struct list_params){ .v2 = v2 };
	if (max_keys(q, &out->max_keys, pr) != 0 ||
	    encoding(q, &out->url, pr) != 0 ||
	    key_text(a, q, "prefix", &out->prefix, pr) != 0 ||
	    key_text(a, q, "delimiter", &out->delimiter, pr) != 0)
		return -1;
	return v2 ? where_v2(a, q, out, pr) : where_v1(a, q, out, pr);
}

int
list_buckets_params_parse(struct arena *a, const struct s3_query *q,
    struct list_buckets_params *out, struct s3_problem *pr)
{
	struct span v = s3_query_get(q, "max-buckets");
	int64_t n = 0;

	*out = (struct list_buckets_params){ .max_buckets = 0 };
	if (v.len > 0 && !parse_i64(v, 1, LIST_MAX_BUCKETS, &n))
		return s3_problem_argument(pr,
		    "Argument max-buckets must be an integer between 1 and 10000",
		    "max-buckets", v);
	out->max_buckets = (int)n;
	out->region = s3_query_get(q, "bucket-region");
	if (out->region.len > REGION_MAX || !utf8_valid(out->region))
		return s3_problem_argument(pr,
		    "Argument value is not a valid AWS Region", "bucket-region",
		    SPAN(""));
	if (key_text(a, q, "prefix", &out->prefix, pr) != 0)
		return -1;
	return token(a, q, &out->token, &out->after, pr);
}

/* ---- continuation tokens: version, key, check; base64url without padding ---- */

const char *
list_token_encode(struct arena *a, struct span after)
{
	uint8_t sum[SHA256_LEN];
	size_t len = 1 + after.len + TOKEN_CHECK_LEN;
	uint8_t *raw = arena_alloc(a, len);
	char *text = arena_alloc(a, base64_len(len) + 1);

	if (raw == NULL || text == NULL)
		return NULL;
	raw[0] = TOKEN_VERSION;
	if (after.len > 0)
		memcpy(raw + 1, after.p, after.len);
	sha256(raw, 1 + after.len, sum);
	memcpy(raw + 1 + after.len, sum, TOKEN_CHECK_LEN);
	base64_encode(raw, len, text);
	for (char *p = text; *p != '\0'; p++) {
		if (*p == '+')
			*p = '-';
		else if (*p == '/')
			*p = '_';
	}
	text[strcspn(text, "=")] = '\0';
	return text;
}

bool
list_token_decode(struct arena *a, struct span text, struct span *after)
{
	uint8_t sum[SHA256_LEN];
	size_t padded = (text.len + 3) / 4 * 4;
	char *b64;
	uint8_t *raw;
	ssize_t len;

	if (text.len == 0 || text.len > TOKEN_MAX)
		return false;
	b64 = arena_alloc(a, padded + 1);
	raw = arena_alloc(a, padded);
	if (b64 == NULL || raw == NULL)
		return false;
	memset(b64, '=', padded);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];

		if (c == '+' || c == '/' || c == '=')
			return false;
		b64[i] = (char)(c == '-' ? '+' : c == '_' ? '/' : c);
	}
	len = base64_decode((struct span){ b64, padded }, raw, padded);
	if (len < 1 + TOKEN_CHECK_LEN || raw[0] != TOKEN_VERSION)
		return false;
	sha256(raw, (size_t)len - TOKEN_CHECK_LEN, sum);
	if (memcmp(sum, raw + len - TOKEN_CHECK_LEN, TOKEN_CHECK_LEN) != 0)
		return false;
	*after = (struct span){ (const char *)raw + 1,
		(size_t)len - 1 - TOKEN_CHECK_LEN };
	return after->len <= S3_KEY_MAX && utf8_valid(*after);
}

/* ---- answers ---- */

void
list_url_encode(struct strbuf *sb, struct span s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		char three[3] = { '%', hex[c >> 4], hex[c & 15] };

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '_' ||
		    c == '.' || c == '*' || c == '/')
			strbuf_ch(sb, (char)c);
		else
			strbuf_add(sb, three, 3);
	}
}

void
list_key_element(struct strbuf *sb, const char *name, struct span key, bool url)
{
	if (!url) {
		xml_text(sb, name, key);
		return;
	}
	xml_open(sb, name);
	list_url_encode(sb, key);
	xml_close(sb, name);
}

/*
 * SDKs do not decode the prefix of a V1 answer, so it is told as it is where XML
 * can hold it, encoding-type or not.
 */
static bool
prefix_encoded(const struct list_params *p)
{
	if (p->v2)
		return p->url;
	for (size_t i = 0; i < p->prefix.len; i++) {
		char c = p->prefix.p[i];

		if (c >= 0 && c < ' ' && !xml_blank(c))
			return p->url;
	}
	return false;
}

static void
begin_v1(struct strbuf *sb, const struct list_params *p,
    const struct list_end *e)
{
	list_key_element(sb, "Marker", p->marker, p->url);
	/* Only with a delimiter, says S3; without one the last key serves. */
	if (e->truncated && p->delimiter.len > 0)
		list_key_element(sb, "NextMarker", e->next, p->url);
}

static void
begin_v2(struct strbuf *sb, const struct list_params *p,
    const struct list_end *e)
{
	if (p->start_after.len > 0)
		list_key_element(sb, "StartAfter", p->start_after, p->url);
	if (given(p->token))
		xml_text(sb, "ContinuationToken", p->token);
	if (e->truncated) {
		const char *next = list_token_encode(sb->arena, e->next);

		/* A page that cannot be continued must not look like the last. */
		if (next == NULL)
			sb->failed = true;
		xml_str(sb, "NextContinuationToken", next);
	}
	xml_int(sb, "KeyCount", e->count);
}

void
list_xml_begin(struct strbuf *sb, const struct list_params *p,
    struct span bucket, const struct list_end *e)
{
	xml_begin(sb, "ListBucketResult");
	xml_text(sb, "Name", bucket);
	list_key_element(sb, "Prefix", p->prefix, prefix_encoded(p));
	if (p->v2)
		begin_v2(sb, p, e);
	else
		begin_v1(sb, p, e);
	xml_int(sb, "MaxKeys", p->max_keys);
	if (p->delimiter.len > 0)
		list_key_element(sb, "Delimiter", p->delimiter, p->url);
	if (p->url)
		xml_str(sb, "EncodingType", "url");
	xml_bool(sb, "IsTruncated", e->truncated);
}

void
list_xml_item(struct strbuf *sb, const struct list_params *p,
    const struct list_item *it)
{
	if (it->is_prefix) {
		xml_open(sb, "CommonPrefixes");
		list_key_element(sb, "Prefix", it->key, p->url);
		xml_close(sb, "CommonPrefixes");
		return;
	}
	xml_open(sb, "Contents");
	list_key_element(sb, "Key", it->key, p->url);
	xml_time(sb, "LastModified", it->mtime_us);
	xml_etag(sb, "ETag", it->etag);
	xml_str(sb, "ChecksumAlgorithm", it->checksum_algorithm);
	xml_str(sb, "ChecksumType", it->checksum_type);
	xml_int(sb, "Size", it->size);
	if (p->fetch_owner && it->owner_id != NULL) {
		xml_open(sb, "Owner");
		xml_str(sb, "ID", it->owner_id);
		xml_str(sb, "DisplayName", it->owner_name);
		xml_close(sb, "Owner");
	}
	xml_str(sb, "StorageClass", it->storage_class);
	xml_close(sb, "Contents");
}

void
list_xml_end(struct strbuf *sb)
{
	xml_close(sb, "ListBucketResult");
}

void
list_buckets_xml_begin(
    struct strbuf *sb, const char *owner_id, const char *owner_name)
{
	xml_begin(sb, "ListAllMyBucketsResult");
	xml_open(sb, "Owner");
	xml_str(sb, "ID", owner_id);
	xml_str(sb, "DisplayName", owner_name);
	xml_close(sb, "Owner");
	xml_open(sb, "Buckets");
}

void
list_buckets_xml_item(struct strbuf *sb, const char *name, int64_t created_us,
    const char *region)
{
	xml_open(sb, "Bucket");
	xml_str(sb, "Name", name);
	xml_time(sb, "CreationDate", created_us);
	xml_str(sb, "BucketRegion", region);
	xml_close(sb, "Bucket");
}

void
list_buckets_xml_end(struct strbuf *sb, const struct list_buckets_params *p,
    struct span next)
{
	xml_close(sb, "Buckets");
	if (given(next)) {
		const char *text = list_token_encode(sb->arena, next);

		if (text == NULL)
			sb->failed = true;
		xml_str(sb, "ContinuationToken", text);
	}
	if (given(p->prefix))
		xml_text(sb, "Prefix", p->prefix);
	xml_close(sb, "ListAllMyBucketsResult");
}
