/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/targets_request.c - what names and signs a request: targets,
 * operations, signatures.
 *
 * Called by:  fuzz.c.
 */
#include "tests/fuzz/fuzz.h"

#include "base/clock.h"
#include "base/parse.h"
#include "s3/bucket_name.h"
#include "s3/errors.h"
#include "s3/operations.h"
#include "s3/sigv4.h"
#include "s3/uri.h"

#define NOW (INT64_C(1369353600) * US_PER_S) /* 2013-05-24T00:00:00Z */

static const char *const domains[] = { "s3.example.com", "s3.amazonaws.com", NULL };

/* An error document of whatever was refused: must fit, whatever the request holds. */
static void
write_error(struct arena *a, const struct s3_problem *pr, struct span resource)
{
	struct strbuf sb;

	strbuf_init(&sb, a, 4 << 20);
	s3_error_xml(&sb, pr, resource, "R", "H");
	FUZZ_CHECK(strbuf_ok(&sb) || arena_overflowed(a));
}

/* Encoded anew, a key names itself again. */
static void
key_comes_back(struct arena *a, struct span key)
{
	char *out = arena_alloc(a, 3 * key.len + 1);
	struct strbuf sb;
	ssize_t n;

	strbuf_init(&sb, a, 3 * key.len);
	uri_path(&sb, key);
	n = uri_decode((struct span){ strbuf_cstr(&sb), sb.len }, false, out);
	FUZZ_CHECK(strbuf_ok(&sb) && n == (ssize_t)key.len && span_eq((struct span){ out, (size_t)n }, key));
}

/* First line: the target; second: Host. */
void
fuzz_uri(struct arena *a, struct span in)
{
	struct span target = fuzz_line(&in), host = fuzz_line(&in), bucket;
	struct s3_problem pr = { 0 };
	struct s3_uri uri;

	if (s3_uri_parse(a, target, host, domains, &uri, &pr) == 0) {
		FUZZ_CHECK(uri.key.len <= S3_KEY_MAX && utf8_valid(uri.key) && uri.query.n <= S3_PARAMS_MAX);
		FUZZ_CHECK(uri.path.len > 0 && uri.path.p[0] == '/');
		key_comes_back(a, uri.key);
	} else {
		FUZZ_REFUSED(&pr);
		write_error(a, &pr, target);
	}
	pr = (struct s3_problem){ 0 };
	if (s3_host_is_custom(a, host, domains, &bucket)) {
		FUZZ_CHECK(bucket_name_valid(bucket));
		if (s3_uri_parse_custom(a, target, host, &uri, &pr) == 0)
			FUZZ_CHECK(uri.key.len <= S3_KEY_MAX && span_eq(uri.bucket, bucket));
		else
			FUZZ_REFUSED(&pr);
	}
}

void
fuzz_bucket_name(struct arena *a, struct span in)
{
	struct s3_problem pr = { 0 };

	(void)a;
	if (bucket_name_check(in, &pr) == 0)
		FUZZ_CHECK(bucket_name_valid(in) && !bucket_name_reserved(in) && utf8_valid(in));
	else
		FUZZ_REFUSED(&pr);
}

/* First line: "METHOD LEVEL query", level a digit; then headers. */
void
fuzz_operation(struct arena *a, struct span in)
{
	struct span line = fuzz_line(&in), method = line;
	const char *blank = line.len == 0 ? NULL : memchr(line.p, ' ', line.len);
	struct s3_problem pr = { 0 };
	struct s3_query q = { NULL, 0 };
	struct s3_headers headers;
	struct s3_match m;
	struct strbuf sb;
	enum s3_op op;
	uint8_t level;

	if (blank == NULL)
		return;
	method.len = (size_t)(blank - line.p);
	line = (struct span){ blank + 1, line.len - method.len - 1 };
	level = fuzz_byte(&line);
	headers = fuzz_headers(a, &in);
	if (s3_query_parse(a, line, &q, &pr) != 0) {
		FUZZ_REFUSED(&pr);
		return;
	}
	m = (struct s3_match){ method, (enum s3_level)(1 << level % 3), &q, &headers };
	if (s3_operation_match(a, &m, &op, &pr) == 0)
		FUZZ_CHECK(op >= 0 && op < S3_OP_COUNT && (s3_operation(op)->levels & (int)m.level) != 0);
	else
		FUZZ_REFUSED(&pr);
	strbuf_init(&sb, a, 100);
	s3_operation_allow(&sb, &m);
	FUZZ_CHECK(strbuf_ok(&sb));
	write_error(a, &pr, line);
}

/* --- signatures --- */

struct signed_case {
	struct s3_uri uri;
	struct s3_headers headers;
	struct sigv4_request rq;
};

/* "METHOD target" and headers. */
static bool
load(struct arena *a, struct span *in, struct signed_case *c)
{
	struct span line = fuzz_line(in);
	const char *blank = line.len == 0 ? NULL : memchr(line.p, ' ', line.len);
	struct s3_problem pr = { 0 };
	size_t n;

	if (blank == NULL)
		return false;
	n = (size_t)(blank - line.p);
	c->headers = fuzz_headers(a, in);
	if (s3_uri_parse(a, (struct span){ blank + 1, line.len - n - 1 }, s3_header_get(&c->headers, "host"), domains, &c->uri,
	        &pr) != 0)
		return false;
	c->rq = (struct sigv4_request){ .method = { line.p, n }, .path = c->uri.path, .query = &c->uri.query, .headers = &c->headers };
	return true;
}

static void
verdict(struct arena *a, struct span in)
{
	static const char *const regions[] = { "eu", "us-east-1" };
	struct s3_problem pr = { 0 };
	struct signed_case c;
	struct sigv4_auth auth;
	uint8_t key[SHA256_LEN];

	if (!load(a, &in, &c))
		return;
	if (sigv4_parse(a, &c.rq, NOW, &auth, &pr) != 0) {
		FUZZ_REFUSED(&pr);
		write_error(a, &pr, c.rq.path);
		return;
	}
	if (auth.form == SIGV4_ANONYMOUS)
		return;
	if (sigv4_check_region(a, &auth, regions, ARRAY_LEN(regions), "eu", &pr) != 0)
		FUZZ_REFUSED(&pr);
	/* Whoever does not know the secret signs nothing: no input is right. */
	pr = (struct s3_problem){ 0 };
	sigv4_signing_key(SPAN("not the published one"), auth.day, auth.region, auth.service, key);
	FUZZ_CHECK(sigv4_verify(a, &c.rq, &auth, key, &pr) != 0);
	FUZZ_REFUSED(&pr);
	write_error(a, &pr, c.rq.path);
}

void
fuzz_sigv4_header(struct arena *a, struct span in)
{
	verdict(a, in);
}

void
fuzz_sigv4_query(struct arena *a, struct span in)
{
	verdict(a, in);
}

/* The same request with the signature's headers added. */
static struct s3_headers
join(struct arena *a, const struct s3_headers *x, const struct s3_headers *y)
{
	struct s3_header *h = arena_array(a, x->n + y->n + 1, sizeof(*h));

	for (size_t i = 0; i < x->n; i++)
		h[i] = x->h[i];
	for (size_t i = 0; i < y->n; i++)
		h[x->n + i] = y->h[i];
	return (struct s3_headers){ h, x->n + y->n };
}

static bool
is_of_signature(struct span name)
{
	static const char *const names[] = { "authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token",
		"date", "expect", "x-amz-decoded-content-length" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (s3_header_name_eq(name, span_of(names[i])))
			return true;
	return false;
}

/* Would a request with these be refused for its form, whoever signs it? Twice the same name is for the web server to join. */
static bool
can_be_signed(const struct signed_case *c)
{
	for (size_t i = 0; i < c->headers.n; i++) {
		if (is_of_signature(c->headers.h[i].name) || c->headers.h[i].name.len == 0)
			return false;
		for (size_t k = 0; k < i; k++)
			if (s3_header_name_eq(c->headers.h[i].name, c->headers.h[k].name))
				return false;
		for (size_t k = 0; k < c->headers.h[i].name.len; k++) {
			char b = c->headers.h[i].name.p[k];

			if (!((b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') || b == '-'))
				return false;
		}
	}
	for (size_t i = 0; i < c->uri.query.n; i++)
		if (s3_istarts(c->uri.query.p[i].name, "x-amz-"))
			return false;
	/* Version 2's: two signatures are one too many. */
	if (s3_query_find(&c->uri.query, "Signature") != NULL || s3_query_find(&c->uri.query, "AWSAccessKeyId") != NULL)
		return false;
	return s3_header_get(&c->headers, "host").len > 0;
}

static void
signed_verifies(struct arena *a, const struct sigv4_request *rq, const struct sigv4_signer *by)
{
	struct s3_problem pr = { 0 };
	struct sigv4_auth auth;
	uint8_t key[SHA256_LEN];

	FUZZ_CHECK(sigv4_parse(a, rq, NOW, &auth, &pr) == 0 && auth.form != SIGV4_ANONYMOUS);
	sigv4_signing_key(by->secret, auth.day, auth.region, auth.service, key);
	FUZZ_CHECK(sigv4_verify(a, rq, &auth, key, &pr) == 0);
}

/* A presigned URL, read as a server would. */
static void
url_verifies(struct arena *a, const struct signed_case *c, const char *url, const struct sigv4_signer *by)
{
	static const char base[] = "https://any.example";
	struct s3_problem pr = { 0 };
	struct signed_case d = { .headers = c->headers };

	FUZZ_CHECK(memcmp(url, base, sizeof(base) - 1) == 0);
	if (s3_uri_parse(a, span_of(url + sizeof(base) - 1), s3_header_get(&c->headers, "host"), domains, &d.uri, &pr) != 0)
		return; /* longer than a target may be */
	d.rq = (struct sigv4_request){ .method = c->rq.method, .path = d.uri.path, .query = &d.uri.query, .headers = &d.headers };
	signed_verifies(a, &d.rq, by);
}

void
fuzz_sigv4_sign(struct arena *a, struct span in)
{
	struct sigv4_signer by = { SPAN("AKIAIOSFODNN7EXAMPLE"), SPAN("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), { NULL, 0 },
		SPAN("eu"), SPAN("s3"), NOW };
	struct s3_headers more;
	struct signed_case c;
	const char *url;

	if (!load(a, &in, &c) || !can_be_signed(&c))
		return;
	url = sigv4_presign(a, &c.rq, &by, "https://any.example", 60);
	if (url != NULL)
		url_verifies(a, &c, url, &by);
	if (sigv4_sign(a, &c.rq, &by, SPAN(SIGV4_UNSIGNED_PAYLOAD), &more, NULL) != 0)
		return;
	more = join(a, &c.headers, &more);
	c.rq.headers = &more;
	signed_verifies(a, &c.rq, &by);
}
