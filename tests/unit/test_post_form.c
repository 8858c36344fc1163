/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_post_form.c - a browser's form, whole and in pieces of every size;
 * its policy; its signature.
 */
#include "s3/post_form.h"
#include "s3/post_policy.h"

#include "base/parse.h"
#include "s3/sigv4.h"
#include "tests/unit/s3_help.h"

#define TYPE "multipart/form-data; boundary=B"
#define FIELD_PART(name, value) "--B\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define FILE_PART(bytes) "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"C:\\dir\\f.txt\"\r\nContent-Type: text/plain\r\n\r\n" bytes
#define END "\r\n--B--\r\n"
#define KEY FIELD_PART("key", "k/${filename}")

/* What comes of it: "name=value;... file" or a code. */
static const struct {
	const char *type, *body, *want;
} forms[] = {
	{ TYPE, KEY FILE_PART("hello") END, "key=k/f.txt;|hello" },
	{ "Multipart/Form-Data;boundary=\"B\"", KEY FILE_PART("hello") END, "key=k/f.txt;|hello" },
	{ "multipart/form-data; charset=utf-8; boundary=B", KEY FILE_PART("") END, "key=k/f.txt;|" },
	{ TYPE, "a preamble\r\n--Bnot\r\n", "MalformedPOSTRequest" },
	{ TYPE, "a preamble\r\n" KEY FILE_PART("x") END "an epilogue", "key=k/f.txt;|x" },
	{ TYPE, KEY FILE_PART("\r\n--\r\n--A\r\n\r\r\n-") END, "key=k/f.txt;|\r\n--\r\n--A\r\n\r\r\n-" },
	{ TYPE, KEY FILE_PART("--B\r\n") END, "key=k/f.txt;|" },
	{ TYPE, KEY FILE_PART("-\r\n-B--") END, "key=k/f.txt;|-\r\n-B--" },
	{ TYPE, FIELD_PART("a", "") FIELD_PART("B", "two\r\nlines") FILE_PART("x") END, "a=;B=two\r\nlines;|x" },
	{ TYPE, FIELD_PART("a", "--") FIELD_PART("b", "\r") FILE_PART("x") END, "a=--;b=\r;|x" },
	{ TYPE, FIELD_PART("policy", "${filename}") FIELD_PART("x-amz-meta-f", "<${filename}${filename}>") FILE_PART("x") END,
	    "policy=${filename};x-amz-meta-f=<f.txtf.txt>;|x" },
	{ TYPE, KEY "--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx" END, "key=k/${filename};|x" },
	{ TYPE, KEY "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\nx" END, "key=k/;|x" },
	{ TYPE, KEY FILE_PART("one") "\r\n" FIELD_PART("late", "x") FILE_PART("two") END, "key=k/f.txt;|one" },
	{ TYPE, "--B \t\r\ncontent-disposition: form-data; x=y; name=key\r\nX: y\r\n\r\nv\r\n" FILE_PART("x") END, "key=v;|x" },
	{ TYPE, FIELD_PART("x-ignore-a", "1") FIELD_PART("x-ignore-a", "2") FILE_PART("x") END, "x-ignore-a=1;x-ignore-a=2;|x" },
	{ TYPE, "--B\r\nContent-Disposition: form-data; name=\"a\\\"b;c\"\r\n\r\nv\r\n" FILE_PART("x") END, "a\"b;c=v;|x" },
	{ TYPE, FIELD_PART("key", "1") FIELD_PART("KEY", "2") FILE_PART("x") END, "InvalidArgument" },
	{ TYPE, KEY "--B--\r\n", "InvalidArgument" },
	{ TYPE, "--B--", "InvalidArgument" },
	{ TYPE, "", "MalformedPOSTRequest" },
	{ TYPE, KEY FILE_PART("cut off"), "MalformedPOSTRequest" },
	{ TYPE, KEY FILE_PART("cut off\r\n--"), "MalformedPOSTRequest" },
	{ TYPE, "--B\r\n\r\nno name\r\n--B--", "MalformedPOSTRequest" },
	{ TYPE, "--B\nContent-Disposition: form-data; name=\"key\"\n\nv\n--B--", "MalformedPOSTRequest" },
	{ TYPE, "--B\r\nContent-Disposition: form-data; name=\"key\r\n\r\nv\r\n--B--", "MalformedPOSTRequest" },
	{ TYPE, "--Bx\r\n", "MalformedPOSTRequest" },
	{ TYPE, "--B-\r\n", "MalformedPOSTRequest" },
	{ "multipart/form-data", "", "MalformedPOSTRequest" },
	{ "multipart/form-data; boundary=", "", "MalformedPOSTRequest" },
	{ "multipart/form-data; boundary=\"a", "", "MalformedPOSTRequest" },
	{ "multipart/form-datax; boundary=B", "", "PreconditionFailed" },
	{ "application/x-www-form-urlencoded", "", "PreconditionFailed" },
	{ "", "", "PreconditionFailed" },
};

/* Pushes `body` in pieces of `step` bytes. The code, or what came of it. */
static const char *
take(const char *type, const char *body, size_t step, struct post_form **out)
{
	struct s3_problem pr = { 0 };
	struct post_form *f = post_form_new(arena, span_of(type), &pr);
	size_t len = strlen(body), n;
	const struct post_field *fields;
	struct strbuf text, file;

	*out = f;
	strbuf_init(&text, arena, 1 << 20);
	strbuf_init(&file, arena, 1 << 20);
	if (f == NULL)
		return help_code(&pr);
	for (size_t at = 0; at < len; at += step) {
		struct span in = { body + at, at + step > len ? len - at : step }, run;

		while (in.len > 0) {
			if (post_form_push(f, &in, &run, &pr) != 0)
				return help_code(&pr);
			strbuf_span(&file, run);
		}
	}
	if (post_form_finish(f, &pr) != 0)
		return help_code(&pr);
	ck_assert(post_form_at_file(f));
	ck_assert(post_form_expand(f));
	fields = post_form_fields(f, &n);
	for (size_t i = 0; i < n; i++) {
		strbuf_span(&text, fields[i].name);
		strbuf_ch(&text, '=');
		strbuf_span(&text, fields[i].value);
		strbuf_ch(&text, ';');
	}
	strbuf_ch(&text, '|');
	strbuf_span(&text, (struct span){ strbuf_cstr(&file), file.len });
	ck_assert(strbuf_ok(&text));
	return strbuf_cstr(&text);
}

START_TEST(test_form_row)
{
	size_t len = strlen(forms[_i].body);
	struct post_form *f;

	for (size_t step = 1; step <= len + 1; step++) {
		struct arena_mark m = arena_mark(arena);
		const char *got = take(forms[_i].type, forms[_i].body, step, &f);

		ck_assert_msg(strcmp(got, forms[_i].want) == 0, "form %d in steps of %zu: %s", _i, step, got);
		arena_rewind(arena, m);
	}
}
END_TEST

START_TEST(test_limits)
{
	struct strbuf sb;
	struct post_form *f;

	strbuf_init(&sb, arena, 1 << 20);
	strbuf_str(&sb, "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n");
	for (size_t i = 0; i < POST_FORM_BYTES_MAX; i++)
		strbuf_ch(&sb, 'x');
	strbuf_str(&sb, "\r\n" FILE_PART("x") END);
	ck_assert_str_eq(take(TYPE, strbuf_cstr(&sb), 4096, &f), "MaxPostPreDataLengthExceeded");

	strbuf_clear(&sb);
	for (int i = 0; i < 10000; i++)
		strbuf_printf(&sb, "--B\r\nContent-Disposition: form-data; name=%d\r\n\r\n\r\n", i);
	ck_assert_str_eq(take(TYPE, strbuf_cstr(&sb), 4096, &f), "MaxPostPreDataLengthExceeded");

	strbuf_clear(&sb);
	strbuf_str(&sb, "--B\r\nX: ");
	for (size_t i = 0; i < 5000; i++)
		strbuf_ch(&sb, 'x');
	ck_assert_str_eq(take(TYPE, strbuf_cstr(&sb), 4096, &f), "MalformedPOSTRequest");
}
END_TEST

/* ---- policies ---- */

#define UNTIL "\"expiration\": \"2030-01-01T00:00:00.000Z\", "
#define POLICY(conditions) "{" UNTIL "\"conditions\": [" conditions "]}"
#define BUCKET "{\"bucket\": \"b\"}, "
#define NOW_US INT64_C(1790000000000000) /* 2026 */

static const struct {
	const char *policy, *fields, *want; /* what the problem says: a code, or a piece of its message */
} policies[] = {
	{ POLICY(BUCKET "[\"eq\", \"$key\", \"k\"]"), FIELD_PART("key", "k"), "" },
	{ POLICY(BUCKET "{\"key\": \"k\"}"), FIELD_PART("key", "k"), "" },
	{ POLICY(BUCKET "[\"starts-with\", \"$key\", \"\"]"), FIELD_PART("key", "k"), "" },
	{ POLICY("{\"bUCKet\": \"b\"}, [\"StArTs-WiTh\", \"$KeY\", \"k\"]"), FIELD_PART("key", "k"), "" },
	{ POLICY(BUCKET "[\"starts-with\", \"$Content-Type\", \"image/\"]"), FIELD_PART("Content-Type", "image/a, image/b"), "" },
	{ POLICY(BUCKET "[\"starts-with\", \"$Content-Type\", \"image/\"]"), FIELD_PART("Content-Type", "image/a,text/b"), "Condition failed" },
	{ POLICY(BUCKET "[\"eq\", \"$key\", \"\\$k\"]"), FIELD_PART("key", "$k"), "" },
	{ POLICY(BUCKET "{\"key\": \"k\"}"), FIELD_PART("key", "k") FIELD_PART("x-ignore-this", "x"), "" },
	{ POLICY(BUCKET "{\"key\": \"k\"}"), FIELD_PART("key", "k") FIELD_PART("x-amz-checksum-crc32", "AAAAAA=="), "" },
	{ POLICY(BUCKET "{\"key\": \"k\"}, {\"not-there\": \"\"}"), FIELD_PART("key", "k"), "" },
	{ POLICY(BUCKET "{\"key\": \"k\"}, [\"content-length-range\", 1, \"10\"]"), FIELD_PART("key", "k"), "" },
	{ POLICY(BUCKET "[\"eq\", \"$key\", \"k\"]"), FIELD_PART("key", "K"), "Policy Condition failed: [\"eq\", \"$key\", \"k\"]" },
	{ POLICY("{\"bucket\": \"c\"}, {\"key\": \"k\"}"), FIELD_PART("key", "k"), "Condition failed" },
	{ POLICY("{\"bucket\": \"c\"}, {\"key\": \"k\"}"), FIELD_PART("key", "k") FIELD_PART("bucket", "c"), "Condition failed" },
	{ POLICY("{\"key\": \"k\"}"), FIELD_PART("key", "k"), "Extra input fields: bucket" },
	{ POLICY(BUCKET "{\"key\": \"k\"}"), FIELD_PART("key", "k") FIELD_PART("acl", "private"), "Extra input fields: acl" },
	{ POLICY(BUCKET "[\"starts-with\", \"$x-amz-meta-a\", \"v\"]"), "", "Condition failed" },
	{ "{\"expiration\": \"2020-01-01T00:00:00Z\", \"conditions\": []}", "", "Policy expired" },
	{ "{\"expiration\": \"soon\", \"conditions\": []}", "", "InvalidPolicyDocument" },
	{ "{\"expiration\": 7, \"conditions\": []}", "", "InvalidPolicyDocument" },
	{ "{\"EXPIRATION\": \"2030-01-01T00:00:00Z\", \"conditions\": []}", "", "InvalidPolicyDocument" },
	{ "{" UNTIL "\"CONDITIONS\": []}", "", "InvalidPolicyDocument" },
	{ "{\"conditions\": []}", "", "InvalidPolicyDocument" },
	{ POLICY("{}"), "", "exactly one property" },
	{ POLICY("{\"a\": \"\", \"b\": \"\"}"), "", "exactly one property" },
	{ POLICY("{\"a\": 1}"), "", "InvalidPolicyDocument" },
	{ POLICY("7"), "", "InvalidPolicyDocument" },
	{ POLICY("[]"), "", "InvalidPolicyDocument" },
	{ POLICY("[\"eq\", \"$key\"]"), "", "InvalidPolicyDocument" },
	{ POLICY("[\"eq\", \"key\", \"k\"]"), "", "InvalidPolicyDocument" },
	{ POLICY("[\"ends-with\", \"$key\", \"k\"]"), "", "InvalidPolicyDocument" },
	{ POLICY("[\"content-length-range\", -1, 0]"), "", "InvalidPolicyDocument" },
	{ POLICY("[\"content-length-range\", 0]"), "", "InvalidPolicyDocument" },
	{ "[]", "", "InvalidPolicyDocument" },
	{ "nothing", "", "InvalidPolicyDocument" },
	{ "", "", "InvalidPolicyDocument" },
};

static struct span
base64(const char *text)
{
	char *out = arena_alloc(arena, base64_len(strlen(text)) + 1);

	base64_encode(text, strlen(text), out);
	return span_of(out);
}

static struct post_form *
form_of(const char *fields)
{
	struct post_form *f;

	(void)take(TYPE, arena_printf(arena, "%s" FILE_PART("x") END, fields), 4096, &f);
	ck_assert(post_form_at_file(f));
	return f;
}

START_TEST(test_policy_row)
{
	struct s3_problem pr = { 0 };
	struct post_policy out;
	int rc = post_policy_check(arena, base64(policies[_i].policy), form_of(policies[_i].fields), SPAN("b"), NOW_US, &out, &pr);
	const char *want = policies[_i].want;

	if (want[0] == '\0')
		ck_assert_msg(rc == 0, "policy %d: %s %s", _i, help_code(&pr), pr.message);
	else
		ck_assert_msg(rc != 0 && (strcmp(help_code(&pr), want) == 0 || strstr(pr.message, want) != NULL), "policy %d: %s %s", _i,
		    help_code(&pr), pr.message);
}
END_TEST

START_TEST(test_policy_size)
{
	struct s3_problem pr = { 0 };
	struct post_policy p;

	ck_assert_int_eq(post_policy_check(arena,
	    base64(POLICY(BUCKET "[\"content-length-range\", 2, 100], [\"content-length-range\", 1, 10]")), form_of(""), SPAN("b"), NOW_US, &p,
	    &pr), 0);
	ck_assert_int_eq(post_policy_size(arena, &p, 0, false, &pr), 0);
	ck_assert_int_eq(post_policy_size(arena, &p, 2, true, &pr), 0);
	ck_assert_int_eq(post_policy_size(arena, &p, 10, true, &pr), 0);
	ck_assert_int_eq(post_policy_size(arena, &p, 11, false, &pr), -1);
	ck_assert_str_eq(help_code(&pr), "EntityTooLarge");
	ck_assert_str_eq(help_extra(&pr, "MaxSizeAllowed"), "10");
	s3_problem_clear(&pr);
	ck_assert_int_eq(post_policy_size(arena, &p, 1, true, &pr), -1);
	ck_assert_str_eq(help_code(&pr), "EntityTooSmall");
	ck_assert_str_eq(help_extra(&pr, "MinSizeAllowed"), "2");
}
END_TEST

/* ---- who signed it ---- */

#define CREDENTIAL "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"

static struct sigv4_form_fields
signed_fields(void)
{
	return (struct sigv4_form_fields){
		.policy = SPAN("eyAiZXhwaXJhdGlvbiI6"), .algorithm = SPAN("AWS4-HMAC-SHA256"), .credential = SPAN(CREDENTIAL),
		.date = SPAN("20151229T000000Z"), .signature = SPAN("00"),
	};
}

START_TEST(test_signature)
{
	struct sigv4_form_fields f = signed_fields();
	struct s3_problem pr = { 0 };
	struct sigv4_auth auth;
	uint8_t key[SHA256_LEN];
	char good[SIGV4_HEX_SIZE];
	int64_t now = INT64_C(1451350000000000); /* 29 December 2015 */

	sigv4_signing_key(SPAN("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), SPAN("20151229"), SPAN("us-east-1"), SPAN("s3"), key);
	sigv4_sign_text(key, f.policy, good);
	f.signature = span_of(good);
	ck_assert_int_eq(sigv4_parse_form(arena, &f, now, &auth, &pr), 0);
	ck_assert_int_eq(auth.form, SIGV4_POST_FORM);
	ck_assert_int_eq(sigv4_verify_form(arena, f.policy, &auth, key, &pr), 0);
	ck_assert_int_eq(sigv4_verify_form(arena, SPAN("eyAiZXhwaXJhdGlvbiI7"), &auth, key, &pr), -1);
	ck_assert_str_eq(help_code(&pr), "SignatureDoesNotMatch");
	s3_problem_clear(&pr);
	good[0] = good[0] == '0' ? '1' : '0';
	ck_assert_int_eq(sigv4_verify_form(arena, f.policy, &auth, key, &pr), -1);
	auth.signature.len = 0;
	ck_assert_int_eq(sigv4_verify_form(arena, f.policy, &auth, key, &pr), -1);
}
END_TEST

static void
refused(struct sigv4_form_fields f, int64_t now, const char *code)
{
	struct s3_problem pr = { 0 };
	struct sigv4_auth auth;

	ck_assert_int_eq(sigv4_parse_form(arena, &f, now, &auth, &pr), -1);
	ck_assert_str_eq(help_code(&pr), code);
}

START_TEST(test_signature_refused)
{
	int64_t now = INT64_C(1451350000000000), day = INT64_C(86400000000);
	struct sigv4_form_fields f;
	struct s3_problem pr = { 0 };
	struct sigv4_auth auth;

	f = (struct sigv4_form_fields){ 0 };
	ck_assert_int_eq(sigv4_parse_form(arena, &f, now, &auth, &pr), 0);
	ck_assert_int_eq(auth.form, SIGV4_ANONYMOUS);
	f.is_v2 = true;
	refused(f, now, "InvalidRequest");
	f = signed_fields();
	f.signature = (struct span){ NULL, 0 };
	refused(f, now, "InvalidArgument");
	f = signed_fields();
	f.policy = (struct span){ NULL, 0 };
	refused(f, now, "InvalidArgument");
	f = signed_fields();
	f.algorithm = SPAN("AWS4-HMAC-SHA1");
	refused(f, now, "AuthorizationQueryParametersError");
	f = signed_fields();
	f.credential = SPAN("AKIA/20151229/us-east-1/sts/aws4_request");
	refused(f, now, "AuthorizationQueryParametersError");
	f.credential = SPAN("AKIA/20151228/us-east-1/s3/aws4_request");
	refused(f, now, "AuthorizationQueryParametersError");
	refused(signed_fields(), now + 8 * day, "AccessDenied");
	refused(signed_fields(), now - day, "AccessDenied");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("post_form");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, help_begin, help_end);
	tcase_add_loop_test(t, test_form_row, 0, ARRAY_LEN(forms));
	tcase_add_test(t, test_limits);
	tcase_add_loop_test(t, test_policy_row, 0, ARRAY_LEN(policies));
	tcase_add_test(t, test_policy_size);
	tcase_add_test(t, test_signature);
	tcase_add_test(t, test_signature_refused);
	suite_add_tcase(s, t);
	return suite_run(s);
}
