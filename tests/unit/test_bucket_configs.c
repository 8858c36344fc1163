/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_bucket_configs.c - documents that a bucket carries: CORS, tags and
 * the smaller ones; what is taken, what is stored, and what it then says.
 */
#include "s3/bucket_config.h"
#include "s3/cors.h"
#include "s3/tagging.h"
#include "tests/unit/s3_help.h"

/* ---- what is taken ---- */

#define RULE(more) "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>" more "</CORSRule></CORSConfiguration>"
#define TAG(k, v) "<Tag><Key>" k "</Key><Value>" v "</Value></Tag>"
#define TAGS(tags) "<Tagging><TagSet>" tags "</TagSet></Tagging>"
#define BLOCK(what) "<PublicAccessBlockConfiguration>" what "</PublicAccessBlockConfiguration>"
#define OWNERSHIP(o) "<OwnershipControls><Rule><ObjectOwnership>" o "</ObjectOwnership></Rule></OwnershipControls>"

static const struct {
	const char *name;
	s3_config_check check;
	const char *given;
	const char *want; /* a code; "" taken; else what is stored has it */
} checks[] = {
	{ "cors", s3_cors_check, RULE("<AllowedHeader>x-*</AllowedHeader><MaxAgeSeconds> 5 </MaxAgeSeconds>"), "<MaxAgeSeconds> 5 <" },
	{ "cors empty", s3_cors_check, "", "MalformedXML" },
	{ "cors no rule", s3_cors_check, "<CORSConfiguration/>", "MalformedXML" },
	{ "cors method", s3_cors_check, RULE("<AllowedMethod>OPTIONS</AllowedMethod>"), "InvalidRequest" },
	{ "cors two stars", s3_cors_check, RULE("<AllowedOrigin>*a*</AllowedOrigin>"), "InvalidRequest" },
	{ "cors line", s3_cors_check, RULE("<AllowedOrigin>a&#10;b: c</AllowedOrigin>"), "MalformedXML" },
	{ "cors expose line", s3_cors_check, RULE("<ExposeHeader>a&#13;&#10;b</ExposeHeader>"), "MalformedXML" },
	{ "cors expose", s3_cors_check, RULE("<ExposeHeader>*</ExposeHeader>"), "InvalidRequest" },
	{ "cors age", s3_cors_check, RULE("<MaxAgeSeconds>4294967296</MaxAgeSeconds>"), "MalformedXML" },
	{ "tags", s3_bucket_tags_check, TAGS(TAG("b", "2") TAG("a", "")), "<Key>a</Key><Value></Value></Tag><Tag><Key>b" },
	{ "no tags", s3_bucket_tags_check, TAGS(""), "" },
	{ "tag twice", s3_bucket_tags_check, TAGS(TAG("a", "1") TAG("a", "2")), "InvalidTag" },
	{ "aws: tag", s3_bucket_tags_check, TAGS(TAG("AWS:a", "1")), "InvalidTag" },
	{ "tag without key", s3_bucket_tags_check, TAGS(TAG("", "1")), "InvalidTag" },
	{ "tag without value", s3_bucket_tags_check, TAGS("<Tag><Key>a</Key></Tag>"), "MalformedXML" },
	{ "block", s3_access_block_check, BLOCK("<BlockPublicAcls>TRUE</BlockPublicAcls><IgnorePublicAcls>0</IgnorePublicAcls>"),
	    "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls><BlockPublicPolicy>false</BlockPublicPolicy>" },
	{ "block word", s3_access_block_check, BLOCK("<BlockPublicAcls>maybe</BlockPublicAcls>"), "MalformedXML" },
	{ "block twice", s3_access_block_check, BLOCK("<BlockPublicAcls>true</BlockPublicAcls><BlockPublicAcls>true</BlockPublicAcls>"), "MalformedXML" },
	{ "owner", s3_ownership_check, OWNERSHIP(" ObjectWriter\n"), ">ObjectWriter<" },
	{ "owner word", s3_ownership_check, OWNERSHIP("Writer"), "MalformedXML" },
	{ "owner two", s3_ownership_check, "<OwnershipControls/>", "MalformedXML" },
	{ "payer", s3_request_payment_check, "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>", "" },
	{ "requester", s3_request_payment_check, "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>", "NotImplemented" },
	{ "accelerate", s3_accelerate_check, "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>", "NotImplemented" },
};

START_TEST(test_check)
{
	struct s3_problem pr = { 0 };
	const char *stored = NULL, *again = NULL;
	int rc = checks[_i].check(arena, span_of(checks[_i].given), &stored, &pr);
	const char *want = checks[_i].want;

	if (rc != 0) {
		ck_assert_msg(strcmp(help_code(&pr), want) == 0, "%s: %s", checks[_i].name, help_code(&pr));
		return;
	}
	ck_assert_msg(want[0] == '<' || want[0] == '>' || want[0] == '\0', "%s was taken", checks[_i].name);
	ck_assert_msg(want[0] == '\0' ? stored == NULL : strstr(stored, want) != NULL, "%s: %s", checks[_i].name, stored);
	if (stored == NULL)
		return;
	/* What Get answers can be put again, and is the same. */
	ck_assert_int_eq(checks[_i].check(arena, span_of(stored), &again, &pr), 0);
	ck_assert_str_eq(again, stored);
}
END_TEST

/* ---- CORS: which rule is met ---- */

static const char rules[] = "<CORSConfiguration>"
    "<CORSRule><AllowedOrigin>http://*.a.org</AllowedOrigin><AllowedOrigin>null</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>"
    "<AllowedHeader>x-amz-*</AllowedHeader><AllowedHeader>Content-Type</AllowedHeader><ExposeHeader>ETag</ExposeHeader><ExposeHeader>X-A</ExposeHeader>"
    "<MaxAgeSeconds>7</MaxAgeSeconds></CORSRule>"
    "<CORSRule><AllowedOrigin>start*end</AllowedOrigin><AllowedMethod>DELETE</AllowedMethod></CORSRule>"
    "<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>HEAD</AllowedMethod></CORSRule></CORSConfiguration>";

static const struct {
	const char *origin, *method, *headers;
	const char *want; /* origin|methods|headers|expose|age|credentials; NULL: no rule */
} meets[] = {
	{ "http://b.a.org", "GET", NULL, "http://b.a.org|GET, PUT|-|ETag, X-A|7|1" },
	{ "http://.a.org", "PUT", "X-AMZ-Date,content-type", "http://.a.org|GET, PUT|x-amz-date, content-type|ETag, X-A|7|1" },
	{ "null", "GET", NULL, "null|GET, PUT|-|ETag, X-A|7|1" },
	{ "http://a.org", "GET", NULL, NULL },
	{ "HTTP://b.a.org", "GET", NULL, NULL },
	{ "http://b.a.org", "get", NULL, NULL },
	{ "http://b.a.org", "GET", "x-amz-a, x-b", NULL },
	{ "http://b.a.org", "DELETE", NULL, NULL },
	{ "startend", "DELETE", NULL, "startend|DELETE|-|-|-1|1" },
	{ "starend", "DELETE", NULL, NULL },
	{ "startend", "DELETE", "a", NULL },
	{ "http://b.a.org", "HEAD", NULL, "*|HEAD|-|-|-1|0" },
	{ "", "HEAD", NULL, "*|HEAD|-|-|-1|0" },
	{ "x", "HEAD", "", "*|HEAD|-|-|-1|0" },
};

START_TEST(test_cors_match)
{
	struct cors_request rq = { span_of(meets[_i].origin), span_of(meets[_i].method),
		meets[_i].headers == NULL ? (struct span){ NULL, 0 } : span_of(meets[_i].headers) };
	struct cors_answer a;
	bool met = s3_cors_match(arena, rules, &rq, &a);

	ck_assert_msg(met == (meets[_i].want != NULL), "%s %s", meets[_i].origin, meets[_i].method);
	if (met)
		ck_assert_str_eq(arena_printf(arena, "%s|%s|%s|%s|%d|%d", help_text(a.origin), a.methods, a.headers == NULL ? "-" : a.headers,
		    a.expose == NULL ? "-" : a.expose, (int)a.max_age_s, a.credentials), meets[_i].want);
}
END_TEST

START_TEST(test_cors_unreadable)
{
	struct cors_request rq = { SPAN("x"), SPAN("HEAD"), { NULL, 0 } };
	struct cors_answer a;

	ck_assert(!s3_cors_match(arena, "<CORSConfiguration>", &rq, &a));
	ck_assert(!s3_cors_match(arena, "", &rq, &a));
}
END_TEST

/* ---- tags as text ---- */

static const struct {
	const char *text, *want; /* as written again; or a code; "-": no tags */
} texts[] = {
	{ "a=1&b=2", "a=1&b=2" },
	{ "b=2&a=1", "a=1&b=2" },
	{ "a", "a=" },
	{ "a=b=c", "a=b%3Dc" },
	{ "a+b=%2B%20", "a%20b=%2B%20" },
	{ "", "-" },
	{ "&&", "-" },
	{ "a=%", "InvalidArgument" },
	{ "a=%2", "InvalidArgument" },
	{ "a=%zz", "InvalidArgument" },
	{ "a=1&a=2", "InvalidTag" },
	{ "=1", "InvalidTag" },
	{ "aws:a=1", "InvalidTag" },
	{ "a=%ff", "InvalidTag" },
	{ "a&b&c&d&e&f&g&h&i&j", "a=&b=&c=&d=&e=&f=&g=&h=&i=&j=" },
	{ "a&b&c&d&e&f&g&h&i&j&k", "InvalidTag" },
};

START_TEST(test_tags_text)
{
	struct s3_problem pr = { 0 };
	struct s3_tags tags;
	const char *text;

	if (s3_tags_from_text(arena, span_of(texts[_i].text), &tags, &pr) != 0) {
		ck_assert_msg(strcmp(help_code(&pr), texts[_i].want) == 0, "%s: %s", texts[_i].text, help_code(&pr));
		return;
	}
	text = s3_tags_text(arena, &tags);
	ck_assert_str_eq(text == NULL ? "-" : text, texts[_i].want);
}
END_TEST

START_TEST(test_tags_xml)
{
	struct s3_problem pr = { 0 };
	struct s3_tags tags;
	struct strbuf sb;

	ck_assert_int_eq(s3_tags_from_text(arena, SPAN("b=%3C&a=x"), &tags, &pr), 0);
	strbuf_init(&sb, arena, 4096);
	s3_tags_xml(&sb, &tags);
	ck_assert_str_eq(strbuf_cstr(&sb), XML_DECLARATION "<Tagging xmlns=\"" XML_S3_NS "\"><TagSet>"
	    "<Tag><Key>a</Key><Value>x</Value></Tag><Tag><Key>b</Key><Value>&lt;</Value></Tag></TagSet></Tagging>");
	ck_assert_int_eq(s3_tags_from_xml(arena, (struct span){ sb.buf, sb.len }, S3_OBJECT_TAGS_MAX, &tags, &pr), 0);
	ck_assert_str_eq(help_text(s3_tags_get(&tags, SPAN("b"))), "<");
	ck_assert_ptr_null(s3_tags_get(&tags, SPAN("c")).p);
}
END_TEST

/* ---- access blocks and ownership, as they are read ---- */

START_TEST(test_block_read)
{
	struct s3_access_block b;

	s3_access_block_read(arena, NULL, &b);
	ck_assert(!b.block_acls && !b.ignore_acls && !b.block_policy && !b.restrict_buckets);
	s3_access_block_read(arena, BLOCK("<RestrictPublicBuckets>1</RestrictPublicBuckets>"), &b);
	ck_assert(!b.block_acls && !b.ignore_acls && !b.block_policy && b.restrict_buckets);
	s3_access_block_read(arena, "what is this", &b);
	ck_assert(b.block_acls && b.ignore_acls && b.block_policy && b.restrict_buckets);
}
END_TEST

START_TEST(test_ownership_read)
{
	for (int o = S3_OWNER_ENFORCED; o <= S3_OWNER_WRITER; o++)
		ck_assert_int_eq(s3_ownership_read(arena, s3_ownership_document(arena, (enum s3_ownership)o)), o);
	ck_assert_int_eq(s3_ownership_read(arena, "what is this"), S3_OWNER_ENFORCED);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("bucket_configs");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, help_begin, help_end);
	tcase_add_loop_test(tc, test_check, 0, (int)ARRAY_LEN(checks));
	tcase_add_loop_test(tc, test_cors_match, 0, (int)ARRAY_LEN(meets));
	tcase_add_test(tc, test_cors_unreadable);
	tcase_add_loop_test(tc, test_tags_text, 0, (int)ARRAY_LEN(texts));
	tcase_add_test(tc, test_tags_xml);
	tcase_add_test(tc, test_block_read);
	tcase_add_test(tc, test_ownership_read);
	suite_add_tcase(s, tc);
	return help_run(s);
}
