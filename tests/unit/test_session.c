/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_session.c - session tokens: made, opened, changed, of another
 * purpose, expired; and what authentication says of them before anything is looked up.
 */
#include "fcgi/session.h"

#include "base/clock.h"
#include "base/parse.h"
#include "fcgi/identity.h"
#include "s3/errors.h"
#include "tests/unit/suite_help.h"

#include <check.h>

#define NOW_US INT64_C(1790000000000000)

static struct arena *arena;
static struct settings settings;
static struct app app;

static void
begin(void)
{
	arena = arena_new(1 << 20);
	settings = (struct settings){ .region = "eu", .master = { .id = 7, .key = { 1, 2, 3 } } };
	app = (struct app){ .access_key = "AKEXAMPLE", .sealed_secret = SPAN("a sealed secret"), .enabled = true };
}

static void
end(void)
{
	arena_free(arena);
}

static const char *
make(struct session *s, int64_t expires_us)
{
	const char *token;

	*s = (struct session){ .role_name = "role", .policy = "{}", .issued_us = NOW_US, .expires_us = expires_us };
	ck_assert(session_make(arena, &app, s));
	token = session_token(arena, &settings, s);
	ck_assert_ptr_nonnull(token);
	return token;
}

START_TEST(test_round_trip)
{
	struct session s, got;
	const char *token = make(&s, NOW_US + US_PER_S);

	ck_assert(session_open(arena, &settings, span_of(token), &got));
	ck_assert_str_eq(got.access_key, s.access_key);
	ck_assert_uint_eq(strlen(got.access_key), SESSION_KEY_LEN);
	ck_assert_str_eq(got.secret, s.secret);
	ck_assert_uint_eq(strlen(got.secret), SESSION_SECRET_LEN);
	ck_assert_str_eq(got.app, "AKEXAMPLE");
	ck_assert_str_eq(got.role_name, "role");
	ck_assert_str_eq(got.policy, "{}");
	ck_assert_int_eq(got.issued_us, NOW_US);
	ck_assert_int_eq(got.expires_us, NOW_US + US_PER_S);
	ck_assert(session_fits(&got, &app));
	app.sealed_secret = SPAN("the same secret sealed anew");
	ck_assert(!session_fits(&got, &app));
	ck_assert_msg(strstr(token, s.secret) == NULL, "the secret can be read");
}
END_TEST

/* No changed byte, no cut, no other key, and no other sealed thing passes. */
START_TEST(test_not_ours)
{
	struct settings other = settings;
	struct session s, got;
	const char *token = make(&s, NOW_US + US_PER_S);
	size_t len = strlen(token);
	uint8_t box[64 + SEAL_OVERHEAD];
	char text[base64_len(sizeof(box)) + 1];

	for (size_t i = 0; i < len; i++) {
		char *bad = arena_strdup(arena, token);

		bad[i] = bad[i] == 'A' ? 'B' : 'A';
		ck_assert_msg(!session_open(arena, &settings, span_of(bad), &got), "byte %zu", i);
		ck_assert(!session_open(arena, &settings, (struct span){ token, i }, &got));
	}
	other.master.key[0] ^= 1;
	ck_assert(!session_open(arena, &other, span_of(token), &got));
	seal(&settings.master, SPAN("AKEXAMPLE"), "0123456789", 10, box);
	base64_encode(box, 10 + SEAL_OVERHEAD, text);
	ck_assert(!session_open(arena, &settings, span_of(text), &got));
	seal(&settings.master, SPAN("session token"), "0123456789", 10, box);
	base64_encode(box, 10 + SEAL_OVERHEAD, text);
	ck_assert(!session_open(arena, &settings, span_of(text), &got));
}
END_TEST

/* What authentication answers to a request whose header names this key and token, or whose form does. */
static const char *
answer(const char *key, const char *token, bool form)
{
	struct thread t = { .settings = &settings, .arena = arena };
	struct s3_header h[] = {
		{ SPAN("host"), SPAN("h") },
		{ SPAN("authorization"), span_of(arena_printf(arena, "AWS4-HMAC-SHA256 Credential=%s/20260921/eu/s3/aws4_request, "
		    "SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=00", key)) },
		{ SPAN("x-amz-date"), SPAN("20260921T141320Z") },
		{ SPAN("x-amz-content-sha256"), SPAN("UNSIGNED-PAYLOAD") },
		{ SPAN("x-amz-security-token"), span_of(token) },
	};
	struct sigv4_form_fields f = {
		.policy = SPAN("e30="), .algorithm = SPAN("AWS4-HMAC-SHA256"), .date = SPAN("20260921T141320Z"), .signature = SPAN("00"),
		.credential = span_of(arena_printf(arena, "%s/20260921/eu/s3/aws4_request", key)), .token = span_of(token),
	};
	struct s3_query none = { NULL, 0 };
	struct req r = { .thread = &t, .arena = arena, .now_us = NOW_US, .op = OP_ListBuckets, .header = h, .headers = { h, 5 } };
	const struct identity *who = NULL;
	int rc;

	r.signed_request = (struct sigv4_request){ .method = SPAN("GET"), .path = SPAN("/"), .query = &none, .headers = &r.headers };
	rc = form ? authenticate_form(&r, &f, &who) : authenticate(&r, &who);
	ck_assert_int_eq(rc, -1);
	ck_assert_ptr_null(who);
	return s3_error_find(r.problem.code)->name;
}

START_TEST(test_authenticate)
{
	struct session s, other;
	const char *token = make(&s, NOW_US), *later = make(&other, NOW_US + US_PER_S);

	for (int form = 0; form < 2; form++) {
		ck_assert_str_eq(answer(s.access_key, token, form), "ExpiredToken");
		ck_assert_str_eq(answer(s.access_key, later, form), "InvalidToken");
		ck_assert_str_eq(answer("AKEXAMPLE", later, form), "InvalidToken");
		ck_assert_str_eq(answer(s.access_key, "abc", form), "InvalidToken");
		ck_assert_str_eq(answer(s.access_key, "", form), "InvalidToken");
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("session");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, test_round_trip);
	tcase_add_test(t, test_not_ours);
	tcase_add_test(t, test_authenticate);
	suite_add_tcase(s, t);
	return suite_run(s);
}
