/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_admin_cgi.c - the parts of the pages that need no service:
 * escaping, templates, requests, sessions, form tokens, the login limiter.
 */
#include "base/html.h"
#include "admin/cgi/limiter.h"
#include "admin/cgi/page.h"

#include <check.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "tests/unit/suite_help.h"

#define TEXT_MAX ((size_t)1 << 20)
#define NOW (INT64_C(1764072000) * US_PER_S)

static struct arena *a;

static void
setup(void)
{
	a = arena_new((size_t)16 << 20);
}

static void
teardown(void)
{
	arena_free(a);
}

/* ---- writers ---- */

static const struct {
	const char *in, *html, *url;
} texts[] = {
	{ "", "", "" },
	{ "plain", "plain", "plain" },
	{ "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;", "%3Cscript%3Ealert%281%29%3C%2Fscript%3E" },
	{ "\" onmouseover='x' &amp;", "&quot; onmouseover=&#39;x&#39; &amp;amp;", "%22%20onmouseover%3D%27x%27%20%26amp%3B" },
	{ "a\x01\x7fz", "a\xef\xbf\xbd\xef\xbf\xbdz", "a%01%7Fz" },
	{ "\xc0\xbcscript", "\xef\xbf\xbd\xef\xbf\xbdscript", "%C0%BCscript" },
	{ "é日", "é日", "%C3%A9%E6%97%A5" },
	{ "\xe6\x97", "\xef\xbf\xbd\xef\xbf\xbd", "%E6%97" },
	{ "a\n\tb", "a\n\tb", "a%0A%09b" },
	{ "~-._", "~-._", "~-._" },
};

START_TEST(test_writers)
{
	struct strbuf h, u, q;

	strbuf_init(&h, a, TEXT_MAX);
	strbuf_init(&u, a, TEXT_MAX);
	strbuf_init(&q, a, TEXT_MAX);
	html_text(&h, texts[_i].in);
	html_attr(&q, texts[_i].in);
	url_component(&u, texts[_i].in);
	ck_assert_str_eq(strbuf_cstr(&h), texts[_i].html);
	ck_assert_str_eq(strbuf_cstr(&q), texts[_i].html);
	ck_assert_str_eq(strbuf_cstr(&u), texts[_i].url);
}
END_TEST

/* ---- templates ---- */

static const char *
one_template(void *arg, const char *name, struct arena *arena)
{
	(void)arena;
	if (strcmp(name, "loop") == 0)
		return "{{>loop}}";
	if (strcmp(name, "part") == 0)
		return "[{{name}}]";
	return strcmp(name, "main") == 0 ? arg : NULL;
}

static const struct {
	const char *in, *want; /* "!" and a part of the problem, or the text */
} templates[] = {
	{ "plain", "plain" },
	{ "{{name}}", "&lt;b&gt;" },
	{ "<a href=\"{{name}}\">", "<a href=\"&lt;b&gt;\">" },
	{ "{{name|url}}", "%3Cb%3E" },
	{ "{{braces}}", "{{name}}" },
	{ "{{! a comment <b> }}x", "x" },
	{ "{{#on}}yes{{/on}}{{^on}}no{{/on}}", "yes" },
	{ "{{#off}}yes{{/off}}{{^off}}no{{/off}}", "no" },
	{ "{{#nowhere}}yes{{/nowhere}}{{^nowhere}}no{{/nowhere}}", "no" },
	{ "{{#empty}}yes{{/empty}}{{^empty}}no{{/empty}}", "no" },
	{ "{{#name}}yes{{/name}}", "yes" },
	{ "{{#list}}({{it}}{{#list}}.{{/list}}){{/list}}", "(1..)(2..)" },
	{ "{{#list}}{{name}}{{/list}}", "&lt;b&gt;in 2" },
	{ "{{#none}}x{{/none}}{{^none}}none{{/none}}", "none" },
	{ "{{#list}}{{>part}}{{/list}}", "[&lt;b&gt;][in 2]" },
	{ "{{#on}}{{#list}}{{#deep}}{{it}}{{what}}{{/deep}}{{/list}}{{/on}}", "2deep" },
	{ "{{nowhere}}", "!main.html:1: there is no such text: {{nowhere}}" },
	{ "a\nb\n{{list}}", "!main.html:3: there is no such text" },
	{ "{{name|html}}", "!no such filter" },
	{ "{{#on}}x", "!a section does not end" },
	{ "x{{/on}}", "!ends that did not begin" },
	{ "x{{name", "!a tag does not end" },
	{ "x{{}}", "!a tag of a strange length" },
	{ "{{>missing}}", "!missing.html is missing" },
	{ "{{>loop}}", "!too deep" },
};

START_TEST(test_template)
{
	char *text = arena_strdup(a, templates[_i].in);
	struct templates set = { one_template, text };
	struct scope *root = scope_new(a, NULL), *second;
	struct err err = { 0 };
	struct strbuf out;
	int rc;

	scope_text(root, "name", "old");
	scope_text(root, "name", "<b>");
	scope_text(root, "braces", "{{name}}");
	scope_text(root, "empty", NULL);
	scope_flag(root, "on", true);
	scope_flag(root, "off", false);
	scope_list(root, "none");
	scope_text(scope_item(root, "list"), "it", "1");
	second = scope_item(root, "list");
	scope_text(second, "it", "2");
	scope_text(second, "name", "in 2");
	scope_text(scope_item(second, "deep"), "what", "deep");
	strbuf_init(&out, a, TEXT_MAX);
	rc = template_render(&out, &set, "main", root, &err);
	if (templates[_i].want[0] == '!')
		ck_assert_msg(rc == -1 && strstr(err.detail, templates[_i].want + 1) != NULL, "%s: got \"%s\"",
		    templates[_i].in, err.detail);
	else
		ck_assert_msg(rc == 0 && strcmp(strbuf_cstr(&out), templates[_i].want) == 0,
		    "%s: expected \"%s\", got \"%s\" (%s)", templates[_i].in, templates[_i].want, strbuf_cstr(&out), err.detail);
}
END_TEST

START_TEST(test_template_names_stay_in_the_folder)
{
	char folder[] = "/tmp";

	ck_assert_ptr_null(template_load_file(folder, "../etc/passwd", a));
	ck_assert_ptr_null(template_load_file(folder, "a.b", a));
	ck_assert_ptr_null(template_load_file(folder, "nowhere_at_all", a));
}
END_TEST

/* ---- requests ---- */

struct fake {
	const char *const *env; /* name, value, ..., NULL */
	const char *body;
};

static const char *
fake_env(void *arg, const char *name)
{
	const struct fake *f = arg;

	for (const char *const *p = f->env; *p != NULL; p += 2)
		if (strcmp(p[0], name) == 0)
			return p[1];
	return NULL;
}

static ssize_t
fake_body(void *arg, char *buf, size_t len)
{
	struct fake *f = arg;
	size_t n = strlen(f->body);

	if (n > len)
		n = len;
	if (n > 3)
		n = 3; /* in small pieces */
	memcpy(buf, f->body, n);
	f->body += n;
	return (ssize_t)n;
}

#define FORM "REQUEST_METHOD", "POST", "CONTENT_TYPE", "application/x-www-form-urlencoded; charset=UTF-8"

static const struct {
	const char *env[12], *body;
	int refused;
	const char *name, *value; /* of the form or query */
} requests[] = {
	{ { "QUERY_STRING", "name=a%20b+c&x" }, "", 0, "name", "a b c" },
	{ { "QUERY_STRING", "a=1&name=%e2%82%ac&name=2" }, "", 0, "name", "€" },
	{ { "QUERY_STRING", "name=%zz" }, "", 400, NULL, NULL },
	{ { "QUERY_STRING", "name=%4" }, "", 400, NULL, NULL },
	{ { "QUERY_STRING", "name=%00" }, "", 400, NULL, NULL },
	{ { "REQUEST_METHOD", "PUT" }, "", 405, NULL, NULL },
	{ { FORM, "CONTENT_LENGTH", "13" }, "name=x%3Dy&b=", 0, "name", "x=y" },
	{ { FORM, "CONTENT_LENGTH", "99" }, "name=short", 400, NULL, NULL },
	{ { FORM, "CONTENT_LENGTH", "131073" }, "", 413, NULL, NULL },
	{ { FORM, "CONTENT_LENGTH", "-1" }, "", 411, NULL, NULL },
	{ { FORM }, "name=x", 411, NULL, NULL },
	{ { "REQUEST_METHOD", "POST", "CONTENT_TYPE", "text/plain", "CONTENT_LENGTH", "6" }, "name=x", 415, NULL, NULL },
};

START_TEST(test_request)
{
	struct fake f = { requests[_i].env, requests[_i].body };
	struct http_request *rq = ARENA_NEW(a, struct http_request);
	const char *got;

	http_read(rq, a, fake_env, fake_body, &f);
	ck_assert_int_eq(rq->refused, requests[_i].refused);
	if (requests[_i].name == NULL)
		return;
	got = param_get(strcmp(rq->method, "POST") == 0 ? &rq->form : &rq->args, requests[_i].name);
	ck_assert_ptr_nonnull(got);
	ck_assert_str_eq(got, requests[_i].value);
}
END_TEST

START_TEST(test_too_many_params)
{
	struct params *ps = ARENA_NEW(a, struct params);
	struct strbuf sb;

	strbuf_init(&sb, a, TEXT_MAX);
	for (int i = 0; i < PARAMS_MAX; i++)
		strbuf_str(&sb, "a=1&");
	ck_assert(params_parse(ps, a, strbuf_cstr(&sb)));
	memset(ps, 0, sizeof(*ps));
	strbuf_str(&sb, "a=1");
	ck_assert(!params_parse(ps, a, strbuf_cstr(&sb)));
}
END_TEST

START_TEST(test_cookies)
{
	struct http_request rq = { .arena = a, .cookies = "a=1; anvil_session=x.y;b=; anvil_sessions=no", .script = "/s" };
	struct http_answer an;

	ck_assert_str_eq(http_cookie(&rq, "anvil_session"), "x.y");
	ck_assert_str_eq(http_cookie(&rq, "b"), "");
	ck_assert_ptr_null(http_cookie(&rq, "anvil"));
	ck_assert_ptr_null(http_cookie(&rq, "session"));
	http_answer_init(&an, a);
	http_set_cookie(&an, &rq, "n", "v", 60);
	ck_assert_str_eq(strbuf_cstr(&an.head), "Set-Cookie: n=v; Path=/s/; HttpOnly; SameSite=Strict; Max-Age=60\r\n");
	rq.https = true;
	strbuf_clear(&an.head);
	http_set_cookie(&an, &rq, "n", "v\r\nX: y", -1);
	ck_assert_str_eq(strbuf_cstr(&an.head), "Set-Cookie: n=v  X: y; Path=/s/; HttpOnly; SameSite=Strict; Secure\r\n");
}
END_TEST

static const struct {
	const char *where;
	bool ours;
} places[] = {
	{ "", true }, { "tenants", true }, { "tenant?name=a%20b", true }, { "bucket?name=", true },
	{ "nowhere", false }, { "//evil.example", false }, { "http://evil.example", false }, { "/tenants", false },
	{ "tenants/../x", false }, { "tenant?name=a b", false }, { "tenant?x=\r\nSet-Cookie: a", false },
	{ "tenant?\"><script>", false }, { "tenants\\x", false },
};

START_TEST(test_places)
{
	ck_assert_msg(page_is_place(places[_i].where) == places[_i].ours, "%s", places[_i].where);
}
END_TEST

/* ---- sessions ---- */

static struct session_keys keys;
static struct uuid who = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } };

static void
make_keys(void)
{
	struct seal_key master = { 1, { 42 } };

	setup();
	session_keys_init(&keys, &master);
}

START_TEST(test_session_round_trip)
{
	const char *token = session_make(&keys, a, &who, 7, NOW + 1000);
	struct session s;

	ck_assert(session_read(&keys, token, NOW, &s));
	ck_assert_mem_eq(&s.operator_id, &who, sizeof(who));
	ck_assert_int_eq(s.number, 7);
	ck_assert_str_ne(token, session_make(&keys, a, &who, 7, NOW + 1000));
	ck_assert(session_read(&keys, token, NOW + 999, &s));
	ck_assert(!session_read(&keys, token, NOW + 1000, &s));
}
END_TEST

START_TEST(test_session_forgery)
{
	const char *token = session_make(&keys, a, &who, 7, NOW + 1000);
	struct seal_key other_master = { 1, { 43 } };
	struct session_keys other;
	struct session s;
	size_t len = strlen(token);

	for (size_t i = 0; i < len; i++) {
		char *bad = arena_strdup(a, token);

		bad[i] = bad[i] == '0' ? '1' : '0';
		ck_assert_msg(!session_read(&keys, bad, NOW, &s), "byte %zu may be changed", i);
		bad[i] = '\0';
		ck_assert(!session_read(&keys, bad, NOW, &s));
	}
	ck_assert(!session_read(&keys, arena_printf(a, "%s0", token), NOW, &s));
	ck_assert(!session_read(&keys, "", NOW, &s));
	ck_assert(!session_read(&keys, ".", NOW, &s));
	session_keys_init(&other, &other_master);
	ck_assert(!session_read(&other, token, NOW, &s));
}
END_TEST

START_TEST(test_csrf)
{
	const char *one = session_make(&keys, a, &who, 7, NOW + 1000), *two = session_make(&keys, a, &who, 7, NOW + 1000);
	char token[CSRF_LEN + 1], again[CSRF_LEN + 1];

	csrf_make(&keys, one, token);
	csrf_make(&keys, one, again);
	ck_assert_str_eq(token, again);
	ck_assert(csrf_check(&keys, one, token));
	ck_assert(!csrf_check(&keys, two, token));
	ck_assert(!csrf_check(&keys, one, NULL));
	ck_assert(!csrf_check(&keys, one, ""));
	token[0] = token[0] == '0' ? '1' : '0';
	ck_assert(!csrf_check(&keys, one, token));
	/* The token is not the cookie's own MAC. */
	ck_assert_ptr_null(strstr(one, again));
}
END_TEST

START_TEST(test_flash)
{
	const char *one = session_make(&keys, a, &who, 7, NOW), *two = session_make(&keys, a, &who, 7, NOW);
	const char *box = flash_make(&keys, a, one, "k Secret\tabc\n");
	char *bad, *big = arena_alloc(a, FLASH_MAX + 2);

	ck_assert_str_eq(flash_read(&keys, a, one, box), "k Secret\tabc\n");
	ck_assert_ptr_null(flash_read(&keys, a, two, box));
	bad = arena_strdup(a, box);
	bad[20] = bad[20] == 'A' ? 'B' : 'A';
	ck_assert_ptr_null(flash_read(&keys, a, one, bad));
	ck_assert_ptr_null(flash_read(&keys, a, one, ""));
	ck_assert_ptr_null(flash_read(&keys, a, one, "AAAA"));
	ck_assert_ptr_null(strstr(box, "Secret"));
	memset(big, 'x', FLASH_MAX + 1);
	big[FLASH_MAX + 1] = '\0';
	ck_assert_ptr_null(flash_make(&keys, a, one, big));
	big[FLASH_MAX] = '\0';
	ck_assert_ptr_nonnull(flash_read(&keys, a, one, flash_make(&keys, a, one, big)));
}
END_TEST

/* ---- the limiter ---- */

START_TEST(test_limiter)
{
	char dir[] = "/tmp/anvil-limiter.XXXXXX";
	struct stat st;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	for (int i = 0; i < LIMITER_PER_ADDRESS - 1; i++)
		ck_assert_int_eq(limiter_try(dir, "10.0.0.1", "ada", NOW), 0);
	/* A right password counts for nothing, and forgives nothing. */
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(limiter_try(dir, "10.0.0.1", "ada", NOW), 0);
		limiter_undo(dir, "10.0.0.1", "ada");
	}
	ck_assert_int_eq(limiter_try(dir, "10.0.0.1", "ada", NOW), 0);
	ck_assert_int_gt(limiter_try(dir, "10.0.0.1", "ada", NOW), 0);
	ck_assert_int_gt(limiter_try(dir, "10.0.0.1", "bob", NOW), 0);
	ck_assert_int_gt(limiter_try(dir, "10.0.0.1", "ada", NOW + LIMITER_WINDOW_US - 1), 0);
	ck_assert_int_eq(limiter_try(dir, "10.0.0.2", "ada", NOW), 0);
	ck_assert_int_eq(limiter_try(dir, "10.0.0.1", "ada", NOW + LIMITER_WINDOW_US), 0);
	/* A clock that went back locks nobody out for ever. */
	for (int i = 0; i < LIMITER_PER_ADDRESS; i++)
		limiter_try(dir, "10.0.0.3", "eve", NOW);
	ck_assert_int_gt(limiter_try(dir, "10.0.0.3", "eve", NOW), 0);
	ck_assert_int_eq(limiter_try(dir, "10.0.0.3", "eve", NOW - 2 * LIMITER_WINDOW_US), 0);
	for (int i = 0; i < LIMITER_PER_NAME; i++)
		limiter_try(dir, arena_printf(a, "10.1.0.%d", i), "fay", NOW);
	ck_assert_int_gt(limiter_try(dir, "10.0.0.9", "fay", NOW), 0);
	ck_assert_int_eq(limiter_try(dir, "10.0.0.9", "bob", NOW), 0);
	ck_assert_int_eq(stat(arena_printf(a, "%s/admin-logins", dir), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	unlink(arena_printf(a, "%s/admin-logins", dir));
	rmdir(dir);
	ck_assert_int_eq(limiter_try("/nowhere", "10.0.0.1", "ada", NOW), 0);
}
END_TEST

/* ---- the tables ---- */

/* Each action with PAGE is somewhere in the pages: a form of its own, a button, or what a page runs. */
START_TEST(test_every_page_action_is_in_a_page)
{
	static const char *const sources[] = { "admin/cgi/page_things.c", "admin/cgi/page_service.c" };
	const char *top = getenv("ANVIL_SRCDIR");
	struct strbuf all;

	if (top == NULL)
		return;
	strbuf_init(&all, a, TEXT_MAX);
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		char *buf = arena_zalloc(a, 65536);
		FILE *f = fopen(arena_printf(a, "%s/%s", top, sources[i]), "r");

		ck_assert_ptr_nonnull(f);
		ck_assert_uint_gt(fread(buf, 1, 65535, f), 0);
		fclose(f);
		strbuf_str(&all, buf);
	}
	for (const struct page *p = pages; p->path != NULL; p++) {
		const char *text = template_load_file(arena_printf(a, "%s/admin/pages", top), p->template, a);

		ck_assert_msg(text != NULL, "page %s has no template", p->template);
		strbuf_str(&all, text);
	}
	for (const struct action *x = actions; x->noun != NULL; x++)
		if (x->flags & ACT_PAGE)
			ck_assert_msg(strstr(strbuf_cstr(&all), action_name(x, a)) != NULL, "%s is in no page",
			    action_name(x, a));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("admin_cgi");
	TCase *t = tcase_create("plain"), *k = tcase_create("sessions");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_writers, 0, ARRAY_LEN(texts));
	tcase_add_loop_test(t, test_template, 0, ARRAY_LEN(templates));
	tcase_add_test(t, test_template_names_stay_in_the_folder);
	tcase_add_loop_test(t, test_request, 0, ARRAY_LEN(requests));
	tcase_add_test(t, test_too_many_params);
	tcase_add_test(t, test_cookies);
	tcase_add_loop_test(t, test_places, 0, ARRAY_LEN(places));
	tcase_add_test(t, test_limiter);
	tcase_add_test(t, test_every_page_action_is_in_a_page);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(k, make_keys, teardown);
	tcase_add_test(k, test_session_round_trip);
	tcase_add_test(k, test_session_forgery);
	tcase_add_test(k, test_csrf);
	tcase_add_test(k, test_flash);
	suite_add_tcase(s, k);
	return suite_run(s);
}
