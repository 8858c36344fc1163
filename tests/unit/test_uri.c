/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_uri.c - request targets and hosts, queries, percent-encoding.
 */
#include "s3/uri.h"

#include <check.h>

#include "s3/errors.h"
#include "s3/headers.h"
#include "tests/unit/suite_help.h"

static const char *const domains[] = { "s3.example.com", "S3.Example.NET:9000", "example.com", NULL };

/* want: span and text of the same bytes */
static void
check_span(const char *row, const char *what, struct span got, const char *want)
{
	ck_assert_msg(got.len == strlen(want) && memcmp(got.p, want, got.len) == 0,
	    "%s: %s is \"%.*s\", expected \"%s\"", row, what, (int)got.len, got.p, want);
}

/* --- what a target names --- */

static const struct {
	const char *target, *host;
	int style;
	const char *bucket, *key, *query;
} named[] = {
	{ "/", "s3.example.com", S3_STYLE_PATH, "", "", "" },
	{ "", "s3.example.com", S3_STYLE_PATH, "", "", "" },
	{ "/?x", "s3.example.com", S3_STYLE_PATH, "", "", "x" },
	{ "/b", "localhost", S3_STYLE_PATH, "b", "", "" },
	{ "/b/", "localhost", S3_STYLE_PATH, "b", "", "" },
	{ "/b?acl", "localhost", S3_STYLE_PATH, "b", "", "acl" },
	{ "/b/?acl", "localhost", S3_STYLE_PATH, "b", "", "acl" },
	{ "/b/k", "", S3_STYLE_PATH, "b", "k", "" },
	{ "/b/a/b", "localhost", S3_STYLE_PATH, "b", "a/b", "" },
	{ "/b/a%2Fb", "localhost", S3_STYLE_PATH, "b", "a/b", "" },
	{ "/b/a%2fb", "localhost", S3_STYLE_PATH, "b", "a/b", "" },
	{ "/b//", "localhost", S3_STYLE_PATH, "b", "/", "" },
	{ "/b//a", "localhost", S3_STYLE_PATH, "b", "/a", "" },
	{ "/b/a//b/", "localhost", S3_STYLE_PATH, "b", "a//b/", "" },
	{ "/b/.", "localhost", S3_STYLE_PATH, "b", ".", "" },
	{ "/b/..", "localhost", S3_STYLE_PATH, "b", "..", "" },
	{ "/b/../c", "localhost", S3_STYLE_PATH, "b", "../c", "" },
	{ "/b/a+b", "localhost", S3_STYLE_PATH, "b", "a+b", "" },
	{ "/b/a%2Bb", "localhost", S3_STYLE_PATH, "b", "a+b", "" },
	{ "/b/a%20b", "localhost", S3_STYLE_PATH, "b", "a b", "" },
	{ "/b/a%2520b", "localhost", S3_STYLE_PATH, "b", "a%20b", "" },
	{ "/b/100%25", "localhost", S3_STYLE_PATH, "b", "100%", "" },
	{ "/b/%22%27%3C%3E%26", "localhost", S3_STYLE_PATH, "b", "\"'<>&", "" },
	{ "/b/%F0%9F%98%80", "localhost", S3_STYLE_PATH, "b", "\xF0\x9F\x98\x80", "" },
	{ "/b/\xC3\xA9", "localhost", S3_STYLE_PATH, "b", "\xC3\xA9", "" },
	{ "/b/a=b&c", "localhost", S3_STYLE_PATH, "b", "a=b&c", "" },
	{ "/b/a%3Fb?c?d", "localhost", S3_STYLE_PATH, "b", "a?b", "c?d" },
	{ "/b/%01%7F", "localhost", S3_STYLE_PATH, "b", "\x01\x7F", "" },
	{ "/%62/k", "localhost", S3_STYLE_PATH, "b", "k", "" },
	{ "/b%2Fc/k", "localhost", S3_STYLE_PATH, "b/c", "k", "" },
	{ "/k", "b.s3.example.com", S3_STYLE_VHOST, "b", "k", "" },
	{ "/", "b.s3.example.com", S3_STYLE_VHOST, "b", "", "" },
	{ "/k", "B.S3.Example.Com:8080", S3_STYLE_VHOST, "b", "k", "" },
	{ "/k", "my.dotted.b.s3.example.com", S3_STYLE_VHOST, "my.dotted.b", "k", "" },
	{ "/k", "b.s3.example.net", S3_STYLE_VHOST, "b", "k", "" },
	{ "/k", "b.s3.example.com.", S3_STYLE_VHOST, "b", "k", "" },
	{ "//k", "b.s3.example.com", S3_STYLE_VHOST, "b", "/k", "" },
	{ "/c/k", "s3.example.com:8080", S3_STYLE_PATH, "c", "k", "" },
	{ "/k", "s4.example.com", S3_STYLE_VHOST, "s4", "k", "" },
	{ "/c/k", "example.com", S3_STYLE_PATH, "c", "k", "" },
	{ "/c/k", "xs3.example.org", S3_STYLE_PATH, "c", "k", "" },
	{ "/c/k", "bs3.example.net", S3_STYLE_PATH, "c", "k", "" },
	{ "/c/k", ".s3.example.net", S3_STYLE_PATH, "c", "k", "" },
	{ "/c/k", "127.0.0.1:8080", S3_STYLE_PATH, "c", "k", "" },
	{ "/c/k", "[::1]:8080", S3_STYLE_PATH, "c", "k", "" },
	{ "/c/k", "[2001:db8::1]", S3_STYLE_PATH, "c", "k", "" },
	{ "http://b.s3.example.com/k?a=1", "b.s3.example.com", S3_STYLE_VHOST, "b", "k", "a=1" },
	{ "HTTPS://B.s3.example.com:443/k", "b.s3.example.com", S3_STYLE_VHOST, "b", "k", "" },
	{ "http://s3.example.com", "s3.example.com", S3_STYLE_PATH, "", "", "" },
	{ "http://s3.example.com?acl", "", S3_STYLE_PATH, "", "", "acl" },
};

START_TEST(test_uri_names)
{
	struct arena *a = arena_new(1 << 20);
	struct s3_problem pr = { 0 };
	struct s3_uri u;
	const char *row = named[_i].target;

	ck_assert_msg(s3_uri_parse(a, span_of(row), span_of(named[_i].host), domains, &u, &pr) == 0,
	    "%s: refused with %s", row, s3_error_find(pr.code)->name);
	check_span(row, "bucket", u.bucket, named[_i].bucket);
	check_span(row, "key", u.key, named[_i].key);
	check_span(row, "query", u.raw_query, named[_i].query);
	ck_assert_msg((int)u.style == named[_i].style, "%s at %s: style %d", row, named[_i].host, (int)u.style);
	ck_assert(u.path.len > 0 && u.path.p[0] == '/');
	arena_free(a);
}
END_TEST

/* --- custom domains --- */

static const struct {
	const char *host, *bucket; /* bucket NULL: not a custom domain */
} customs[] = {
	{ "static.customer.org", "static.customer.org" },
	{ "Static.Customer.Org:8080", "static.customer.org" },
	{ "static.customer.org.", "static.customer.org" },
	{ "s3.example.com", NULL },
	{ "b.s3.example.com", NULL },
	{ "xs3.example.org", "xs3.example.org" },
	{ "bs3.example.net", "bs3.example.net" },
	{ "localhost", NULL },
	{ "127.0.0.1:8080", NULL },
	{ "[2001:db8::1]", NULL },
	{ "under_score.customer.org", NULL },
	{ "", NULL },
};

/* --- websites --- */

static const struct {
	const char *host;
	bool site;
} sites[] = {
	{ "b.s3-website.eu.example.com", true },
	{ "B.S3-Website.EU.example.com.:80", true },
	{ "a.b.s3-website.eu.example.com", true },
	{ "s3-website.eu.example.com", false },
	{ ".s3-website.eu.example.com", false },
	{ "xs3-website.eu.example.com", false },
	{ "b.eu.example.com", false },
	{ "b.pages.example.com", true },
	{ "b.s3.pages.example.com", false }, /* the longer of the two */
	{ "s3.pages.example.com", false },
	{ "b.example.org", false },
	{ "", false },
};

START_TEST(test_uri_websites)
{
	static const char *const api[] = { "eu.example.com", "s3.pages.example.com", NULL };
	static const char *const web[] = { "s3-website.eu.example.com", "pages.example.com", NULL };
	struct span host = span_of(sites[_i].host);
	struct arena *a = arena_new(1 << 20);

	ck_assert_msg(s3_host_is_website(a, host, api, web) == sites[_i].site, "%s", sites[_i].host);
	ck_assert(!s3_host_is_website(a, host, api, NULL));
	arena_free(a);
}
END_TEST

START_TEST(test_uri_custom_domains)
{
	struct span host = span_of(customs[_i].host), bucket = SPAN("");
	struct arena *a = arena_new(1 << 20);
	struct s3_problem pr = { 0 };
	struct s3_uri u;

	ck_assert_msg(s3_host_is_custom(a, host, domains, &bucket) == (customs[_i].bucket != NULL), "%s", customs[_i].host);
	if (customs[_i].bucket != NULL) {
		check_span(customs[_i].host, "bucket", bucket, customs[_i].bucket);
		ck_assert_int_eq(s3_uri_parse_custom(a, SPAN("//a%2Fb/?acl"), host, &u, &pr), 0);
		check_span(customs[_i].host, "bucket", u.bucket, customs[_i].bucket);
		check_span(customs[_i].host, "key", u.key, "/a/b/");
		check_span(customs[_i].host, "domain", u.domain, "");
		ck_assert_int_eq(u.style, S3_STYLE_VHOST);
	}
	arena_free(a);
}
END_TEST

/* --- what is refused --- */

static const struct {
	const char *target, *host;
	int code;
} refused[] = {
	{ "/b/%", "h", S3_InvalidURI },
	{ "/b/%2", "h", S3_InvalidURI },
	{ "/b/%zz", "h", S3_InvalidURI },
	{ "/b/%2g", "h", S3_InvalidURI },
	{ "/%/k", "h", S3_InvalidURI },
	{ "/b/a%00b", "h", S3_InvalidURI },
	{ "/b/%FF", "h", S3_InvalidURI },
	{ "/b/%C0%AF", "h", S3_InvalidURI },
	{ "/b/%ED%A0%80", "h", S3_InvalidURI },
	{ "/b/\x80", "h", S3_InvalidURI },
	{ "/b?a=%", "h", S3_InvalidURI },
	{ "/b?%4=1", "h", S3_InvalidURI },
	{ "/b?a=%00", "h", S3_InvalidURI },
	{ "/b?a=%FF", "h", S3_InvalidURI },
	{ "*", "h", S3_InvalidURI },
	{ "b/k", "h", S3_InvalidURI },
	{ "ftp://h/k", "h", S3_InvalidURI },
	{ "http:///k", "h", S3_InvalidURI },
	{ "http://u@h/k", "h", S3_InvalidURI },
	{ "http://other.s3.example.com/k", "b.s3.example.com", S3_InvalidURI },
	{ "//k", "h", S3_InvalidBucketName },
	{ "//", "h", S3_InvalidBucketName },
};

START_TEST(test_uri_refuses)
{
	struct arena *a = arena_new(1 << 20);
	struct s3_problem pr = { 0 };
	struct s3_uri u;

	ck_assert_msg(s3_uri_parse(a, span_of(refused[_i].target), span_of(refused[_i].host), domains, &u, &pr) == -1,
	    "%s: taken", refused[_i].target);
	ck_assert_msg(pr.code == refused[_i].code, "%s: %s", refused[_i].target, s3_error_find(pr.code)->name);
	arena_free(a);
}
END_TEST

START_TEST(test_uri_key_length)
{
	struct arena *a = arena_new(1 << 20);
	struct s3_problem pr = { 0 };
	struct s3_uri u;
	char target[8 + 3 * 1100];

	memcpy(target, "/b/", 3);
	memset(target + 3, 'k', sizeof(target) - 3);
	ck_assert_int_eq(s3_uri_parse(a, (struct span){ target, 3 + 1024 }, SPAN("h"), NULL, &u, &pr), 0);
	ck_assert_uint_eq(u.key.len, 1024);
	ck_assert_int_eq(s3_uri_parse(a, (struct span){ target, 3 + 1025 }, SPAN("h"), NULL, &u, &pr), -1);
	ck_assert_int_eq(pr.code, S3_KeyTooLongError);
	ck_assert_uint_eq(pr.n_extra, 2);
	check_span("long key", "Size", pr.extra[0].value, "1025");
	/* Decoded bytes count, not those of the target. */
	for (size_t i = 0; i < 1024; i++)
		memcpy(target + 3 + 3 * i, "%6B", 3);
	s3_problem_clear(&pr);
	ck_assert_int_eq(s3_uri_parse(a, (struct span){ target, 3 + 3 * 1024 }, SPAN("h"), NULL, &u, &pr), 0);
	ck_assert_uint_eq(u.key.len, 1024);
	arena_free(a);
}
END_TEST

START_TEST(test_uri_limits)
{
	struct arena *a = arena_new(1 << 20), *tiny = arena_new(64);
	struct s3_problem pr = { 0 };
	struct s3_uri u;
	static char target[S3_TARGET_MAX + 2];

	memset(target, '/', sizeof(target));
	target[1] = 'b';
	ck_assert_int_eq(s3_uri_parse(a, (struct span){ target, sizeof(target) - 1 }, SPAN("h"), NULL, &u, &pr), -1);
	ck_assert_int_eq(pr.code, S3_InvalidURI);
	s3_problem_clear(&pr);
	memset(target, '&', sizeof(target));
	ck_assert_int_eq(s3_query_parse(a, (struct span){ target, S3_PARAMS_MAX }, &u.query, &pr), -1);
	ck_assert_int_eq(pr.code, S3_InvalidURI);
	s3_problem_clear(&pr);
	ck_assert_int_eq(s3_query_parse(a, (struct span){ target, S3_PARAMS_MAX - 1 }, &u.query, &pr), 0);
	ck_assert_uint_eq(u.query.n, 0);
	ck_assert_int_eq(s3_query_parse(tiny, SPAN("a=1&b=2&c=3&d=4"), &u.query, &pr), -1);
	ck_assert_int_ne(pr.code, 0);
	arena_free(a);
	arena_free(tiny);
}
END_TEST

/* --- the query --- */

START_TEST(test_query_order_and_values)
{
	struct arena *a = arena_new(1 << 20);
	struct s3_problem pr = { 0 };
	struct s3_query q;

	ck_assert_int_eq(s3_query_parse(a, SPAN("b=1&a=x+y%2Bz&&uploads&e=&a=2&c=d=e&%61%3D=f&=g"), &q, &pr), 0);
	ck_assert_uint_eq(q.n, 8);
	check_span("first", "name", q.p[0].name, "b");
	check_span("plus", "value", s3_query_get(&q, "a"), "x y+z");
	check_span("flag", "value", s3_query_get(&q, "uploads"), "");
	ck_assert(!s3_query_find(&q, "uploads")->has_value);
	ck_assert(s3_query_find(&q, "e")->has_value);
	check_span("second =", "value", s3_query_get(&q, "c"), "d=e");
	check_span("decoded name", "value", s3_query_get(&q, "a="), "f");
	check_span("no name", "value", s3_query_get(&q, ""), "g");
	ck_assert_ptr_null(s3_query_get(&q, "A").p);
	ck_assert_ptr_null(s3_query_find(&q, "zz"));
	arena_free(a);
}
END_TEST

/* --- encoding --- */

static const struct {
	const char *raw, *path, *query;
} encodings[] = {
	{ "", "", "" },
	{ "abcXYZ019-._~", "abcXYZ019-._~", "abcXYZ019-._~" },
	{ "a/b", "a/b", "a%2Fb" },
	{ "/", "/", "%2F" },
	{ " +%", "%20%2B%25", "%20%2B%25" },
	{ "\xC3\xA9", "%C3%A9", "%C3%A9" },
	{ "(a)*'!&=", "%28a%29%2A%27%21%26%3D", "%28a%29%2A%27%21%26%3D" },
	{ "\x01\x7F", "%01%7F", "%01%7F" },
};

START_TEST(test_encoding)
{
	struct arena *a = arena_new(1 << 16);
	struct strbuf p, q;
	char back[64];
	ssize_t n;

	strbuf_init(&p, a, 1000);
	strbuf_init(&q, a, 1000);
	uri_path(&p, span_of(encodings[_i].raw));
	uri_query(&q, span_of(encodings[_i].raw));
	ck_assert_str_eq(strbuf_cstr(&p), encodings[_i].path);
	ck_assert_str_eq(strbuf_cstr(&q), encodings[_i].query);
	n = uri_decode(span_of(strbuf_cstr(&q)), true, back);
	ck_assert_int_eq(n, (int)strlen(encodings[_i].raw));
	ck_assert(memcmp(back, encodings[_i].raw, (size_t)n) == 0);
	arena_free(a);
}
END_TEST

/* --- headers and problems --- */

START_TEST(test_headers)
{
	const struct s3_header h[] = { { SPAN("host"), SPAN("a") }, { SPAN("x-amz-meta-a-b"), SPAN("") } };
	const struct s3_headers hs = { h, ARRAY_LEN(h) };
	struct span rest = SPAN(" a ,,\tb,c d , "), item;

	check_span("host", "value", s3_header_get(&hs, "HOST"), "a");
	ck_assert_ptr_nonnull(s3_header_get(&hs, "X-Amz-Meta-A_B").p);
	ck_assert_ptr_null(s3_header_get(&hs, "x-amz-meta-a").p);
	ck_assert_ptr_null(s3_header_get(&hs, "").p);
	ck_assert(s3_list_next(&rest, ',', &item));
	check_span("list", "first", item, "a");
	ck_assert(s3_list_next(&rest, ',', &item));
	check_span("list", "second", item, "b");
	ck_assert(s3_list_next(&rest, ',', &item));
	check_span("list", "third", item, "c d");
	ck_assert(!s3_list_next(&rest, ',', &item));
	ck_assert(s3_istarts(SPAN("X-AMZ-a"), "x-amz-") && !s3_istarts(SPAN("x-am"), "x-amz-"));
}
END_TEST

START_TEST(test_first_problem_is_kept)
{
	struct s3_problem p = { 0 };

	s3_problem_extra(&p, "Before", SPAN("1"));
	ck_assert_int_eq(s3_problem_set(&p, S3_AccessDenied, "first"), -1);
	ck_assert_int_eq(s3_problem_set(&p, S3_NoSuchKey, "second"), -1);
	ck_assert_int_eq(p.code, S3_AccessDenied);
	ck_assert_str_eq(p.message, "first");
	ck_assert_uint_eq(p.n_extra, 1);
	for (int i = 0; i < 2 * S3_PROBLEM_EXTRAS; i++)
		s3_problem_extra(&p, "More", SPAN(""));
	ck_assert_uint_eq(p.n_extra, S3_PROBLEM_EXTRAS);
	s3_problem_clear(&p);
	ck_assert(p.code == 0 && p.message == NULL && p.n_extra == 0);
}
END_TEST

static Suite *
uri_suite(void)
{
	Suite *s = suite_create("uri");
	TCase *t = tcase_create("uri");

	tcase_add_loop_test(t, test_uri_names, 0, (int)ARRAY_LEN(named));
	tcase_add_loop_test(t, test_uri_custom_domains, 0, (int)ARRAY_LEN(customs));
	tcase_add_loop_test(t, test_uri_websites, 0, (int)ARRAY_LEN(sites));
	tcase_add_loop_test(t, test_uri_refuses, 0, (int)ARRAY_LEN(refused));
	tcase_add_test(t, test_uri_key_length);
	tcase_add_test(t, test_uri_limits);
	tcase_add_test(t, test_query_order_and_values);
	tcase_add_loop_test(t, test_encoding, 0, (int)ARRAY_LEN(encodings));
	tcase_add_test(t, test_headers);
	tcase_add_test(t, test_first_problem_is_kept);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return suite_run(uri_suite());
}
