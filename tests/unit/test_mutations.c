/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_mutations.c - what takes a client's bytes takes any bytes:
 * seeds are changed at random (always the same way) and must do no harm. The
 * sanitizers are the judges; the answers do not matter.
 */
#include "s3/condition.h"
#include "s3/create_bucket.h"
#include "s3/listing.h"
#include "s3/object_meta.h"
#include "s3/operations.h"
#include "s3/policy.h"
#include "s3/range.h"
#include "s3/xml.h"
#include "tests/unit/s3_help.h"

#ifndef ROUNDS
#define ROUNDS 4000
#endif

static uint32_t state;

static uint32_t
next(uint32_t below)
{
	state = state * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(state >> 1) * below) >> 31);
}

/* A copy of its own size, so that a byte too far is seen. */
static struct span
mutate(struct span seed, char **mem)
{
	static const char odd[] = "<>&;\"'/=?*%{}[]:,\\\0\x80\xff\xc3-W0 9\n";
	size_t len = seed.len, cut;
	char *p = malloc(len + 8);

	*mem = p;
	memcpy(p, seed.p, len);
	for (uint32_t n = 1 + next(4); n > 0 && len > 0; n--) {
		size_t at = next((uint32_t)len);

		switch (next(5)) {
		case 0:
			p[at] = (char)next(256);
			break;
		case 1:
			p[at] = odd[next(sizeof(odd) - 1)];
			break;
		case 2:
			cut = next((uint32_t)(len - at)) + 1;
			memmove(p + at, p + at + cut, len - at - cut);
			len -= cut;
			break;
		case 3:
			memmove(p + at / 2, p + at, len - at);
			break;
		default:
			p[at] = p[next((uint32_t)len)];
			break;
		}
	}
	*mem = realloc(p, len + (len == 0));
	return (struct span){ *mem, len };
}

static struct span
any(const char *const *seeds, size_t n, char **mem)
{
	return mutate(span_of(seeds[next((uint32_t)n)]), mem);
}

START_TEST(test_mutated_xml)
{
	static const char *const seeds[] = {
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?><CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/"
		"2006-03-01/\"><LocationConstraint>eu</LocationConstraint><Tags><Tag><Key>a</Key><Value>b</Value></Tag>"
		"</Tags></CreateBucketConfiguration>",
		"<!DOCTYPE a [<!ENTITY b 'c'>]><CreateBucketConfiguration>&b;&#x41;&lt;<![CDATA[x]]></CreateBucketConfiguration>",
		"<a xmlns:x='y' x:b='c'><!-- d --><?e f?><g/></a>",
	};

	for (int i = 0; i < ROUNDS; i++) {
		struct s3_problem pr = { 0 };
		struct s3_create_bucket c;
		char *mem;
		struct span s = any(seeds, ARRAY_LEN(seeds), &mem);

		if (s3_create_bucket_parse(arena, s, &c, &pr) != 0)
			ck_assert_int_ne(pr.code, 0);
		pr = (struct s3_problem){ 0 };
		(void)xml_parse(arena, s, NULL, &XML_LIMITS_LISTS, &pr);
		free(mem);
		arena_reset(arena);
	}
}
END_TEST

START_TEST(test_mutated_policies)
{
	static const char *const seeds[] = {
		"{\"Version\":\"2012-10-17\",\"Id\":\"i\",\"Statement\":[{\"Sid\":\"s\",\"Effect\":\"Allow\",\"Principal\":"
		"{\"AWS\":[\"*\",\"arn:aws:iam::acme:user/bob\"]},\"Action\":[\"s3:Get*\",\"s3:PutObject\"],\"Resource\":"
		"\"arn:aws:s3:::bkt/${aws:username, 'x'}/*\",\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":[\"192.0.2.0/24\","
		"\"2001:db8::/32\"]},\"DateLessThan\":{\"aws:CurrentTime\":\"2030-01-01T00:00:00Z\"},"
		"\"ForAnyValue:StringLikeIfExists\":{\"s3:prefix\":[\"a*\",1,true]},\"Null\":{\"s3:x\":\"true\"},"
		"\"NumericLessThan\":{\"s3:max-keys\":\"10\"}}}]}",
		"{\"Statement\":{\"Effect\":\"Deny\",\"NotPrincipal\":{\"CanonicalUser\":\"c0ffee\"},\"NotAction\":\"s3:*\","
		"\"NotResource\":\"*\"}}",
	};
	struct policy_principal who = { .owner_id = "c0ffee", .tenant = "acme", .app = "bob", .access_key = "AK" };
	struct policy_context c = { .n = 0 };
	struct policy_request rq = { "s3:GetObject", SPAN("bkt"), SPAN("bob/key"), &who, &c };

	policy_context_add(&c, "aws:SourceIp", SPAN("192.0.2.1"));
	policy_context_add(&c, "aws:username", SPAN("b*b"));
	policy_context_add(&c, "aws:CurrentTime", SPAN("2026-01-01T00:00:00Z"));
	policy_context_add(&c, "s3:prefix", SPAN("abc"));
	policy_context_add(&c, "s3:max-keys", SPAN("9"));
	for (int i = 0; i < ROUNDS; i++) {
		struct s3_problem pr = { 0 };
		char *mem;
		struct span s = any(seeds, ARRAY_LEN(seeds), &mem);
		struct policy *p = policy_parse(arena, s, POLICY_BUCKET, NULL, &pr);

		free(mem); /* nothing of it may be needed any more */
		if (p != NULL)
			(void)policy_eval(arena, p, &rq);
		else
			ck_assert_int_ne(pr.code, 0);
		arena_reset(arena);
	}
}
END_TEST

START_TEST(test_mutated_headers)
{
	static const char *const seeds[] = { "bytes=0-9", "bytes=-5", "bytes=99999999999999999999-", "\"abc\", W/\"d,e\", *",
		"Fri, 24 May 2013 00:00:00 GMT", "Friday, 24-May-13 00:00:00 GMT", "gzip, aws-chunked", "/there", "STANDARD_IA" };
	static const char *const names[] = { "if-match", "if-none-match", "if-modified-since", "if-unmodified-since",
		"if-range", "content-encoding", "x-amz-meta-a", "x-amz-storage-class", "x-amz-website-redirect-location" };
	struct condition_object o = { SPAN("abc"), 1369353600000000 };

	for (int i = 0; i < ROUNDS; i++) {
		struct s3_header h[ARRAY_LEN(names)];
		struct s3_headers hs = { h, ARRAY_LEN(names) };
		char *mem[ARRAY_LEN(names)];
		struct s3_problem pr = { 0 };
		struct condition_write w;
		struct object_meta m;
		struct strbuf sb;
		struct range r;

		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			h[k].name = span_of(names[k]);
			h[k].value = any(seeds, ARRAY_LEN(seeds), &mem[k]);
		}
		hs.n = 1 + next(ARRAY_LEN(names));
		if (condition_read(&hs, &o, o.mtime_us, &pr) != 0)
			ck_assert_int_ne(pr.code, 0);
		(void)condition_range(&hs, &o, o.mtime_us);
		if (condition_write_parse(&hs, next(2) == 0, &w, &pr) != 0)
			ck_assert_int_ne(pr.code, 0);
		if (range_parse(arena, h[0].value, 1 + next(100), &r, &pr) == 0)
			ck_assert(r.first >= 0 && r.len >= 0 && r.first + r.len <= 100);
		pr = (struct s3_problem){ 0 };
		if (object_meta_parse(arena, &hs, &m, &pr) == 0) {
			strbuf_init(&sb, arena, OBJECT_HEADERS_MAX);
			object_meta_encode(&sb, &m);
			ck_assert(object_meta_decode(arena, (struct span){ sb.buf, sb.len }, &m));
			strbuf_init(&sb, arena, 2 * OBJECT_HEADERS_MAX);
			object_meta_headers(&sb, &m);
			ck_assert(strbuf_ok(&sb));
		}
		for (size_t k = 0; k < ARRAY_LEN(names); k++)
			free(mem[k]);
		arena_reset(arena);
	}
}
END_TEST

START_TEST(test_mutated_blobs_and_tokens)
{
	struct span blob = SPAN("\x01\x01\0\0\0\x03" "a/b" "\xff\0\0\0\x01" "k" "\0\0\0\x02" "vv" "\x06\0\0\0\0");
	const char *token = list_token_encode(arena, SPAN("some/key/of/a/list"));
	char *kept = strdup(token);

	for (int i = 0; i < ROUNDS; i++) {
		struct object_meta m;
		struct span after, s;
		char *mem;

		s = mutate(blob, &mem);
		(void)object_meta_decode(arena, s, &m);
		free(mem);
		s = mutate(span_of(kept), &mem);
		if (list_token_decode(arena, s, &after))
			ck_assert_str_eq(help_text(after), "some/key/of/a/list");
		free(mem);
		arena_reset(arena);
	}
	free(kept);
}
END_TEST

START_TEST(test_mutated_queries)
{
	static const char *const seeds[] = { "list-type=2&prefix=a&max-keys=10&encoding-type=url&start-after=b&delimiter=%2F",
		"uploadId=u&partNumber=1&x-id=UploadPart", "acl&policy&versionId=1&X-Amz-Signature=0",
		"select&select-type=2&response-content-type=a", "max-buckets=3&bucket-region=eu&continuation-token=abc" };
	static const char *const methods[] = { "GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "BREW" };
	struct s3_headers none = { NULL, 0 };

	for (int i = 0; i < ROUNDS; i++) {
		struct s3_problem pr = { 0 };
		struct list_buckets_params lb;
		struct list_params lp;
		struct s3_query q;
		struct strbuf sb;
		enum s3_op op;
		char *mem;
		struct span s = any(seeds, ARRAY_LEN(seeds), &mem);

		if (s3_query_parse(arena, s, &q, &pr) == 0) {
			struct s3_match m = { span_of(methods[next(ARRAY_LEN(methods))]), (enum s3_level)(1 << next(3)), &q, &none };

			if (s3_operation_match(arena, &m, &op, &pr) != 0)
				ck_assert_int_ne(pr.code, 0);
			strbuf_init(&sb, arena, 100);
			s3_operation_allow(&sb, &m);
			pr = (struct s3_problem){ 0 };
			if (list_params_parse(arena, &q, next(2) == 0, &lp, &pr) == 0)
				ck_assert(lp.max_keys >= 0 && lp.max_keys <= LIST_MAX_KEYS);
			if (list_buckets_params_parse(arena, &q, &lb, &pr) == 0)
				ck_assert(lb.max_buckets >= 0 && lb.max_buckets <= LIST_MAX_BUCKETS);
			strbuf_init(&sb, arena, 100000);
			s3_error_xml(&sb, &pr, s, "R", "H");
			ck_assert(strbuf_ok(&sb));
		}
		free(mem);
		arena_reset(arena);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mutations");
	TCase *t = tcase_create("all");

	state = 20261125;
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, help_begin, help_end);
	tcase_add_test(t, test_mutated_xml);
	tcase_add_test(t, test_mutated_policies);
	tcase_add_test(t, test_mutated_headers);
	tcase_add_test(t, test_mutated_blobs_and_tokens);
	tcase_add_test(t, test_mutated_queries);
	suite_add_tcase(s, t);
	return suite_run(s);
}
