/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_multipart.c - uploads in parts: the checksum that is asked for,
 * the list that completes one, and what the whole object's ETag and checksum are.
 */
#include "s3/multipart.h"

#include "tests/unit/s3_help.h"

/* ---- CRCs of stretches ---- */

/* Any cut of any bytes gives the CRC of all of them. */
START_TEST(test_combine)
{
	static const enum checksum kinds[] = { CHECKSUM_CRC32, CHECKSUM_CRC32C, CHECKSUM_CRC64NVME };
	static const size_t cuts[][5] = { { 0 }, { 0, 0, 1 }, { 1, 1, 1 }, { 9, 64, 128, 1 }, { 4096, 4096, 4096, 7 },
		{ 65537, 1, 65537, 300, 2 } };
	enum checksum kind = kinds[_i];
	uint8_t all[200000], whole[CHECKSUM_BYTES_MAX], part[CHECKSUM_BYTES_MAX], got[CHECKSUM_BYTES_MAX];

	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)(i * 2654435761u >> 13);
	for (size_t c = 0; c < ARRAY_LEN(cuts); c++) {
		struct checksum_combiner cc;
		size_t at = 0;

		checksum_combiner_init(&cc, kind);
		for (size_t i = 0; i < ARRAY_LEN(cuts[c]); i++) {
			checksum_of(kind, all + at, cuts[c][i], part);
			checksum_combine(&cc, part, (int64_t)cuts[c][i]);
			at += cuts[c][i];
		}
		checksum_of(kind, all, at, whole);
		checksum_combined(&cc, got);
		ck_assert_msg(memcmp(got, whole, sizeof(whole)) == 0, "%s, row %zu", checksum_table[kind].name, c);
	}
}
END_TEST

/* ---- what is asked for ---- */

static const struct {
	const char *headers, *code;
	enum checksum algo;
	enum checksum_type type;
	bool asked;
} sums[] = {
	{ "", "", CHECKSUM_CRC64NVME, CHECKSUM_FULL_OBJECT, false },
	{ "x-amz-checksum-algorithm: CRC32", "", CHECKSUM_CRC32, CHECKSUM_COMPOSITE, true },
	{ "x-amz-checksum-algorithm: crc32c\nx-amz-checksum-type: full_object", "", CHECKSUM_CRC32C, CHECKSUM_FULL_OBJECT, true },
	{ "x-amz-checksum-algorithm: CRC64NVME", "", CHECKSUM_CRC64NVME, CHECKSUM_FULL_OBJECT, true },
	{ "x-amz-checksum-algorithm: SHA256\nx-amz-checksum-type: COMPOSITE", "", CHECKSUM_SHA256, CHECKSUM_COMPOSITE, true },
	{ "x-amz-checksum-algorithm: SHA256\nx-amz-checksum-type: FULL_OBJECT", "InvalidRequest", 0, 0, false },
	{ "x-amz-checksum-algorithm: CRC64NVME\nx-amz-checksum-type: COMPOSITE", "InvalidRequest", 0, 0, false },
	{ "x-amz-checksum-algorithm: CRC31", "InvalidRequest", 0, 0, false },
	{ "x-amz-checksum-algorithm: CRC32\nx-amz-checksum-type: HALF", "InvalidRequest", 0, 0, false },
	{ "x-amz-checksum-type: COMPOSITE", "InvalidRequest", 0, 0, false },
};

START_TEST(test_sum)
{
	struct s3_headers headers = help_headers(sums[_i].headers);
	struct s3_problem pr = { 0 };
	struct multipart_sum s, again;
	struct strbuf sb;
	int rc = multipart_sum_parse(arena, &headers, &s, &pr);

	ck_assert_str_eq(help_code(&pr), sums[_i].code);
	if (rc != 0)
		return;
	ck_assert(s.algo == sums[_i].algo && s.type == sums[_i].type && s.asked == sums[_i].asked);
	strbuf_init(&sb, arena, 200);
	multipart_sum_encode(&sb, &s);
	ck_assert(multipart_sum_decode((struct span){ strbuf_cstr(&sb), sb.len }, &again));
	ck_assert(again.algo == s.algo && again.type == s.type && again.asked == s.asked);
	ck_assert(!multipart_sum_decode(SPAN("x"), &again));
}
END_TEST

/* ---- the list ---- */

#define PART(n, etag) "<Part><PartNumber>" n "</PartNumber><ETag>" etag "</ETag></Part>"
static const struct {
	const char *inside, *code, *want;
} lists[] = {
	{ PART("1", "&quot;a&quot;") PART("3", "b"), "", "1:a 3:b " },
	{ "<Part><ETag>a</ETag><ChecksumSHA1>x</ChecksumSHA1><PartNumber> 10000 </PartNumber></Part>", "", "10000:a+SHA1 " },
	{ PART("2", "a") PART("1", "b"), "InvalidPartOrder", NULL },
	{ PART("1", "a") PART("2", "a") PART("2", "b") PART("3", "c"), "", "1:a 2:b 3:c " },
	{ PART("0", "a"), "InvalidArgument", NULL },
	{ PART("10001", "a"), "InvalidArgument", NULL },
	{ PART("x", "a"), "InvalidArgument", NULL },
	{ PART("1", ""), "", "1: " },
	{ "", "InvalidRequest", NULL },
	{ "\n\t \r", "InvalidRequest", NULL },
	{ "parts", "MalformedXML", NULL },
	{ "<Part><PartNumber>1</PartNumber></Part>", "MalformedXML", NULL },
	{ "<Part><ETag>a</ETag></Part>", "MalformedXML", NULL },
	{ PART("1", "a") "<Other/>", "MalformedXML", NULL },
	{ PART("1", "a</ETag><ETag>b"), "MalformedXML", NULL },
};

START_TEST(test_list)
{
	const char *doc = arena_printf(arena, "<CompleteMultipartUpload>%s</CompleteMultipartUpload>", lists[_i].inside);
	struct s3_problem pr = { 0 };
	struct multipart_part *parts;
	struct strbuf sb;
	size_t n;
	int rc = multipart_complete_parse(arena, span_of(doc), &parts, &n, &pr);

	ck_assert_msg(strcmp(help_code(&pr), lists[_i].code) == 0, "%s: %s", lists[_i].inside, help_code(&pr));
	if (rc != 0)
		return;
	strbuf_init(&sb, arena, 1000);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&sb, "%d:%s%s%s ", parts[i].number, help_text(parts[i].etag), parts[i].algo != CHECKSUM_NONE ? "+" : "",
		    parts[i].algo != CHECKSUM_NONE ? checksum_table[parts[i].algo].name : "");
	ck_assert_str_eq(strbuf_cstr(&sb), lists[_i].want);
}
END_TEST

/* As many as there can be, with the longest checksums; one more is refused. */
START_TEST(test_longest_list)
{
	struct arena *tree = arena_new(MULTIPART_TREE_MAX), *text = arena_new(2 * MULTIPART_DOCUMENT_MAX);
	struct s3_problem pr = { 0 };
	struct multipart_part *parts;
	struct strbuf sb;
	size_t n;

	strbuf_init(&sb, text, MULTIPART_DOCUMENT_MAX);
	strbuf_str(&sb, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	for (int i = 1; i <= MULTIPART_PARTS_MAX; i++)
		strbuf_printf(&sb, "<Part><ETag>&quot;%032d&quot;</ETag><ChecksumSHA512>%088d</ChecksumSHA512>"
		    "<PartNumber>%d</PartNumber></Part>", i, i, i);
	strbuf_str(&sb, "</CompleteMultipartUpload>");
	ck_assert(strbuf_ok(&sb));
	ck_assert_msg(multipart_complete_parse(tree, (struct span){ sb.buf, sb.len }, &parts, &n, &pr) == 0, "%s", help_code(&pr));
	ck_assert(n == MULTIPART_PARTS_MAX && parts[n - 1].number == MULTIPART_PARTS_MAX);
	arena_free(tree);
	arena_free(text);
}
END_TEST

/* ---- the whole ---- */

START_TEST(test_whole)
{
	struct multipart_sum composite = { CHECKSUM_CRC32, CHECKSUM_COMPOSITE, true }, full = { CHECKSUM_CRC32, CHECKSUM_FULL_OBJECT, true };
	const struct multipart_sum *s = _i == 0 ? &composite : &full;
	uint8_t v[2][CHECKSUM_BYTES_MAX];
	char etag[MULTIPART_ETAG_SIZE], text[CHECKSUM_TEXT_SIZE];
	struct checksum_stored sum;
	struct multipart_whole w;
	struct s3_problem pr = { 0 };
	struct s3_headers h;

	checksum_of(CHECKSUM_CRC32, "1234", 4, v[0]);
	checksum_of(CHECKSUM_CRC32, "56789", 5, v[1]);
	ck_assert(multipart_whole_init(&w, arena, s));
	ck_assert(!multipart_whole_add(&w, "no MD5", v[0], 4));
	ck_assert(multipart_whole_add(&w, "81dc9bdb52d04dc20036dbd8313ed055", v[0], 4));
	ck_assert(multipart_whole_add(&w, "e3d704f3542b44a621ebed70dc0efe13", v[1], 5));
	multipart_whole_end(&w, etag, &sum);
	checksum_text(&sum, text);
	ck_assert_str_eq(etag + 32, "-2");
	if (_i == 1)
		ck_assert_str_eq(text, "y/Q5Jg==");
	ck_assert_ptr_eq(strstr(text, "-2"), _i == 0 ? text + 8 : NULL);
	h = help_headers(arena_printf(arena, "x-amz-checksum-crc32: %s\nx-amz-mp-object-size: 9", text));
	ck_assert_int_eq(multipart_whole_check(arena, &h, s, &sum, 9, &pr), 0);
	h = help_headers("x-amz-checksum-crc32: AAAAAA==");
	ck_assert_int_eq(multipart_whole_check(arena, &h, s, &sum, 9, &pr), -1);
	ck_assert_str_eq(help_code(&pr), "BadDigest");
	s3_problem_clear(&pr);
	h = help_headers("x-amz-checksum-sha1: AAAAAA==");
	ck_assert_int_eq(multipart_whole_check(arena, &h, s, &sum, 9, &pr), -1);
	ck_assert_str_eq(help_code(&pr), "InvalidRequest");
	s3_problem_clear(&pr);
	h = help_headers("x-amz-mp-object-size: 8");
	ck_assert_int_eq(multipart_whole_check(arena, &h, s, &sum, 9, &pr), -1);
	ck_assert_str_eq(help_code(&pr), "InvalidRequest");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("multipart");
	TCase *t = tcase_create("multipart");

	tcase_add_checked_fixture(t, help_begin, help_end);
	tcase_add_loop_test(t, test_combine, 0, 3);
	tcase_add_loop_test(t, test_sum, 0, ARRAY_LEN(sums));
	tcase_add_loop_test(t, test_list, 0, ARRAY_LEN(lists));
	tcase_add_test(t, test_longest_list);
	tcase_add_loop_test(t, test_whole, 0, 2);
	suite_add_tcase(s, t);
	return suite_run(s);
}
