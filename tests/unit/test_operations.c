/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_operations.c - which operation a request asks for, by rows;
 * and that the table itself leaves no doubt.
 */
#include "s3/operations.h"

#include "base/metrics.h"
#include "tests/unit/s3_help.h"

#define S S3_LEVEL_SERVICE
#define B S3_LEVEL_BUCKET
#define O S3_LEVEL_OBJECT

static const struct row {
	const char *method;
	enum s3_level level;
	const char *query, *headers;
	const char *want; /* an operation's name, or an error's code */
} rows[] = {
	{ "GET", S, "", "", "ListBuckets" },
	{ "GET", S, "x-id=ListBuckets", "", "ListBuckets" },
	{ "GET", S, "max-buckets=3&prefix=a", "", "ListBuckets" },
	{ "GET", S, "x-id=ListDirectoryBuckets", "", "ListDirectoryBuckets" },
	{ "GET", S, "acl", "", "MethodNotAllowed" },
	{ "PUT", S, "", "", "MethodNotAllowed" },
	{ "POST", S, "", "", "SecurityToken" },
	{ "GET", S, "Action=GetCallerIdentity", "", "SecurityTokenQuery" },
	{ "GET", B, "Action=GetCallerIdentity", "", "ListObjects" },
	{ "GET", O, "Action=GetCallerIdentity", "", "GetObject" },
	{ "OPTIONS", S, "", "", "MethodNotAllowed" },
	{ "PUT", B, "", "", "CreateBucket" },
	{ "PUT", B, "x-id=CreateBucket", "", "CreateBucket" },
	{ "PUT", B, "acl", "", "PutBucketAcl" },
	{ "PUT", B, "location", "", "MethodNotAllowed" },
	{ "PUT", B, "versions", "", "MethodNotAllowed" },
	{ "PUT", B, "nothing", "", "NotImplemented" },
	{ "PUT", B, "nothing=", "", "NotImplemented" },
	{ "PUT", B, "nothing=1", "", "CreateBucket" },
	{ "HEAD", B, "", "", "HeadBucket" },
	{ "HEAD", B, "acl", "", "MethodNotAllowed" },
	{ "GET", B, "location", "", "GetBucketLocation" },
	{ "GET", B, "location=", "", "GetBucketLocation" },
	{ "GET", B, "", "", "ListObjects" },
	{ "GET", B, "prefix=&delimiter=%2F&marker", "", "ListObjects" },
	{ "GET", B, "list-type=2", "", "ListObjectsV2" },
	{ "GET", B, "list-type=2&prefix=uploads&fetch-owner", "", "ListObjectsV2" },
	{ "GET", B, "list-type=3", "", "InvalidArgument" },
	{ "GET", B, "list-type", "", "InvalidArgument" },
	{ "GET", B, "list-type=2&versions", "", "ListObjectVersions" },
	{ "GET", B, "versions", "", "ListObjectVersions" },
	{ "GET", B, "uploads&max-uploads=3", "", "ListMultipartUploads" },
	{ "GET", B, "uploads&versions", "", "InvalidArgument" },
	{ "GET", B, "analytics", "", "ListBucketAnalyticsConfigurations" },
	{ "GET", B, "analytics&id=x", "", "GetBucketAnalyticsConfiguration" },
	{ "GET", B, "id=x", "", "ListObjects" },
	{ "GET", B, "cachebuster=17", "", "ListObjects" },
	{ "GET", B, "Acl", "", "NotImplemented" },
	{ "GET", B, "torrent", "", "MethodNotAllowed" },
	{ "DELETE", B, "", "", "DeleteBucket" },
	{ "DELETE", B, "policy", "", "DeleteBucketPolicy" },
	{ "DELETE", B, "acl", "", "MethodNotAllowed" },
	{ "DELETE", B, "location", "", "MethodNotAllowed" },
	{ "DELETE", B, "unknown-thing", "", "NotImplemented" },
	{ "POST", B, "delete", "", "DeleteObjects" },
	{ "POST", B, "", "content-type: multipart/form-data", "PostObject" },
	{ "POST", B, "", "x-amz-request-route: r", "WriteGetObjectResponse" },
	{ "OPTIONS", B, "", "", "CorsPreflight" },
	{ "OPTIONS", O, "acl&tagging&nothing", "", "CorsPreflight" },
	{ "GET", O, "", "", "GetObject" },
	{ "GET", O, "x-id=GetObject", "", "GetObject" },
	{ "GET", O, "versionId=null", "", "GetObject" },
	{ "GET", O, "versionId=", "", "InvalidArgument" },
	{ "GET", O, "partNumber=2", "", "GetObject" },
	{ "GET", O, "1700000000", "", "GetObject" },
	{ "GET", O, "v2", "", "GetObject" },
	{ "GET", O, "nothing", "", "NotImplemented" },
	{ "GET", O, "response-content-type=a", "", "GetObject" },
	{ "GET", O, "response-content-type", "", "GetObject" },
	{ "GET", O, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0&X-Amz-Security-Token", "", "GetObject" },
	{ "GET", O, "acl", "", "GetObjectAcl" },
	{ "GET", O, "acl&versionId=3", "", "GetObjectAcl" },
	{ "GET", O, "torrent&versionId=3", "", "InvalidArgument" },
	{ "GET", O, "uploadId=u", "", "ListParts" },
	{ "GET", O, "uploads", "", "MethodNotAllowed" },
	{ "GET", O, "policy", "", "MethodNotAllowed" },
	{ "GET", O, "location", "", "MethodNotAllowed" },
	{ "GET", O, "list-type=2", "", "GetObject" },
	{ "HEAD", O, "", "", "HeadObject" },
	{ "HEAD", O, "tagging", "", "MethodNotAllowed" },
	{ "PUT", O, "", "", "PutObject" },
	{ "PUT", O, "", "x-amz-copy-source: /b/k", "CopyObject" },
	{ "PUT", O, "acl", "x-amz-copy-source: /b/k", "PutObjectAcl" },
	{ "PUT", O, "versionId=1", "", "InvalidArgument" },
	{ "PUT", O, "partNumber=1&uploadId=u", "", "UploadPart" },
	{ "PUT", O, "partNumber=1&uploadId=u", "x-amz-copy-source: /b/k", "UploadPartCopy" },
	{ "PUT", O, "partNumber=1", "", "InvalidArgument" },
	{ "PUT", O, "uploadId=u", "", "MethodNotAllowed" },
	{ "PUT", O, "uploads", "", "MethodNotAllowed" },
	{ "PUT", O, "renameObject", "", "RenameObject" },
	{ "PUT", O, "website", "", "MethodNotAllowed" },
	{ "POST", O, "uploads", "", "CreateMultipartUpload" },
	{ "POST", O, "uploadId=u", "", "CompleteMultipartUpload" },
	{ "POST", O, "select&select-type=2", "", "SelectObjectContent" },
	{ "POST", O, "select", "", "MethodNotAllowed" },
	{ "POST", O, "", "", "MethodNotAllowed" },
	{ "DELETE", O, "", "", "DeleteObject" },
	{ "DELETE", O, "versionId=1", "", "DeleteObject" },
	{ "DELETE", O, "uploadId=u", "", "AbortMultipartUpload" },
	{ "DELETE", O, "tagging", "", "DeleteObjectTagging" },
	{ "DELETE", O, "acl", "", "MethodNotAllowed" },
	{ "DELETE", O, "retention", "", "MethodNotAllowed" },
	{ "PATCH", O, "", "", "MethodNotAllowed" },
	{ "get", O, "", "", "MethodNotAllowed" },
	{ "", O, "", "", "MethodNotAllowed" },
};

START_TEST(test_match_row)
{
	const struct row *r = &rows[_i];
	struct s3_query q = help_query(r->query);
	struct s3_headers hs = help_headers(r->headers);
	struct s3_match m = { span_of(r->method), r->level, &q, &hs };
	struct s3_problem pr = { 0 };
	enum s3_op op = OP_NONE;
	int rc = s3_operation_match(arena, &m, &op, &pr);
	const char *got = rc == 0 ? s3_operation_name(op) : help_code(&pr);

	ck_assert_msg(strcmp(got, r->want) == 0, "%s level %d ?%s: want %s, got %s", r->method, r->level,
	    r->query, r->want, got);
	if (rc != 0)
		ck_assert_int_eq(op, OP_NONE);
}
END_TEST

/* Two rows that ask for the same could both win. */
START_TEST(test_table_is_unambiguous)
{
	for (int i = 0; i < S3_OP_COUNT; i++)
		for (int j = 0; j < i; j++) {
			const struct s3_operation *a = s3_operation((enum s3_op)i), *b = s3_operation((enum s3_op)j);
			const char *qa = a->query == NULL ? "" : a->query, *qb = b->query == NULL ? "" : b->query;
			const char *ha = a->header == NULL ? "" : a->header, *hb = b->header == NULL ? "" : b->header;

			ck_assert_str_ne(a->name, b->name);
			ck_assert_msg(a->method != b->method || (a->levels & b->levels) == 0 ||
				strcmp(qa, qb) != 0 || strcmp(ha, hb) != 0,
			    "%s and %s ask for the same", a->name, b->name);
		}
}
END_TEST

/* Every row can be asked for, and is what then is found. */
START_TEST(test_every_row_is_reached)
{
	const struct s3_operation *o = s3_operation((enum s3_op)_i);
	struct s3_query q = help_query(o->query == NULL ? "" : o->query);
	struct s3_headers hs = help_headers(
	    o->header == NULL ? "" : arena_printf(arena, "%s: x", o->header));
	struct s3_problem pr = { 0 };
	enum s3_op op = OP_NONE;

	for (int level = S3_LEVEL_SERVICE; level <= S3_LEVEL_OBJECT; level <<= 1) {
		struct s3_match m = { span_of(s3_method_name(o->method)), (enum s3_level)level, &q, &hs };

		if ((o->levels & level) == 0)
			continue;
		ck_assert_int_eq(s3_operation_match(arena, &m, &op, &pr), 0);
		ck_assert_str_eq(s3_operation_name(op), o->name);
	}
	ck_assert_int_eq(s3_operation_by_name(span_of(o->name)), _i);
}
END_TEST

START_TEST(test_table_limits)
{
	ck_assert_int_le(S3_OP_COUNT, METRICS_OPS);
	ck_assert_ptr_null(s3_operation_name(S3_OP_COUNT));
	ck_assert_ptr_null(s3_operation_name(-1));
	ck_assert_int_eq(s3_operation_by_name(SPAN("GetObjekt")), OP_NONE);
	ck_assert(s3_operation_built(OP_GetObject));
	ck_assert(!s3_operation_built(OP_GetObjectTorrent));
}
END_TEST

START_TEST(test_problem_elements)
{
	struct s3_query q = help_query("policy&versionId=x");
	struct s3_headers none = { NULL, 0 };
	struct s3_match m = { SPAN("POST"), S3_LEVEL_BUCKET, &q, &none };
	struct s3_problem pr = { 0 };
	struct strbuf sb;
	enum s3_op op;

	ck_assert_int_eq(s3_operation_match(arena, &m, &op, &pr), -1);
	ck_assert_str_eq(help_code(&pr), "MethodNotAllowed");
	ck_assert_str_eq(help_extra(&pr, "Method"), "POST");
	ck_assert_str_eq(help_extra(&pr, "ResourceType"), "POLICY");
	strbuf_init(&sb, arena, 200);
	s3_operation_allow(&sb, &m);
	ck_assert_str_eq(strbuf_cstr(&sb), "GET, PUT, DELETE, OPTIONS");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("operations");
	TCase *t = tcase_create("match");

	tcase_add_checked_fixture(t, help_begin, help_end);
	tcase_add_loop_test(t, test_match_row, 0, ARRAY_LEN(rows));
	tcase_add_test(t, test_table_is_unambiguous);
	tcase_add_loop_test(t, test_every_row_is_reached, 0, S3_OP_COUNT);
	tcase_add_test(t, test_table_limits);
	tcase_add_test(t, test_problem_elements);
	suite_add_tcase(s, t);
	return suite_run(s);
}
