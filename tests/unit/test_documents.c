/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_documents.c - errors, XML out and in, CreateBucket's body.
 */
#include "s3/create_bucket.h"
#include "s3/sse.h"
#include "s3/xml.h"
#include "tests/unit/s3_help.h"

/* ---- errors ---- */

START_TEST(test_error_kinds)
{
	static const struct {
		int kind;
		enum s3_code want;
	} rows[] = { { ERR_INTERNAL, S3_InternalError }, { ERR_UNAVAILABLE, S3_SlowDown },
		{ ERR_TIMEOUT, S3_SlowDown }, { ERR_NO_SPACE, S3_ServiceUnavailable },
		{ ERR_CONFLICT, S3_OperationAborted }, { ERR_EXISTS, S3_OperationAborted },
		{ ERR_INVALID, S3_InvalidRequest }, { ERR_LIMIT, S3_InvalidRequest },
		{ ERR_DENIED, S3_AccessDenied }, { ERR_CLOSED, S3_RequestTimeout },
		{ ERR_NOT_FOUND, S3_InternalError }, { 0, S3_InternalError }, { 999, S3_InternalError },
		{ -5, S3_InternalError }, { S3_END, S3_InternalError }, { S3_NoSuchKey, S3_NoSuchKey } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(s3_code_of(rows[i].kind) == rows[i].want, "kind %d", rows[i].kind);
	ck_assert(s3_code_is_transient(ERR_TIMEOUT));
	ck_assert(!s3_code_is_transient(S3_NoSuchKey));
}
END_TEST

START_TEST(test_error_table)
{
	for (int c = S3_FIRST + 1; c < S3_END; c++) {
		const struct s3_error *e = s3_error_find(c);

		ck_assert(e->status >= 300 && e->status < 600);
		ck_assert_uint_gt(strlen(e->message), 0);
		ck_assert_int_eq(s3_code_by_name(span_of(e->name)), c);
	}
	ck_assert_int_eq(s3_code_by_name(SPAN("NoSuchThing")), S3_OK);
	ck_assert_int_eq(s3_error_find(S3_NoSuchKey)->status, 404);
	ck_assert_int_eq(s3_error_find(S3_NotImplemented)->status, 501);
}
END_TEST

START_TEST(test_error_document)
{
	struct s3_problem pr = { 0 };
	struct strbuf sb;

	s3_problem_set(&pr, S3_NoSuchKey, NULL);
	s3_problem_extra(&pr, "Key", SPAN("a&b\x01"));
	strbuf_init(&sb, arena, 4096);
	s3_error_xml(&sb, &pr, SPAN("/bucket/a&b"), "RID", "HID");
	ck_assert_str_eq(strbuf_cstr(&sb),
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>"
	    "<Key>a&amp;b&#x1;</Key><Resource>/bucket/a&amp;b</Resource>"
	    "<RequestId>RID</RequestId><HostId>HID</HostId></Error>");
	strbuf_clear(&sb);
	pr = (struct s3_problem){ 0 };
	ck_assert_int_eq(s3_problem_argument(&pr, "No.", "max-keys", SPAN("x")), -1);
	s3_error_xml(&sb, &pr, (struct span){ NULL, 0 }, "R", NULL);
	ck_assert_str_eq(strbuf_cstr(&sb),
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<Error><Code>InvalidArgument</Code><Message>No.</Message><ArgumentName>max-keys</ArgumentName>"
	    "<ArgumentValue>x</ArgumentValue><RequestId>R</RequestId></Error>");
}
END_TEST

START_TEST(test_error_first_is_kept)
{
	struct s3_problem pr = { 0 };
	struct err err = { .code = ERR_TIMEOUT };

	s3_problem_from_err(&pr, &err);
	ck_assert_str_eq(help_code(&pr), "SlowDown");
	(void)s3_problem_argument(&pr, NULL, "n", SPAN("v"));
	ck_assert_str_eq(help_code(&pr), "SlowDown");
	ck_assert_uint_eq(pr.n_extra, 0);
}
END_TEST

/* ---- writing ---- */

static const struct {
	const char *in;
	size_t len;
	const char *want;
} escapes[] = {
#define ESC(in, want) { in, sizeof(in) - 1, want }
	ESC("", ""),
	ESC("plain text/with.dots", "plain text/with.dots"),
	ESC("a&b<c>d\"e'f", "a&amp;b&lt;c&gt;d&quot;e'f"),
	ESC("\r\n\t", "&#13;&#10;&#9;"),
	ESC("\x01\x1f\x0b", "&#x1;&#x1f;&#xb;"),
	ESC("\x7f", "\x7f"),
	ESC("\0", "&#x0;"),
	ESC("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"),
	ESC("\xff", "\xef\xbf\xbd"),
	ESC("a\xc3", "a\xef\xbf\xbd"),
	ESC("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"),
	ESC("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"),
	ESC("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"),
	ESC("\xe0\x80\x80x", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx"),
	ESC("\xef\xbf\xbe\xef\xbf\xbf", "&#xfffe;&#xffff;"),
};

START_TEST(test_escape_row)
{
	struct strbuf sb;

	strbuf_init(&sb, arena, 4096);
	xml_escape(&sb, (struct span){ escapes[_i].in, escapes[_i].len });
	ck_assert_str_eq(strbuf_cstr(&sb), escapes[_i].want);
}
END_TEST

START_TEST(test_elements)
{
	struct strbuf sb;

	strbuf_init(&sb, arena, 4096);
	xml_begin(&sb, "R");
	xml_str(&sb, "A", NULL);
	xml_str(&sb, "B", "");
	xml_int(&sb, "N", -7);
	xml_bool(&sb, "T", true);
	xml_etag(&sb, "E", "ab-2");
	xml_time(&sb, "D", 1369353600123456);
	xml_close(&sb, "R");
	ck_assert_str_eq(strbuf_cstr(&sb),
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<R xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><B></B><N>-7</N><T>true</T>"
	    "<E>&quot;ab-2&quot;</E><D>2013-05-24T00:00:00.123Z</D></R>");
}
END_TEST

/* ---- reading ---- */

static const struct {
	const char *name, *doc, *want; /* the text at A/B, or a code */
} reads[] = {
	{ "simple", "<R><A><B>x</B></A></R>", "x" },
	{ "namespace", "<R xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><A><B>x</B></A></R>", "x" },
	{ "prefix", "<s:R xmlns:s='u'><s:A><s:B>x</s:B></s:A></s:R>", "x" },
	{ "declared", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R>\n <A>\n  <B>x</B>\n </A>\n</R>\n", "x" },
	{ "bom", "\xef\xbb\xbf<R><A><B>x</B></A></R>", "x" },
	{ "five entities", "<R><A><B>&lt;&gt;&amp;&quot;&apos;&#x41;&#13;</B></A></R>", "<>&\"'A\r" },
	{ "cdata", "<R><A><B>a<![CDATA[<&>]]>b</B></A></R>", "a<&>b" },
	{ "comment", "<R><A><!-- no --><B>a<!-- no -->b</B></A></R>", "ab" },
	{ "instruction", "<R><A><?php x?><B>ab</B></A></R>", "ab" },
	{ "blanks kept", "<R><A><B> x </B></A></R>", " x " },
	{ "empty", "<R><A><B/></A></R>", "" },
	{ "not there", "<R><A/></R>", "(none)" },
	{ "other encoding named", "<?xml version='1.0' encoding='ISO-8859-1'?><R><A><B>\xc3\xbc</B></A></R>", "\xc3\xbc" },
	{ "not utf-8", "<R><A><B>\xfc</B></A></R>", "MalformedXML" },
	{ "nothing", "", "MalformedXML" },
	{ "text", "hello", "MalformedXML" },
	{ "unclosed", "<R><A><B>x</B></A>", "MalformedXML" },
	{ "crossed", "<R><A><B>x</A></B></R>", "MalformedXML" },
	{ "two roots", "<R/><R/>", "MalformedXML" },
	{ "other root", "<Q><A><B>x</B></A></Q>", "MalformedXML" },
	{ "mixed before", "<R>t<A><B>x</B></A></R>", "MalformedXML" },
	{ "mixed after", "<R><A><B>x</B></A>t</R>", "MalformedXML" },
	{ "doctype", "<!DOCTYPE R><R><A><B>x</B></A></R>", "MalformedXML" },
	{ "entity", "<!DOCTYPE R [<!ENTITY e 'x'>]><R><A><B>&e;</B></A></R>", "MalformedXML" },
	{ "external", "<!DOCTYPE R SYSTEM 'file:///etc/passwd'><R><A><B>x</B></A></R>", "MalformedXML" },
	{ "external entity", "<!DOCTYPE R [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><R><A><B>&e;</B></A></R>",
	    "MalformedXML" },
	{ "undeclared entity", "<R><A><B>&e;</B></A></R>", "MalformedXML" },
	{ "control character", "<R><A><B>\x01</B></A></R>", "MalformedXML" },
	{ "reference to one", "<R><A><B>&#1;</B></A></R>", "MalformedXML" },
	{ "attribute twice", "<R a='1' a='2'><A><B>x</B></A></R>", "MalformedXML" },
	{ "bare ampersand", "<R><A><B>a&b</B></A></R>", "MalformedXML" },
	{ "too deep", "<R><A><B><C><D><E><F><G><H>x</H></G></F></E></D></C></B></A></R>", "MalformedXML" },
};

START_TEST(test_read_row)
{
	struct s3_problem pr = { 0 };
	struct xml_node *n = xml_parse(arena, span_of(reads[_i].doc), "R", &XML_LIMITS_SMALL, &pr);
	const char *got = n == NULL ? help_code(&pr) : help_text(xml_at(n, "A/B"));

	ck_assert_msg(strcmp(got, reads[_i].want) == 0, "%s: want %s, got %s", reads[_i].name, reads[_i].want, got);
}
END_TEST

START_TEST(test_read_lists_and_attributes)
{
	const char *doc = "<D><O><Key>a</Key></O><Q>1</Q><O><Key>b</Key></O>"
			  "<G xmlns:xsi='x' xsi:type='CanonicalUser' two='2'/></D>";
	struct s3_problem pr = { 0 };
	const struct xml_node *n = xml_parse(arena, span_of(doc), NULL, &XML_LIMITS_SMALL, &pr), *o;

	ck_assert_ptr_nonnull(n);
	o = xml_child(n, "O");
	ck_assert_str_eq(help_text(xml_at(o, "Key")), "a");
	o = xml_again(o);
	ck_assert_str_eq(help_text(xml_at(o, "Key")), "b");
	ck_assert_ptr_null(xml_again(o));
	ck_assert_ptr_null(xml_child(n, "Z"));
	ck_assert_ptr_null(xml_child(NULL, "Z"));
	ck_assert_str_eq(help_text(xml_attr(xml_child(n, "G"), "type")), "CanonicalUser");
	ck_assert_str_eq(help_text(xml_attr(xml_child(n, "G"), "two")), "2");
	ck_assert_ptr_null(xml_attr(xml_child(n, "G"), "three").p);
}
END_TEST

START_TEST(test_read_limits)
{
	struct xml_limits few = { 1000, 8, 5 };
	struct s3_problem pr = { 0 };
	struct arena *small;

	ck_assert_ptr_nonnull(xml_parse(arena, SPAN("<R><a/><a/><a/><a/></R>"), "R", &few, &pr));
	ck_assert_ptr_null(xml_parse(arena, SPAN("<R><a/><a/><a/><a/><a/></R>"), "R", &few, &pr));
	ck_assert_str_eq(help_code(&pr), "MalformedXML");
	pr = (struct s3_problem){ 0 };
	few.bytes = 10;
	ck_assert_ptr_null(xml_parse(arena, SPAN("<R><a/><a/></R>"), "R", &few, &pr));
	ck_assert_str_eq(help_code(&pr), "MaxMessageLengthExceeded");
	ck_assert_str_eq(help_extra(&pr, "MaxMessageLengthBytes"), "10");
	/* The arena's cap, at each allocation. */
	for (size_t cap = 64; cap < 3000; cap += 64) {
		struct xml_node *n;

		small = arena_new(cap);
		pr = (struct s3_problem){ 0 };
		n = xml_parse(small, SPAN("<R x='y'><A>some text<![CDATA[more]]></A><B>c</B></R>"), "R",
		    &XML_LIMITS_SMALL, &pr);
		if (n == NULL)
			ck_assert_str_eq(help_code(&pr), "InternalError");
		arena_free(small);
	}
}
END_TEST

/* ---- CreateBucket ---- */

#define CBC(inner) "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" inner \
	"</CreateBucketConfiguration>"
#define TAG(k, v) "<Tag><Key>" k "</Key><Value>" v "</Value></Tag>"

static const struct {
	const char *body, *want;
} creates[] = {
	{ "", "" },
	{ " \r\n\t", "" },
	{ CBC(""), "" },
	{ CBC("\n  "), "" },
	{ CBC("<LocationConstraint>eu</LocationConstraint>"), "eu" },
	{ "<CreateBucketConfiguration><LocationConstraint>eu</LocationConstraint></CreateBucketConfiguration>", "eu" },
	{ CBC("<LocationConstraint>\n eu-central-1 </LocationConstraint>"), "eu-central-1" },
	{ CBC("<LocationConstraint/>"), "" },
	{ CBC("<LocationConstraint>a&amp;b</LocationConstraint>"), "InvalidLocationConstraint" },
	{ CBC("<LocationConstraint>eu</LocationConstraint><LocationConstraint>us</LocationConstraint>"), "MalformedXML" },
	{ CBC("<LocationConstraint><X/></LocationConstraint>"), "MalformedXML" },
	{ CBC("<Location><Name>az1</Name><Type>AvailabilityZone</Type></Location>"
	      "<Bucket><DataRedundancy>SingleAvailabilityZone</DataRedundancy><Type>Directory</Type></Bucket>"), "" },
	{ CBC("<Location><Nam>az1</Nam></Location>"), "MalformedXML" },
	{ CBC("<Unknown/>"), "MalformedXML" },
	{ CBC("eu"), "MalformedXML" },
	{ "<CreateBucket/>", "MalformedXML" },
	{ "not xml", "MalformedXML" },
	{ CBC("<LocationConstraint>eu"), "MalformedXML" },
	{ CBC("<Tags>" TAG("a", "1") TAG("b", "") "</Tags>"), "" },
	{ CBC("<Tags>" TAG("a", "1") TAG("a", "2") "</Tags>"), "InvalidTag" },
	{ CBC("<Tags>" TAG("", "1") "</Tags>"), "InvalidTag" },
	{ CBC("<Tags>" TAG("aws:x", "1") "</Tags>"), "InvalidTag" },
	{ CBC("<Tags><Tag><Key>a</Key></Tag></Tags>"), "MalformedXML" },
	{ CBC("<Tags/>"), "" },
};

START_TEST(test_create_bucket_row)
{
	struct s3_problem pr = { 0 };
	struct s3_create_bucket c;
	int rc = s3_create_bucket_parse(arena, span_of(creates[_i].body), &c, &pr);
	const char *got = rc != 0 ? help_code(&pr) : c.location_constraint.len == 0 ? "" :
		help_text(c.location_constraint);

	ck_assert_msg(strcmp(got, creates[_i].want) == 0, "%s: want %s, got %s", creates[_i].body, creates[_i].want, got);
}
END_TEST

START_TEST(test_create_bucket_fields)
{
	struct s3_problem pr = { 0 };
	struct s3_create_bucket c;

	ck_assert_int_eq(s3_create_bucket_parse(arena,
	    SPAN(CBC("<LocationConstraint>us</LocationConstraint><Bucket><Type>Directory</Type></Bucket>"
		     "<Tags>" TAG("a", "1") TAG("b", "2") "</Tags>")), &c, &pr), 0);
	ck_assert_str_eq(help_text(c.bucket_type), "Directory");
	ck_assert_uint_eq(c.n_tags, 2);
	ck_assert_str_eq(help_text(c.tags[1].key), "b");
	ck_assert_str_eq(help_text(c.tags[1].value), "2");
}
END_TEST

static const struct {
	const char *headers, *home, *region;
	size_t n_tags;
	bool want;
} made_again[] = {
	{ "host: x\n", "us-east-1", "us-east-1", 0, true },
	{ "host: x\n", "eu", "eu", 0, false },
	{ "host: x\n", "eu", "us-east-1", 0, false },
	{ "host: x\n", "us-east-1", "us-east-1", 1, false },
	{ "x-amz-acl: public-read\n", "us-east-1", "us-east-1", 0, false },
	{ "x-amz-grant-read: id=\"a\"\n", "us-east-1", "us-east-1", 0, false },
	{ "x-amz-object-ownership: ObjectWriter\n", "us-east-1", "us-east-1", 0, false },
	{ "x-amz-bucket-object-lock-enabled: true\n", "us-east-1", "us-east-1", 0, false },
};

START_TEST(test_create_bucket_again)
{
	struct s3_headers h = help_headers(made_again[_i].headers);
	struct s3_create_bucket c = { .n_tags = made_again[_i].n_tags };

	ck_assert_msg(s3_create_bucket_again(&h, &c, made_again[_i].home, made_again[_i].region) == made_again[_i].want,
	    "%s in %s", made_again[_i].headers, made_again[_i].home);
}
END_TEST

/* --- encryption --- */

#define C_ALGORITHM "x-amz-server-side-encryption-customer-algorithm: AES256\n"
#define C_KEY "x-amz-server-side-encryption-customer-key: pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=\n"
#define C_MD5 "x-amz-server-side-encryption-customer-key-md5: DWygnHRtgiJ77HCm+1rvHw==\n"

static const struct {
	const char *headers;
	enum sse_kind kind;
	const char *code, *argument;
} encryptions[] = {
	{ "", SSE_NONE, "", "" },
	{ "x-amz-server-side-encryption: AES256", SSE_S3, "", "" },
	{ C_ALGORITHM C_KEY C_MD5, SSE_CUSTOMER, "", "" },
	{ "x-amz-server-side-encryption: aws:kms", SSE_NONE, "NotImplemented", "" },
	{ "x-amz-server-side-encryption: aes256", SSE_NONE, "InvalidArgument", "x-amz-server-side-encryption" },
	{ "x-amz-server-side-encryption-context: e30=", SSE_NONE, "InvalidArgument", "x-amz-server-side-encryption-context" },
	{ C_KEY C_MD5, SSE_NONE, "InvalidArgument", "x-amz-server-side-encryption-customer-algorithm" },
	{ C_ALGORITHM C_MD5, SSE_NONE, "InvalidArgument", "x-amz-server-side-encryption-customer-key" },
	{ C_ALGORITHM C_KEY, SSE_NONE, "InvalidArgument", "x-amz-server-side-encryption-customer-key-md5" },
	{ C_ALGORITHM C_KEY "x-amz-server-side-encryption-customer-key-md5: AAAAAAAAAAAAAAAAAAAAAA==", SSE_NONE, "InvalidArgument",
	    "x-amz-server-side-encryption-customer-key-md5" },
	{ C_ALGORITHM C_MD5 "x-amz-server-side-encryption-customer-key: AAAA", SSE_NONE, "InvalidArgument",
	    "x-amz-server-side-encryption-customer-key" },
	{ C_ALGORITHM C_KEY C_MD5 "x-amz-server-side-encryption: AES256", SSE_NONE, "InvalidArgument",
	    "x-amz-server-side-encryption" },
};

START_TEST(test_encryption_row)
{
	struct s3_headers h = help_headers(encryptions[_i].headers);
	struct s3_problem pr = { 0 };
	struct sse_request rq;
	bool good = encryptions[_i].code[0] == '\0';

	ck_assert_int_eq(sse_parse(&h, SSE_OF_OBJECT, &rq, &pr), good ? 0 : -1);
	ck_assert_str_eq(help_code(&pr), encryptions[_i].code);
	if (good)
		ck_assert_int_eq(rq.kind, encryptions[_i].kind);
	if (encryptions[_i].argument[0] != '\0')
		ck_assert_str_eq(help_extra(&pr, "ArgumentName"), encryptions[_i].argument);
	/* None of them is about a copy's source. */
	ck_assert(!sse_names_key(&h, SSE_OF_COPY_SOURCE));
	ck_assert_int_eq(sse_parse(&h, SSE_OF_COPY_SOURCE, &rq, &pr), 0);
	ck_assert_int_eq(rq.kind, SSE_NONE);
}
END_TEST

#define SSE_RULE(s) "<ServerSideEncryptionConfiguration><Rule>" s "</Rule></ServerSideEncryptionConfiguration>"
#define SSE_BY(s) "<ApplyServerSideEncryptionByDefault>" s "</ApplyServerSideEncryptionByDefault>"

static const struct {
	const char *doc;
	enum sse_kind kind;
	const char *code;
} encryption_configs[] = {
	{ SSE_RULE(SSE_BY("<SSEAlgorithm>AES256</SSEAlgorithm>")), SSE_S3, "" },
	{ SSE_RULE(SSE_BY("<SSEAlgorithm>AES256</SSEAlgorithm>") "<BucketKeyEnabled>false</BucketKeyEnabled>"), SSE_S3, "" },
	{ SSE_RULE("<BucketKeyEnabled>false</BucketKeyEnabled>"), SSE_NONE, "" },
	{ SSE_RULE(SSE_BY("<SSEAlgorithm>aws:kms</SSEAlgorithm>")), SSE_NONE, "NotImplemented" },
	{ SSE_RULE(SSE_BY("<SSEAlgorithm>AES128</SSEAlgorithm>")), SSE_NONE, "MalformedXML" },
	{ SSE_RULE(SSE_BY("")), SSE_NONE, "MalformedXML" },
	{ SSE_RULE(SSE_BY("<SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>")), SSE_NONE, "InvalidArgument" },
	{ "<ServerSideEncryptionConfiguration/>", SSE_NONE, "MalformedXML" },
	{ "<Other/>", SSE_NONE, "MalformedXML" },
};

START_TEST(test_encryption_config_row)
{
	struct s3_problem pr = { 0 };
	enum sse_kind kind;
	int rc = sse_config_parse(arena, span_of(encryption_configs[_i].doc), &kind, &pr);

	ck_assert_str_eq(help_code(&pr), encryption_configs[_i].code);
	ck_assert_int_eq(rc, encryption_configs[_i].code[0] == '\0' ? 0 : -1);
	ck_assert_int_eq(kind, encryption_configs[_i].kind);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("documents");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, help_begin, help_end);
	tcase_add_test(t, test_error_kinds);
	tcase_add_test(t, test_error_table);
	tcase_add_test(t, test_error_document);
	tcase_add_test(t, test_error_first_is_kept);
	tcase_add_loop_test(t, test_escape_row, 0, ARRAY_LEN(escapes));
	tcase_add_test(t, test_elements);
	tcase_add_loop_test(t, test_read_row, 0, ARRAY_LEN(reads));
	tcase_add_test(t, test_read_lists_and_attributes);
	tcase_add_test(t, test_read_limits);
	tcase_add_loop_test(t, test_create_bucket_row, 0, ARRAY_LEN(creates));
	tcase_add_test(t, test_create_bucket_fields);
	tcase_add_loop_test(t, test_create_bucket_again, 0, ARRAY_LEN(made_again));
	tcase_add_loop_test(t, test_encryption_row, 0, ARRAY_LEN(encryptions));
	tcase_add_loop_test(t, test_encryption_config_row, 0, ARRAY_LEN(encryption_configs));
	suite_add_tcase(s, t);
	return suite_run(s);
}
