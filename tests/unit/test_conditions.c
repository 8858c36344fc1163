/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_conditions.c - ranges, conditional headers, bucket names.
 */
#include "s3/bucket_name.h"
#include "s3/condition.h"
#include "s3/range.h"
#include "tests/unit/s3_help.h"

static const struct {
	const char *header;
	int64_t size;
	const char *want; /* Content-Range, "whole", or a code */
} ranges[] = {
	{ NULL, 100, "whole" },
	{ "", 100, "whole" },
	{ "bytes=0-9", 100, "bytes 0-9/100" },
	{ "bytes=0-0", 100, "bytes 0-0/100" },
	{ "bytes=99-99", 100, "bytes 99-99/100" },
	{ "bytes=99-100", 100, "bytes 99-99/100" },
	{ "bytes=0-", 100, "bytes 0-99/100" },
	{ "bytes=50-", 100, "bytes 50-99/100" },
	{ "bytes=-1", 100, "bytes 99-99/100" },
	{ "bytes=-100", 100, "bytes 0-99/100" },
	{ "bytes=-1000", 100, "bytes 0-99/100" },
	{ "bytes=0-99", 100, "bytes 0-99/100" },
	{ "bytes=0-99999999999999999999999999", 100, "bytes 0-99/100" },
	{ "bytes=-99999999999999999999999999", 100, "bytes 0-99/100" },
	{ "Bytes=1-2", 100, "bytes 1-2/100" },
	{ "bytes= 1-2 ", 100, "bytes 1-2/100" },
	{ "bytes=007-010", 100, "bytes 7-10/100" },
	{ "bytes=100-", 100, "InvalidRange" },
	{ "bytes=100-200", 100, "InvalidRange" },
	{ "bytes=99999999999999999999999999-", 100, "InvalidRange" },
	{ "bytes=-0", 100, "InvalidRange" },
	{ "bytes=0-", 0, "InvalidRange" },
	{ "bytes=0-0", 0, "InvalidRange" },
	{ "bytes=-5", 0, "InvalidRange" },
	{ "bytes=5-4", 100, "whole" },
	{ "bytes=500-400", 100, "whole" },
	{ "bytes=0-1,3-4", 100, "whole" },
	{ "bytes=,", 100, "whole" },
	{ "bytes=", 100, "whole" },
	{ "bytes=-", 100, "whole" },
	{ "bytes=a-b", 100, "whole" },
	{ "bytes=1-b", 100, "whole" },
	{ "bytes=1 - 2", 100, "whole" },
	{ "bytes=--2", 100, "whole" },
	{ "bytes=+1-2", 100, "whole" },
	{ "bytes=1.5-2", 100, "whole" },
	{ "bytes 0-9", 100, "whole" },
	{ "bytes:0-9", 100, "whole" },
	{ "items=0-9", 100, "whole" },
	{ "0-9", 100, "whole" },
	{ "bytes=0-9", 5497558138880, "bytes 0-9/5497558138880" },
	{ "bytes=5497558138879-", 5497558138880, "bytes 5497558138879-5497558138879/5497558138880" },
};

START_TEST(test_range_row)
{
	struct s3_problem pr = { 0 };
	char text[RANGE_TEXT_SIZE];
	struct range r;
	const char *got = "whole";

	if (range_parse(arena, span_of(ranges[_i].header), ranges[_i].size, &r, &pr) != 0) {
		got = help_code(&pr);
		ck_assert_str_eq(help_extra(&pr, "RangeRequested"), ranges[_i].header);
		ck_assert_str_eq(help_extra(&pr, "ActualObjectSize"),
		    arena_printf(arena, "%" PRId64, ranges[_i].size));
	} else if (r.partial) {
		range_text(&r, ranges[_i].size, text);
		got = text;
	} else {
		ck_assert_int_eq(r.first, 0);
		ck_assert_int_eq(r.len, ranges[_i].size);
	}
	ck_assert_msg(strcmp(got, ranges[_i].want) == 0, "%s of %" PRId64 ": want %s, got %s", ranges[_i].header,
	    ranges[_i].size, ranges[_i].want, got);
}
END_TEST

/* The object of all rows: ETag "abc", of Fri, 24 May 2013 00:00:00.600 GMT. */
#define BEFORE "Thu, 23 May 2013 23:59:59 GMT"
#define SAME "Fri, 24 May 2013 00:00:00 GMT"
#define AFTER "Fri, 24 May 2013 00:00:01 GMT"
static const struct condition_object object = { { "abc", 3 }, 1369353600600000 };
#define NOW (object.mtime_us + 3600000000)

static const struct {
	const char *headers, *want; /* "" = go on */
} conditions[] = {
	{ "", "" },
	{ "if-match: \"abc\"", "" },
	{ "if-match: abc", "" },
	{ "if-match: *", "" },
	{ "if-match: W/\"abc\"", "" },
	{ "if-match: \"x\", \"abc\"", "" },
	{ "if-match: \"a,b\",\"abc\"", "" },
	{ "if-match: x,abc", "" },
	{ "if-match: \"x\"", "PreconditionFailed" },
	{ "if-match: \"ABC\"", "PreconditionFailed" },
	{ "if-match: \"abc", "" },
	{ "if-match:", "PreconditionFailed" },
	{ "if-match: \"\"", "PreconditionFailed" },
	{ "if-match: ,", "PreconditionFailed" },
	{ "if-none-match: \"abc\"", "NotModified" },
	{ "if-none-match: *", "NotModified" },
	{ "if-none-match: W/\"abc\"", "NotModified" },
	{ "if-none-match: \"x\",W/\"abc\"", "NotModified" },
	{ "if-none-match: \"x\"", "" },
	{ "if-modified-since: " BEFORE, "" },
	{ "if-modified-since: " SAME, "NotModified" },
	{ "if-modified-since: " AFTER, "NotModified" },
	{ "if-modified-since: yesterday", "" },
	{ "if-modified-since: Friday, 24-May-13 00:00:00 GMT", "NotModified" },
	{ "if-modified-since: Fri May 24 00:00:00 2013", "NotModified" },
	{ "if-unmodified-since: " BEFORE, "PreconditionFailed" },
	{ "if-unmodified-since: " SAME, "" },
	{ "if-unmodified-since: " AFTER, "" },
	{ "if-unmodified-since: never", "" },
	/* S3: a true If-Match silences a false If-Unmodified-Since */
	{ "if-match: \"abc\"\nif-unmodified-since: " BEFORE, "" },
	{ "if-match: \"x\"\nif-unmodified-since: " AFTER, "PreconditionFailed" },
	/* and a false If-None-Match makes 304 of a true If-Modified-Since */
	{ "if-none-match: \"abc\"\nif-modified-since: " BEFORE, "NotModified" },
	{ "if-none-match: \"x\"\nif-modified-since: " AFTER, "" },
	{ "if-match: \"x\"\nif-none-match: \"abc\"", "PreconditionFailed" },
	{ "if-match: \"abc\"\nif-none-match: \"abc\"", "NotModified" },
	{ "if-unmodified-since: " BEFORE "\nif-modified-since: " AFTER, "PreconditionFailed" },
};

START_TEST(test_condition_row)
{
	struct s3_headers hs = help_headers(conditions[_i].headers);
	struct s3_problem pr = { 0 };
	int rc = condition_read(&hs, &object, NOW, &pr);

	ck_assert_msg(strcmp(help_code(&pr), conditions[_i].want) == 0, "%s: want %s, got %s", conditions[_i].headers,
	    conditions[_i].want, help_code(&pr));
	ck_assert_int_eq(rc, conditions[_i].want[0] == '\0' ? 0 : -1);
}
END_TEST

START_TEST(test_condition_names_itself)
{
	struct s3_headers hs = help_headers("if-unmodified-since: " BEFORE);
	struct s3_problem pr = { 0 };

	ck_assert_int_eq(condition_read(&hs, &object, NOW, &pr), -1);
	ck_assert_str_eq(help_extra(&pr, "Condition"), "If-Unmodified-Since");
	hs = help_headers("if-match: x");
	pr = (struct s3_problem){ 0 };
	ck_assert_int_eq(condition_read(&hs, &object, NOW, &pr), -1);
	ck_assert_str_eq(help_extra(&pr, "Condition"), "If-Match");
}
END_TEST

START_TEST(test_if_range)
{
	static const struct {
		const char *headers;
		bool want;
	} rows[] = { { "", true }, { "if-range: \"abc\"", true }, { "if-range: \"x\"", false },
		{ "if-range: W/\"abc\"", false }, { "if-range: " SAME, true }, { "if-range: " AFTER, false },
		{ "if-range:", false } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct s3_headers hs = help_headers(rows[i].headers);

		ck_assert_msg(condition_range(&hs, &object, NOW) == rows[i].want, "%s", rows[i].headers);
	}
}
END_TEST

static const struct {
	const char *headers;
	bool is_delete;
	enum condition_write_kind kind;
	const char *etag;
	const char *want;
} writes[] = {
	{ "", false, CONDITION_NONE, NULL, "" },
	{ "if-none-match: *", false, CONDITION_ABSENT, NULL, "" },
	{ "if-none-match: \"abc\"", false, CONDITION_NONE, NULL,
		"NotImplemented If-None-Match We don't accept the provided value of If-None-Match header for this API" },
	{ "if-match: \"abc\"", false, CONDITION_MATCH, "abc", "" },
	{ "if-match: abc", false, CONDITION_MATCH, "abc", "" },
	{ "if-match: *", false, CONDITION_NONE, NULL, "NotImplemented If-Match We don't accept the provided value of If-Match header for this API" },
	{ "if-match: \"*\"", false, CONDITION_NONE, NULL, "NotImplemented If-Match We don't accept the provided value of If-Match header for this API" },
	{ "if-match: bad-char_/", false, CONDITION_MATCH, "bad-char_/", "" },
	{ "if-match: \"a\",\"b\"", false, CONDITION_NONE, NULL, "InvalidArgument" },
	{ "if-match: \"\"", false, CONDITION_NONE, NULL, "InvalidArgument" },
	{ "if-match: \"a\"\nif-none-match: *", false, CONDITION_NONE, NULL,
		"NotImplemented If-Match,If-None-Match Multiple conditional request headers present in the request" },
	{ "if-modified-since: " SAME, false, CONDITION_NONE, NULL, "NotImplemented If-Modified-Since" },
	{ "if-unmodified-since: " SAME, false, CONDITION_NONE, NULL, "NotImplemented If-Unmodified-Since" },
	{ "if-match: \"abc\"", true, CONDITION_MATCH, "abc", "" },
	{ "if-match: *", true, CONDITION_MATCH, "*", "" },
	{ "if-none-match: *", true, CONDITION_NONE, NULL, "NotImplemented If-None-Match" },
	{ "x-amz-if-match-size: 3", true, CONDITION_NONE, NULL, "NotImplemented x-amz-if-match-size" },
	{ "x-amz-if-match-size: 3", false, CONDITION_NONE, NULL, "NotImplemented x-amz-if-match-size" },
	{ "x-amz-if-match-last-modified-time: " SAME, true, CONDITION_NONE, NULL, "NotImplemented x-amz-if-match-last-modified-time" },
	{ "x-amz-if-match-last-modified-time: " SAME, false, CONDITION_NONE, NULL, "NotImplemented x-amz-if-match-last-modified-time" },
	{ "if-match: abc\nx-amz-if-match-size: 3\nx-amz-if-match-last-modified-time: " SAME, true, CONDITION_NONE, NULL,
		"NotImplemented x-amz-if-match-last-modified-time" },
};

START_TEST(test_write_row)
{
	struct s3_headers hs = help_headers(writes[_i].headers);
	struct s3_problem pr = { 0 };
	struct condition_write w;
	int rc = condition_write_parse(&hs, writes[_i].is_delete, &w, &pr);
	char came[200];

	snprintf(came, sizeof(came), "%s", help_code(&pr));
	if (pr.code == S3_NotImplemented)
		for (size_t i = 0; i < pr.n_extra; i++)
			snprintf(came + strlen(came), sizeof(came) - strlen(came), " %.*s", (int)pr.extra[i].value.len, pr.extra[i].value.p);
	ck_assert_msg(strcmp(came, writes[_i].want) == 0, "%s: got %s", writes[_i].headers, came);
	ck_assert_int_eq(rc, writes[_i].want[0] == '\0' ? 0 : -1);
	if (rc == 0) {
		ck_assert_int_eq(w.kind, writes[_i].kind);
		if (writes[_i].etag != NULL)
			ck_assert_str_eq(help_text(w.etag), writes[_i].etag);
	}
}
END_TEST

#define A60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
static const struct {
	const char *name;
	bool valid, reserved;
} names[] = {
	{ "abc", true, false },
	{ "a-b.c9", true, false },
	{ "123", true, false },
	{ "1.2.3", true, false },
	{ A60 "abc", true, false },
	{ A60 "abcd", false, false },
	{ "ab", false, false },
	{ "", false, false },
	{ "-", false, false },
	{ "Abc", false, false },
	{ "a_b", false, false },
	{ "a b", false, false },
	{ "-abc", false, false },
	{ "abc-", false, false },
	{ ".abc", false, false },
	{ "abc.", false, false },
	{ "a..b", false, false },
	{ "a.-b", true, false },
	{ "a-.b", true, false },
	{ "192.168.5.4", false, false },
	{ "999.999.999.999", false, false },
	{ "1.2.3.4", false, false },
	{ "1.2.3.4.5", true, false },
	{ "1234.1.1.1", true, false },
	{ "1.2.3.4a", true, false },
	{ "b\xc3\xbc" "cket", false, false },
	{ "xn--abc", true, true },
	{ "xn-abc", true, false },
	{ "sthree-abc", true, true },
	{ "sthree-configurator", true, true },
	{ "sthreeabc", true, false },
	{ "amzn-s3-demo-bucket", true, true },
	{ "abc-s3alias", true, true },
	{ "abc--ol-s3", true, true },
	{ "abc.mrap", true, true },
	{ "abc--x-s3", true, true },
	{ "abc--table-s3", true, true },
	{ "s3alias", true, false },
};

START_TEST(test_name_row)
{
	struct span n = span_of(names[_i].name);
	struct s3_problem pr = { 0 };
	bool good = names[_i].valid && !names[_i].reserved;

	ck_assert_msg(bucket_name_valid(n) == names[_i].valid, "%s", names[_i].name);
	ck_assert_msg(bucket_name_reserved(n) == names[_i].reserved, "%s", names[_i].name);
	ck_assert_int_eq(bucket_name_check(n, &pr), good ? 0 : -1);
	if (!good) {
		ck_assert_str_eq(help_code(&pr), "InvalidBucketName");
		ck_assert_str_eq(help_extra(&pr, "BucketName"), names[_i].name);
	}
}
END_TEST

START_TEST(test_name_with_nul)
{
	ck_assert(!bucket_name_valid(SPAN("ab\0cd")));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conditions");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, help_begin, help_end);
	tcase_add_loop_test(t, test_range_row, 0, ARRAY_LEN(ranges));
	tcase_add_loop_test(t, test_condition_row, 0, ARRAY_LEN(conditions));
	tcase_add_test(t, test_condition_names_itself);
	tcase_add_test(t, test_if_range);
	tcase_add_loop_test(t, test_write_row, 0, ARRAY_LEN(writes));
	tcase_add_loop_test(t, test_name_row, 0, ARRAY_LEN(names));
	tcase_add_test(t, test_name_with_nul);
	suite_add_tcase(s, t);
	return suite_run(s);
}
