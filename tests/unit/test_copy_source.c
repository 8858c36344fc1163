/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_copy_source.c - what a copy is made of, and tags of objects.
 */
#include "s3/copy_source.h"
#include "s3/tagging.h"
#include "tests/unit/s3_help.h"

static const char *
code_of(const struct s3_problem *pr)
{
	return s3_error_find(pr->code)->name;
}

/* ---- x-amz-copy-source ---- */

static const struct {
	const char *header;
	const char *want; /* "bucket|key|version", or a code */
} sources[] = {
	{ "b/k", "b|k|-" },
	{ "/b/k", "b|k|-" },
	{ "b/k/l//m/", "b|k/l//m/|-" },
	{ "/b//k", "b|/k|-" },
	{ "b%2Fk%2Fl", "b|k/l|-" },
	{ "%2Fb%2Fk", "b|k|-" },
	{ "b/a%20b+c%2B%3F", "b|a b c+?|-" },
	{ "b/k?versionId=null", "b|k|null" },
	{ "b/k?versionId=a%62", "b|k|ab" },
	{ "b/%3FversionId=x", "b|?versionId=x|-" },
	{ "b/%3FversionId=x?versionId=y", "b|?versionId=x|y" },
	{ "b/k?versionId=", "InvalidArgument" },
	{ "b/k?versionID=x", "InvalidArgument" },
	{ "b/k?", "InvalidArgument" },
	{ "b/k?acl", "InvalidArgument" },
	{ "b/k?versionId=x&acl", "InvalidArgument" },
	{ "b/k?versionId=%0", "InvalidArgument" },
	{ "", "InvalidArgument" },
	{ "/", "InvalidArgument" },
	{ "b", "InvalidArgument" },
	{ "b/", "InvalidArgument" },
	{ "/b/", "InvalidArgument" },
	{ "//k", "InvalidArgument" },
	{ "?versionId=x", "InvalidArgument" },
	{ "b/k%", "InvalidArgument" },
	{ "b/k%4", "InvalidArgument" },
	{ "b/k%00", "InvalidArgument" },
};

START_TEST(test_source_row)
{
	struct s3_problem pr = { 0 };
	struct copy_source_name n;
	const char *came;

	if (copy_source_parse(arena, span_of(sources[_i].header), &n, &pr) != 0)
		came = code_of(&pr);
	else
		came = arena_printf(arena, "%.*s|%.*s|%.*s", (int)n.bucket.len, n.bucket.p, (int)n.key.len, n.key.p,
		    n.version.p == NULL ? 1 : (int)n.version.len, n.version.p == NULL ? "-" : n.version.p);
	ck_assert_msg(strcmp(came, sources[_i].want) == 0, "%s: %s, not %s", sources[_i].header, came, sources[_i].want);
}
END_TEST

static const struct {
	const char *header;
	int64_t first, last; /* first -1: refused */
} part_ranges[] = {
	{ "bytes=0-0", 0, 0 },
	{ "bytes=0-5242879", 0, 5242879 },
	{ "bytes=7-9223372036854775807", 7, INT64_MAX },
	{ "bytes=7-9223372036854775808", -1, 0 },
	{ "bytes=2-1", -1, 0 },
	{ "bytes=0-", -1, 0 },
	{ "bytes=-5", -1, 0 },
	{ "bytes=0", -1, 0 },
	{ "bytes=", -1, 0 },
	{ "0-2", -1, 0 },
	{ "hello", -1, 0 },
	{ "bytes=hello-world", -1, 0 },
	{ "bytes=0-1,3-4", -1, 0 },
	{ "bytes=0-1 ", -1, 0 },
	{ "", -1, 0 },
};

START_TEST(test_range_row)
{
	struct s3_problem pr = { 0 };
	int64_t first, last;

	if (part_ranges[_i].first < 0) {
		ck_assert_int_eq(copy_range_parse(span_of(part_ranges[_i].header), &first, &last, &pr), -1);
		ck_assert_int_eq(pr.code, S3_InvalidArgument);
		return;
	}
	ck_assert_int_eq(copy_range_parse(span_of(part_ranges[_i].header), &first, &last, &pr), 0);
	ck_assert_int_eq(first, part_ranges[_i].first);
	ck_assert_int_eq(last, part_ranges[_i].last);
}
END_TEST

#define P "x-amz-copy-source-if-"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AT "Sun, 06 Nov 1994 08:49:37 GMT"
static const struct {
	const char *headers;
	const char *want; /* NULL: it holds; else <Condition> */
} conditions[] = {
	{ "", NULL },
	{ "if-match: z\nif-none-match: e", NULL }, /* of what is there already, and not of the source */
	{ P "match: \"e\"", NULL },
	{ P "match: e", NULL },
	{ P "match: *", NULL },
	{ P "match: z", "x-amz-copy-source-If-Match" },
	{ P "none-match: z", NULL },
	{ P "none-match: e", "x-amz-copy-source-If-None-Match" },
	{ P "modified-since: " BEFORE, NULL },
	{ P "modified-since: " AT, "x-amz-copy-source-If-Modified-Since" },
	{ P "unmodified-since: " AT, NULL },
	{ P "unmodified-since: " BEFORE, "x-amz-copy-source-If-Unmodified-Since" },
	{ P "match: e\n" P "unmodified-since: " BEFORE, NULL },
	{ P "none-match: e\n" P "modified-since: " BEFORE, "x-amz-copy-source-If-None-Match" },
};

START_TEST(test_condition_row)
{
	const struct condition_object o = { SPAN("e"), INT64_C(784111777) * 1000000 };
	struct s3_headers hs = help_headers(conditions[_i].headers);
	struct s3_problem pr = { 0 };
	int rc = copy_condition(&hs, COPY_SOURCE_HEADER, &o, INT64_C(1600000000) * 1000000, &pr);

	ck_assert_msg((rc == 0) == (conditions[_i].want == NULL), "%s", conditions[_i].headers);
	if (rc == 0)
		return;
	ck_assert_int_eq(pr.code, S3_PreconditionFailed);
	ck_assert_msg(span_eq(pr.extra[0].value, span_of(conditions[_i].want)), "%s", conditions[_i].headers);
}
END_TEST

START_TEST(test_directives)
{
	static const char name[] = "x-amz-tagging-directive";
	static const struct {
		const char *headers;
		int rc;
		bool replace;
	} rows[] = { { "", 0, false }, { "x-amz-tagging-directive: COPY", 0, false }, { "x-amz-tagging-directive: REPLACE", 0, true },
		{ "x-amz-tagging-directive: replace", -1, false }, { "x-amz-tagging-directive: ", -1, false },
		{ "x-amz-metadata-directive: REPLACE", 0, false } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct s3_headers hs = help_headers(rows[i].headers);
		struct s3_problem pr = { 0 };
		bool replace;

		ck_assert_msg(copy_directive(&hs, name, &replace, &pr) == rows[i].rc, "%s", rows[i].headers);
		ck_assert_msg(rows[i].rc != 0 || replace == rows[i].replace, "%s", rows[i].headers);
	}
}
END_TEST

/* ---- tags ---- */

static const struct {
	const char *text;
	const char *want; /* as it is stored, "" for none, or a code */
} tags[] = {
	{ "", "" },
	{ "&&", "" },
	{ "a=b", "a=b" },
	{ "foo=bar&bar", "bar=&foo=bar" },
	{ "a+b=c%20d&e=%26%3d", "a%20b=c%20d&e=%26%3D" },
	{ "k=a=b", "k=a%3Db" },
	{ "%c3%bc=x", "%C3%BC=x" },
	{ "=b", "InvalidTag" },
	{ "aws:x=b", "InvalidTag" },
	{ "AWS:x=b", "InvalidTag" },
	{ "%ff=b", "InvalidTag" },
	{ "a=%ff", "InvalidTag" },
	{ "a=%zz", "InvalidArgument" },
	{ "a=%4", "InvalidArgument" },
	{ "a=b&a=c", "InvalidArgument" },
	{ "a&b&c&d&e&f&g&h&i&j", "a=&b=&c=&d=&e=&f=&g=&h=&i=&j=" },
	{ "a&b&c&d&e&f&g&h&i&j&k", "BadRequest" },
};

START_TEST(test_tags_row)
{
	struct s3_problem pr = { 0 };
	const char *came;
	struct s3_tags t, again;

	if (s3_tags_from_text(arena, span_of(tags[_i].text), &t, &pr) != 0) {
		ck_assert_str_eq(code_of(&pr), tags[_i].want);
		return;
	}
	came = s3_tags_text(arena, &t);
	ck_assert_str_eq(came == NULL ? "" : came, tags[_i].want);
	ck_assert_int_eq(s3_tags_from_text(arena, span_of(tags[_i].want), &again, &pr), 0);
	ck_assert_uint_eq(again.n, t.n);
}
END_TEST

START_TEST(test_tags_document)
{
	static const char doc[] = "<Tagging><TagSet><Tag><Key>b</Key><Value>+ @</Value></Tag><Tag><Key>a</Key><Value/></Tag></TagSet></Tagging>";
	struct s3_problem pr = { 0 };
	struct strbuf sb;
	struct s3_tags t;

	ck_assert_int_eq(s3_tags_from_xml(arena, SPAN(doc), S3_OBJECT_TAGS_MAX, &t, &pr), 0);
	ck_assert_str_eq(s3_tags_text(arena, &t), "a=&b=%2B%20%40");
	ck_assert(span_eq(s3_tags_get(&t, SPAN("b")), SPAN("+ @")));
	ck_assert_ptr_null(s3_tags_get(&t, SPAN("c")).p);
	strbuf_init(&sb, arena, 4096);
	s3_tags_xml(&sb, &t);
	ck_assert_ptr_nonnull(strstr(strbuf_cstr(&sb), "<TagSet><Tag><Key>a</Key><Value></Value></Tag><Tag><Key>b</Key><Value>+ @</Value></Tag></TagSet></Tagging>"));
	ck_assert_int_eq(s3_tags_from_xml(arena, SPAN(doc), 1, &t, &pr), -1);
	ck_assert_int_eq(pr.code, S3_InvalidTag);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("copy_source");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, help_begin, help_end);
	tcase_add_loop_test(t, test_source_row, 0, ARRAY_LEN(sources));
	tcase_add_loop_test(t, test_range_row, 0, ARRAY_LEN(part_ranges));
	tcase_add_loop_test(t, test_condition_row, 0, ARRAY_LEN(conditions));
	tcase_add_test(t, test_directives);
	tcase_add_loop_test(t, test_tags_row, 0, ARRAY_LEN(tags));
	tcase_add_test(t, test_tags_document);
	suite_add_tcase(s, t);
	return suite_run(s);
}
