/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/sigv4.c - the canonical request, its signature, and signing.
 *
 * Owns:       nothing; texts live in the caller's arena.
 * Called by:  fcgi/ (authentication), routing/ (presigned URLs for another
 *             region), s3/aws_chunked.c, the CLI and the tests.
 * Blocks:     no.
 * Invariant:  verifying and signing build the canonical request with the same
 *             function, so that what we sign verifies.
 */
#include "s3/sigv4.h"

#include "base/parse.h"
#include "s3/errors.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define CANONICAL_MAX (128 * 1024)
#define URL_MAX (64 * 1024)
/* Above this the hexadecimal copies in the error document are left out. */
#define EXPLAIN_MAX 4096

static struct span
text_of(const struct strbuf *sb)
{
	return (struct span){ strbuf_cstr(sb), sb->len };
}

/* --- the canonical request --- */

struct pair {
	struct span name, value; /* encoded */
};

static bool
needs_encoding(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '.' || c == '_' || c == '~'))
			return true;
	}
	return false;
}

/* Encoded; borrowed when nothing needs it. p is NULL past the arena's cap. */
static struct span
encoded(struct arena *a, struct span s)
{
	struct strbuf sb;

	if (!needs_encoding(s))
		return s;
	strbuf_init(&sb, a, CANONICAL_MAX);
	uri_query(&sb, s);
	return strbuf_ok(&sb) ? text_of(&sb) : (struct span){ NULL, 0 };
}

static int
span_cmp(struct span a, struct span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (c != 0)
		return c;
	return a.len < b.len ? -1 : a.len > b.len;
}

static bool
pair_after(const struct pair *a, const struct pair *b)
{
	int c = span_cmp(a->name, b->name);

	return c > 0 || (c == 0 && span_cmp(a->value, b->value) > 0);
}

/* Parameters sorted by encoded name and value; all but X-Amz-Signature. */
static bool
canonical_query(struct strbuf *sb, struct arena *a, const struct s3_query *q)
{
	struct pair *v;
	size_t n = 0;

	if (q->n == 0)
		return true;
	v = arena_array(a, q->n, sizeof(*v));
	if (v == NULL)
		return false;
	for (size_t i = 0; i < q->n; i++) {
		struct pair x;
		size_t at = n;

		if (span_eq(q->p[i].name, SPAN("X-Amz-Signature")))
			continue;
		x.name = encoded(a, q->p[i].name);
		x.value = encoded(a, q->p[i].value);
		if ((x.name.p == NULL && q->p[i].name.len > 0) || (x.value.p == NULL && q->p[i].value.len > 0))
			return false;
		/* SDKs send them sorted, so that this rarely moves anything. */
		for (; at > 0 && pair_after(&v[at - 1], &x); at--)
			v[at] = v[at - 1];
		v[at] = x;
		n++;
	}
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			strbuf_ch(sb, '&');
		strbuf_span(sb, v[i].name);
		strbuf_ch(sb, '=');
		strbuf_span(sb, v[i].value);
	}
	return true;
}

/* Outer blanks off; runs of blanks inside made one if `collapse`. Says whether there was a run. */
static bool
canonical_value(struct strbuf *sb, struct span v, bool collapse)
{
	bool runs = false;
	size_t from = 0;

	v = s3_trim(v);
	for (size_t i = 1; i < v.len; i++) {
		if (v.p[i] != ' ' || v.p[i - 1] != ' ')
			continue;
		runs = true;
		if (!collapse)
			break;
		strbuf_add(sb, v.p + from, i - from);
		while (i < v.len && v.p[i] == ' ')
			i++;
		from = i;
	}
	if (v.len > from)
		strbuf_add(sb, v.p + from, v.len - from);
	return runs;
}

/*
 * A signed header as it was when the client signed it. Web servers keep a few for
 * themselves (Expect, Transfer-Encoding) or leave them out when they say nothing
 * (Content-Length of an empty body, metadata without a value).
 */
static struct span
signed_value(const struct s3_headers *hs, struct span name)
{
	struct span v = s3_header_span(hs, name);

	if (v.p != NULL)
		return v;
	if (s3_header_name_eq(name, SPAN("expect")))
		return SPAN("100-continue");
	if (s3_header_name_eq(name, SPAN("transfer-encoding")))
		return SPAN("chunked");
	if (s3_header_name_eq(name, SPAN("content-length")))
		return SPAN("0");
	return SPAN("");
}

/* *runs tells whether a header held a run of blanks. */
static bool
canonical_request(struct strbuf *sb, struct arena *a, const struct sigv4_request *rq,
    struct span signed_headers, struct span payload_hash, bool collapse, bool *runs)
{
	struct span rest = signed_headers, name;

	*runs = false;
	strbuf_init(sb, a, CANONICAL_MAX);
	strbuf_span(sb, rq->method);
	strbuf_ch(sb, '\n');
	uri_path(sb, rq->path);
	strbuf_ch(sb, '\n');
	if (!canonical_query(sb, a, rq->query))
		return false;
	strbuf_ch(sb, '\n');
	while (s3_list_next(&rest, ';', &name)) {
		strbuf_span(sb, name);
		strbuf_ch(sb, ':');
		if (canonical_value(sb, signed_value(rq->headers, name), collapse))
			*runs = true;
		strbuf_ch(sb, '\n');
	}
	strbuf_ch(sb, '\n');
	strbuf_span(sb, signed_headers);
	strbuf_ch(sb, '\n');
	strbuf_span(sb, payload_hash);
	return strbuf_ok(sb);
}

static bool
string_to_sign(struct strbuf *sb, struct arena *a, const char *time, struct span scope,
    const struct strbuf *canonical)
{
	uint8_t hash[SHA256_LEN];

	sha256(strbuf_cstr(canonical), canonical->len, hash);
	strbuf_init(sb, a, 1024);
	strbuf_str(sb, ALGORITHM "\n");
	strbuf_str(sb, time);
	strbuf_ch(sb, '\n');
	strbuf_span(sb, scope);
	strbuf_ch(sb, '\n');
	strbuf_hex(sb, hash, sizeof(hash));
	return strbuf_ok(sb);
}

void
sigv4_sign_text(const uint8_t key[SHA256_LEN], struct span text, char out[SIGV4_HEX_SIZE])
{
	uint8_t mac[SHA256_LEN];

	hmac_sha256(key, SHA256_LEN, text.p, text.len, mac);
	hex_encode(mac, sizeof(mac), out);
}

void
sigv4_signing_key(struct span secret, struct span day, struct span region, struct span service,
    uint8_t out[SHA256_LEN])
{
	char first[4 + SIGV4_SECRET_MAX];
	uint8_t k[SHA256_LEN];
	size_t n = secret.len < SIGV4_SECRET_MAX ? secret.len : SIGV4_SECRET_MAX;

	memcpy(first, "AWS4", 4);
	if (n > 0)
		memcpy(first + 4, secret.p, n);
	hmac_sha256(first, 4 + n, day.p, day.len, k);
	hmac_sha256(k, sizeof(k), region.p, region.len, out);
	hmac_sha256(out, SHA256_LEN, service.p, service.len, k);
	hmac_sha256(k, sizeof(k), "aws4_request", 12, out);
	crypto_wipe(first, sizeof(first));
	crypto_wipe(k, sizeof(k));
}

/* --- verifying --- */

static void
explain_bytes(struct s3_problem *pr, struct arena *a, const char *name, struct span text)
{
	struct strbuf sb;

	if (text.len > EXPLAIN_MAX)
		return;
	strbuf_init(&sb, a, 3 * EXPLAIN_MAX + 3);
	for (size_t i = 0; i < text.len; i++) {
		if (i > 0)
			strbuf_ch(&sb, ' ');
		strbuf_hex(&sb, text.p + i, 1);
	}
	if (strbuf_ok(&sb))
		s3_problem_extra(pr, name, text_of(&sb));
}

int
sigv4_mismatch(struct s3_problem *pr, struct arena *a, struct span key_id, struct span signature,
    struct span to_sign, struct span canonical)
{
	if (pr->code != 0)
		return -1;
	s3_problem_set(pr, S3_SignatureDoesNotMatch, NULL);
	s3_problem_extra(pr, "AWSAccessKeyId", key_id);
	s3_problem_extra(pr, "StringToSign", to_sign);
	s3_problem_extra(pr, "SignatureProvided", signature);
	explain_bytes(pr, a, "StringToSignBytes", to_sign);
	if (canonical.len > 0) {
		s3_problem_extra(pr, "CanonicalRequest", canonical);
		explain_bytes(pr, a, "CanonicalRequestBytes", canonical);
	}
	return -1;
}

static bool
signature_is(const struct sigv4_auth *auth, const uint8_t key[SHA256_LEN], const struct strbuf *to_sign)
{
	char want[SIGV4_HEX_SIZE];

	sigv4_sign_text(key, text_of(to_sign), want);
	return auth->signature.len == sizeof(want) - 1 && crypto_equal(auth->signature.p, want, sizeof(want) - 1);
}

struct attempt {
	struct strbuf canonical, to_sign;
	bool runs; /* a signed header held a run of blanks */
	bool fits; /* within the limits */
};

static bool
is_signed_so(struct arena *a, const struct sigv4_request *rq, const struct sigv4_auth *auth,
    const uint8_t key[SHA256_LEN], bool collapse, struct attempt *t)
{
	t->fits = canonical_request(&t->canonical, a, rq, auth->signed_headers, auth->payload_hash, collapse, &t->runs) &&
	    string_to_sign(&t->to_sign, a, auth->time, auth->scope, &t->canonical);
	return t->fits && signature_is(auth, key, &t->to_sign);
}

/* The headers with a host that has no port; false when it has none, or past the arena's cap. */
static bool
without_port(struct arena *a, const struct s3_headers *hs, struct s3_headers *out)
{
	struct span host = s3_trim(s3_header_span(hs, SPAN("host")));
	size_t n = host.len;
	struct s3_header *h;

	while (n > 0 && host.p[n - 1] >= '0' && host.p[n - 1] <= '9')
		n--;
	if (n < 2 || n == host.len || host.p[n - 1] != ':')
		return false;
	h = arena_array(a, hs->n, sizeof(*h));
	if (h == NULL)
		return false;
	memcpy(h, hs->h, hs->n * sizeof(*h));
	for (size_t i = 0; i < hs->n; i++)
		if (s3_header_name_eq(h[i].name, SPAN("host")))
			h[i].value = (struct span){ host.p, n - 1 };
	*out = (struct s3_headers){ h, hs->n };
	return true;
}

int
sigv4_verify(struct arena *a, const struct sigv4_request *rq, const struct sigv4_auth *auth,
    const uint8_t key[SHA256_LEN], struct s3_problem *pr)
{
	struct attempt plain, other;
	struct sigv4_request portless = *rq;
	struct s3_headers hs;

	ASSERT(auth->form != SIGV4_ANONYMOUS);
	if (is_signed_so(a, rq, auth, key, true, &plain))
		return 0;
	if (!plain.fits)
		return s3_problem_set(pr, S3_RequestHeaderSectionTooLarge, NULL);
	/* S3's own text says "trim", the general one to make runs of blanks one: clients do either. */
	if (plain.runs && is_signed_so(a, rq, auth, key, false, &other))
		return 0;
	/* AWS's endpoints have no port, and clients made for them sign the bare name whatever their HTTP library sends. */
	if (without_port(a, rq->headers, &hs)) {
		portless.headers = &hs;
		if (is_signed_so(a, &portless, auth, key, true, &other))
			return 0;
	}
	return sigv4_mismatch(pr, a, auth->key_id, auth->signature, text_of(&plain.to_sign), text_of(&plain.canonical));
}

int
sigv4_verify_form(struct arena *a, struct span policy, const struct sigv4_auth *auth, const uint8_t key[SHA256_LEN],
    struct s3_problem *pr)
{
	char want[SIGV4_HEX_SIZE];

	ASSERT(auth->form == SIGV4_POST_FORM);
	sigv4_sign_text(key, policy, want);
	if (auth->signature.len == sizeof(want) - 1 && crypto_equal(auth->signature.p, want, sizeof(want) - 1))
		return 0;
	return sigv4_mismatch(pr, a, auth->key_id, auth->signature, policy, SPAN(""));
}

size_t
sigv4_chunk_text(const char *kind, const char *time, struct span scope, const char previous[SIGV4_HEX_SIZE],
    const uint8_t data_sha256[SHA256_LEN], char out[SIGV4_CHUNK_TEXT_MAX])
{
	char hex[SIGV4_HEX_SIZE];
	bool chunk = strcmp(kind, "AWS4-HMAC-SHA256-PAYLOAD") == 0;
	int n;

	hex_encode(data_sha256, SHA256_LEN, hex);
	n = snprintf(out, SIGV4_CHUNK_TEXT_MAX, "%s\n%s\n%.*s\n%s\n%s%s", kind, time,
	    (int)(scope.len < 256 ? scope.len : 256), scope.p, previous,
	    chunk ? SIGV4_EMPTY_SHA256 "\n" : "", hex);
	ASSERT(n > 0 && n < SIGV4_CHUNK_TEXT_MAX);
	return (size_t)n;
}

/* --- signing --- */

/* Headers that proxies and web servers change on the way. */
static bool
is_signable(struct span name)
{
	static const char *const not_signed[] = { "authorization", "user-agent", "connection", "expect",
		"transfer-encoding", "te", "accept-encoding", "x-amzn-trace-id", "x-amz-date",
		"x-amz-content-sha256", "x-amz-security-token", NULL };

	for (size_t i = 0; not_signed[i] != NULL; i++)
		if (s3_header_name_eq(name, span_of(not_signed[i])))
			return false;
	return true;
}

static void
header_insert(struct s3_header *v, size_t *n, struct span name, struct span value)
{
	size_t at = *n;

	for (; at > 0 && span_cmp(v[at - 1].name, name) > 0; at--)
		v[at] = v[at - 1];
	v[at].name = name;
	v[at].value = value;
	(*n)++;
}

/* "a;b;c" of sorted headers; p is NULL past the arena's cap. */
static struct span
names_joined(struct arena *a, const struct s3_header *v, size_t n)
{
	struct strbuf sb;

	strbuf_init(&sb, a, 8192);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			strbuf_ch(&sb, ';');
		strbuf_span(&sb, v[i].name);
	}
	return strbuf_ok(&sb) ? text_of(&sb) : (struct span){ NULL, 0 };
}

static struct span
scope_of(struct arena *a, const char *time, const struct sigv4_signer *by)
{
	return span_of(arena_printf(a, "%.8s/%.*s/%.*s/aws4_request", time, (int)by->region.len, by->region.p,
	    (int)by->service.len, by->service.p));
}

/* Fills time, scope and its parts, key_id, token. */
static bool
auth_begin(struct arena *a, const struct sigv4_signer *by, struct sigv4_auth *auth)
{
	memset(auth, 0, sizeof(*auth));
	auth->time_us = by->now_us;
	date_basic(by->now_us, auth->time);
	auth->scope = scope_of(a, auth->time, by);
	if (auth->scope.p == NULL)
		return false;
	auth->key_id = by->key_id;
	auth->token = by->token;
	auth->region = by->region;
	auth->service = by->service;
	auth->day = (struct span){ auth->scope.p, 8 };
	return true;
}

/* Signs rq with auth->signed_headers and payload_hash; sets auth->signature. */
static bool
auth_sign(struct arena *a, const struct sigv4_request *rq, const struct sigv4_signer *by, struct sigv4_auth *auth)
{
	struct strbuf canonical, to_sign;
	uint8_t key[SHA256_LEN];
	char *hex = arena_alloc(a, SIGV4_HEX_SIZE);
	bool runs;

	if (hex == NULL ||
	    !canonical_request(&canonical, a, rq, auth->signed_headers, auth->payload_hash, true, &runs) ||
	    !string_to_sign(&to_sign, a, auth->time, auth->scope, &canonical))
		return false;
	sigv4_signing_key(by->secret, auth->day, auth->region, auth->service, key);
	sigv4_sign_text(key, text_of(&to_sign), hex);
	crypto_wipe(key, sizeof(key));
	auth->signature = (struct span){ hex, 2 * SHA256_LEN };
	return true;
}

static enum sigv4_payload
payload_of(struct span word)
{
	if (span_eq(word, SPAN("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")))
		return PAYLOAD_STREAM_SIGNED;
	if (span_eq(word, SPAN("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")))
		return PAYLOAD_STREAM_SIGNED_TRAILER;
	if (span_eq(word, SPAN("STREAMING-UNSIGNED-PAYLOAD-TRAILER")))
		return PAYLOAD_STREAM_UNSIGNED_TRAILER;
	return span_eq(word, SPAN(SIGV4_UNSIGNED_PAYLOAD)) ? PAYLOAD_UNSIGNED : PAYLOAD_HASHED;
}

int
sigv4_sign(struct arena *a, const struct sigv4_request *rq, const struct sigv4_signer *by,
    struct span payload_hash, struct s3_headers *out, struct sigv4_auth *auth)
{
	struct sigv4_auth own, *au = auth != NULL ? auth : &own;
	struct s3_header *v = arena_array(a, rq->headers->n + 3, sizeof(*v));
	struct s3_header *extra = arena_array(a, 4, sizeof(*extra));
	struct s3_headers all;
	struct sigv4_request full = *rq;
	size_t n = 0, n_extra = 0;
	char *text;

	if (v == NULL || extra == NULL || !auth_begin(a, by, au))
		return -1;
	text = arena_strdup(a, au->time);
	if (text == NULL)
		return -1;
	au->form = SIGV4_HEADER;
	au->payload_hash = payload_hash;
	au->payload = payload_of(payload_hash);
	for (size_t i = 0; i < rq->headers->n; i++)
		if (is_signable(rq->headers->h[i].name))
			header_insert(v, &n, rq->headers->h[i].name, rq->headers->h[i].value);
	extra[n_extra++] = (struct s3_header){ SPAN("x-amz-date"), span_of(text) };
	extra[n_extra++] = (struct s3_header){ SPAN("x-amz-content-sha256"), payload_hash };
	if (by->token.p != NULL)
		extra[n_extra++] = (struct s3_header){ SPAN("x-amz-security-token"), by->token };
	for (size_t i = 0; i < n_extra; i++)
		header_insert(v, &n, extra[i].name, extra[i].value);
	all = (struct s3_headers){ v, n };
	full.headers = &all;
	au->signed_headers = names_joined(a, v, n);
	if (au->signed_headers.p == NULL || !auth_sign(a, &full, by, au))
		return -1;
	text = arena_printf(a, ALGORITHM " Credential=%.*s/%s, SignedHeaders=%s, Signature=%s",
	    (int)by->key_id.len, by->key_id.p, au->scope.p, au->signed_headers.p, au->signature.p);
	if (text == NULL)
		return -1;
	extra[n_extra++] = (struct s3_header){ SPAN("authorization"), span_of(text) };
	*out = (struct s3_headers){ extra, n_extra };
	return 0;
}

/* --- presigning --- */

static bool
is_signature_param(struct span name)
{
	static const char *const names[] = { "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
		"X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Security-Token", NULL };

	for (size_t i = 0; names[i] != NULL; i++)
		if (span_eq(name, span_of(names[i])))
			return true;
	return false;
}

/* The query of rq without an earlier signature, and X-Amz-* of this one. */
static bool
presign_query(struct arena *a, const struct s3_query *in, const struct sigv4_auth *auth, struct s3_query *out)
{
	struct s3_param *p = arena_array(a, in->n + 6, sizeof(*p));
	char *time = arena_strdup(a, auth->time);
	char *cred = arena_printf(a, "%.*s/%s", (int)auth->key_id.len, auth->key_id.p, auth->scope.p);
	char *expires = arena_printf(a, "%" PRId64, auth->expires_s);
	size_t n = 0;

	if (p == NULL || time == NULL || cred == NULL || expires == NULL)
		return false;
	for (size_t i = 0; i < in->n; i++)
		if (!is_signature_param(in->p[i].name))
			p[n++] = in->p[i];
	p[n++] = (struct s3_param){ SPAN("X-Amz-Algorithm"), SPAN(ALGORITHM), true };
	p[n++] = (struct s3_param){ SPAN("X-Amz-Credential"), span_of(cred), true };
	p[n++] = (struct s3_param){ SPAN("X-Amz-Date"), span_of(time), true };
	p[n++] = (struct s3_param){ SPAN("X-Amz-Expires"), span_of(expires), true };
	if (auth->token.p != NULL)
		p[n++] = (struct s3_param){ SPAN("X-Amz-Security-Token"), auth->token, true };
	p[n++] = (struct s3_param){ SPAN("X-Amz-SignedHeaders"), auth->signed_headers, true };
	out->p = p;
	out->n = n;
	return true;
}

/* auth: from auth_begin, with signed_headers, payload_hash and expires_s. */
static const char *
presign_url(struct arena *a, const struct sigv4_request *rq, const struct sigv4_signer *by,
    struct sigv4_auth *auth, const char *base)
{
	struct sigv4_request full = *rq;
	struct s3_query query;
	struct strbuf url;

	auth->form = SIGV4_PRESIGNED;
	if (!presign_query(a, rq->query, auth, &query))
		return NULL;
	full.query = &query;
	if (!auth_sign(a, &full, by, auth))
		return NULL;
	strbuf_init(&url, a, URL_MAX);
	strbuf_str(&url, base);
	uri_path(&url, rq->path);
	strbuf_ch(&url, '?');
	if (!canonical_query(&url, a, &query))
		return NULL;
	strbuf_str(&url, "&X-Amz-Signature=");
	strbuf_span(&url, auth->signature);
	return strbuf_ok(&url) ? strbuf_cstr(&url) : NULL;
}

const char *
sigv4_presign(struct arena *a, const struct sigv4_request *rq, const struct sigv4_signer *by,
    const char *base, int64_t expires_s)
{
	struct sigv4_auth auth;
	struct sigv4_request full = *rq;
	struct s3_header *v = arena_array(a, rq->headers->n + 1, sizeof(*v));
	struct s3_headers all;
	struct span hash = s3_query_get(rq->query, "X-Amz-Content-Sha256");
	size_t n = 0;

	if (v == NULL || !auth_begin(a, by, &auth))
		return NULL;
	for (size_t i = 0; i < rq->headers->n; i++)
		header_insert(v, &n, rq->headers->h[i].name, rq->headers->h[i].value);
	all = (struct s3_headers){ v, n };
	full.headers = &all;
	auth.expires_s = expires_s;
	auth.payload_hash = hash.len > 0 ? hash : SPAN(SIGV4_UNSIGNED_PAYLOAD);
	auth.signed_headers = names_joined(a, v, n);
	return auth.signed_headers.p == NULL ? NULL : presign_url(a, &full, by, &auth, base);
}

const char *
sigv4_presign_again(struct arena *a, const struct sigv4_request *rq, const struct sigv4_auth *auth,
    const struct sigv4_signer *by, const char *base, struct span path)
{
	struct sigv4_auth next;
	struct sigv4_request full = *rq;
	struct s3_header v[SIGV4_SIGNED_HEADERS_MAX];
	struct s3_headers all = { v, 0 };
	struct span rest = auth->signed_headers, name;
	const char *host = strstr(base, "://");
	int64_t used_s = (by->now_us - auth->time_us) / INT64_C(1000000);

	ASSERT(auth->form == SIGV4_PRESIGNED && host != NULL);
	host += 3;
	while (s3_list_next(&rest, ';', &name) && all.n < ARRAY_LEN(v)) {
		v[all.n].name = name;
		v[all.n].value = s3_header_name_eq(name, SPAN("host")) ?
		    (struct span){ host, strcspn(host, "/") } : s3_header_span(rq->headers, name);
		all.n++;
	}
	if (!auth_begin(a, by, &next))
		return NULL;
	full.headers = &all;
	full.path = path;
	next.expires_s = auth->expires_s - (used_s > 0 ? used_s : 0);
	if (next.expires_s < 1)
		next.expires_s = 1;
	next.payload_hash = auth->payload_hash;
	next.signed_headers = auth->signed_headers;
	return presign_url(a, &full, by, &next, base);
}
