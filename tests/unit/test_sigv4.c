/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_sigv4.c - Signature Version 4: AWS's published examples for S3,
 * vectors made with botocore for keys that clients get wrong, every refusal, and
 * that what we sign verifies.
 */
#include "s3/sigv4.h"

#include <check.h>

#include "base/clock.h"
#include "s3/errors.h"
#include "tests/unit/suite_help.h"

#define S(n) (INT64_C(n) * US_PER_S)
#define AWS_NOW S(1369353600)  /* 2013-05-24T00:00:00Z */
#define NOW S(1764077400)      /* 2025-11-25T13:30:00Z */
#define AWS_SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define EMPTY "x-amz-content-sha256: " SIGV4_EMPTY_SHA256 "\n"

static const char *const domains[] = { "s3.amazonaws.com", "s3.example.com", NULL };

/* A request as text: "METHOD target\nname: value\n..." */
struct fixture {
	struct arena *a;
	struct s3_problem pr;
	struct s3_uri uri;
	struct s3_headers headers;
	struct s3_header h[32];
	struct sigv4_request rq;
	struct sigv4_auth auth;
};

static struct fixture fx;

static void
setup(void)
{
	memset(&fx, 0, sizeof(fx));
	fx.a = arena_new(1 << 20);
}

static void
teardown(void)
{
	arena_free(fx.a);
}

static void
load(const char *text)
{
	const char *p = text, *end = text + strcspn(text, "\n");
	const char *blank = memchr(p, ' ', (size_t)(end - p));

	ck_assert_ptr_nonnull(blank);
	s3_problem_clear(&fx.pr);
	fx.headers = (struct s3_headers){ fx.h, 0 };
	fx.rq.method = (struct span){ p, (size_t)(blank - p) };
	p = end;
	while (*p == '\n' && p[1] != '\0') {
		struct s3_header *h = &fx.h[fx.headers.n++];
		const char *colon;

		p++;
		end = p + strcspn(p, "\n");
		colon = memchr(p, ':', (size_t)(end - p));
		ck_assert_msg(colon != NULL, "\"%s\"", p);
		h->name = (struct span){ p, (size_t)(colon - p) };
		h->value = (struct span){ colon + 1, (size_t)(end - colon - 1) };
		if (h->value.len > 0 && h->value.p[0] == ' ') {
			h->value.p++;
			h->value.len--;
		}
		p = end;
	}
	ck_assert_msg(s3_uri_parse(fx.a, (struct span){ blank + 1, strcspn(blank + 1, "\n") },
	    s3_header_get(&fx.headers, "host"), domains, &fx.uri, &fx.pr) == 0, "%s", text);
	fx.rq.path = fx.uri.path;
	fx.rq.query = &fx.uri.query;
	fx.rq.headers = &fx.headers;
}

/* A request whose signer said these headers too. */
static void
load_with(const char *head, const struct s3_headers *more)
{
	struct strbuf sb;

	strbuf_init(&sb, fx.a, 4096);
	strbuf_str(&sb, head);
	for (size_t i = 0; i < more->n; i++)
		strbuf_printf(&sb, "%.*s: %.*s\n", (int)more->h[i].name.len, more->h[i].name.p, (int)more->h[i].value.len,
		    more->h[i].value.p);
	load(strbuf_cstr(&sb));
}

static int
parse(int64_t now_us)
{
	return sigv4_parse(fx.a, &fx.rq, now_us, &fx.auth, &fx.pr);
}

static int
verify(const char *secret)
{
	uint8_t key[SHA256_LEN];

	sigv4_signing_key(span_of(secret), fx.auth.day, fx.auth.region, fx.auth.service, key);
	return sigv4_verify(fx.a, &fx.rq, &fx.auth, key, &fx.pr);
}

static const char *
extra(const char *name)
{
	for (size_t i = 0; i < fx.pr.n_extra; i++)
		if (strcmp(fx.pr.extra[i].name, name) == 0)
			return arena_strndup(fx.a, fx.pr.extra[i].value.p, fx.pr.extra[i].value.len);
	return NULL;
}

static const char *
told(void)
{
	if (fx.pr.code == 0)
		return "no problem";
	return arena_printf(fx.a, "%s: %s\n%s", s3_error_find(fx.pr.code)->name,
	    fx.pr.message != NULL ? fx.pr.message : "-", extra("CanonicalRequest") != NULL ? extra("CanonicalRequest") : "");
}

/* --- AWS's examples --- */

#define AWS_CRED "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
#define AWS_HOST "host: examplebucket.s3.amazonaws.com\nx-amz-date: 20130524T000000Z\n"

static const struct {
	const char *name, *request;
} aws[] = {
	{ "GET object", "GET /test.txt\n" AWS_HOST EMPTY "range: bytes=0-9\n" AWS_CRED
	    "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
	    "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41\n" },
	{ "PUT object", "PUT /test%24file.text\n" AWS_HOST "date: Fri, 24 May 2013 00:00:00 GMT\n"
	    "x-amz-storage-class: REDUCED_REDUNDANCY\n"
	    "x-amz-content-sha256: 44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072\n" AWS_CRED
	    "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,"
	    "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd\n" },
	{ "PUT object, $ not encoded", "PUT /test$file.text\n" AWS_HOST "date: Fri, 24 May 2013 00:00:00 GMT\n"
	    "x-amz-storage-class: REDUCED_REDUNDANCY\n"
	    "x-amz-content-sha256: 44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072\n" AWS_CRED
	    "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,"
	    "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd\n" },
	{ "GET lifecycle", "GET /?lifecycle\n" AWS_HOST EMPTY AWS_CRED
	    "SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
	    "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543\n" },
	{ "list", "GET /?max-keys=2&prefix=J\n" AWS_HOST EMPTY AWS_CRED
	    "SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
	    "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7\n" },
	{ "list, other order and blanks", "GET /?prefix=%4a&max-keys=2\n" AWS_HOST EMPTY
	    "Authorization: AWS4-HMAC-SHA256   Signature = 34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7 ,"
	    " SignedHeaders=host;x-amz-content-sha256;x-amz-date,\t"
	    "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request \n" },
	{ "x-amz-date before date", "GET /?lifecycle\nhost: examplebucket.s3.amazonaws.com\n" EMPTY
	    "x-amz-date: 20130524T000000Z\ndate: Thu, 23 May 2013 00:00:00 GMT\n" AWS_CRED
	    "SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
	    "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543\n" },
	{ "presigned", "GET /test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
	    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
	    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
	    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404\n"
	    "host: examplebucket.s3.amazonaws.com\n" },
	{ "presigned, slashes not encoded", "GET /test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
	    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
	    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
	    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404\n"
	    "host: examplebucket.s3.amazonaws.com\n" },
	{ "seed of chunks", "PUT /examplebucket/chunkObject.txt\nhost: s3.amazonaws.com\nx-amz-date: 20130524T000000Z\n"
	    "x-amz-storage-class: REDUCED_REDUNDANCY\ncontent-encoding: aws-chunked\ncontent-length: 66824\n"
	    "x-amz-decoded-content-length: 66560\nx-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\n" AWS_CRED
	    "SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
	    "x-amz-decoded-content-length;x-amz-storage-class,"
	    "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9\n" },
	{ "seed of chunks with trailer", "PUT /examplebucket/chunkObject.txt\nhost: s3.amazonaws.com\n"
	    "x-amz-date: 20130524T000000Z\nx-amz-storage-class: REDUCED_REDUNDANCY\ncontent-encoding: aws-chunked\n"
	    "x-amz-decoded-content-length: 66560\nx-amz-trailer: x-amz-checksum-crc32c\n"
	    "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER\n" AWS_CRED
	    "SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;"
	    "x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,"
	    "Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e\n" },
};

START_TEST(test_aws_examples)
{
	load(aws[_i].request);
	ck_assert_msg(parse(AWS_NOW) == 0, "%s: %s", aws[_i].name, told());
	ck_assert_msg(verify(AWS_SECRET) == 0, "%s: %s", aws[_i].name, told());
	ck_assert(span_eq(fx.auth.key_id, SPAN("AKIAIOSFODNN7EXAMPLE")));
	ck_assert(span_eq(fx.auth.region, SPAN("us-east-1")));
	ck_assert_int_eq(fx.auth.time_us, AWS_NOW);
	/* Another secret, another method, another path: none verifies. */
	ck_assert_int_eq(verify(AWS_SECRET "x"), -1);
	ck_assert_int_eq(fx.pr.code, S3_SignatureDoesNotMatch);
	s3_problem_clear(&fx.pr);
	fx.rq.method = SPAN("POST");
	ck_assert_int_eq(verify(AWS_SECRET), -1);
	load(aws[_i].request);
	fx.rq.path = SPAN("/test.txu");
	ck_assert_int_eq(verify(AWS_SECRET), -1);
}
END_TEST

/* --- botocore 1.29: host b.s3.example.com:8080, region eu, key AKIDEXAMPLE --- */

static const struct {
	const char *line, *signed_headers, *signature, *more;
} boto[] = {
	{ "GET /a%20b", "host;x-amz-content-sha256;x-amz-date",
	    "81efc831b378fc99dffd9f3d881c20bd68f7256d3f171e78d0ed88a75d0fc49a", ""},
	{ "GET /a%2Bb", "host;x-amz-content-sha256;x-amz-date",
	    "e037f194da9c66da6c6c1d50e881afbd9b52b364094c1fa928e6c257a75ea7bd", ""},
	{ "GET /100%25", "host;x-amz-content-sha256;x-amz-date",
	    "6824c4ff617f364a6595551bdc4ab4b87b09686fbdf269c68a8b9577c7d646f5", ""},
	{ "GET /a%252Fb", "host;x-amz-content-sha256;x-amz-date",
	    "0516c36d98a67c4a1773d62f2ef6b445bd134336e79d17f0998f84831ca60831", ""},
	{ "GET ///x", "host;x-amz-content-sha256;x-amz-date",
	    "fe168a8bf2f245d50ddd411c4b9c532e794dbdeb60ce8b0d46abfeecba07fae6", ""},
	{ "GET /../a/./b", "host;x-amz-content-sha256;x-amz-date",
	    "1fd861b216a443601749ad4bf94df123aa03862386419229eff3cd7e453d9a40", ""},
	{ "GET //lead", "host;x-amz-content-sha256;x-amz-date",
	    "4b81d66cbc3781ffd351519db419469ebc8c5881c1478631dc4742bc0bd9fef0", ""},
	{ "GET /%22quotes%27", "host;x-amz-content-sha256;x-amz-date",
	    "c738afe62c8f1ebd06c586e61215fdc48cf59202e38dd4b4bb3c4e7be76d9246", ""},
	{ "GET /%3C%26%3E", "host;x-amz-content-sha256;x-amz-date",
	    "0ccf6506475dcd8d2bdfe92519f820cd1136769987f2103965975974d48b11f5", ""},
	{ "GET /%F0%9F%98%80", "host;x-amz-content-sha256;x-amz-date",
	    "482893b417306e2a88ca7efe0de43ba0a0f277095cc97048ad3594e1fe8084a6", ""},
	{ "GET /%C3%A9", "host;x-amz-content-sha256;x-amz-date",
	    "61b4af71793792befbe750f74238437bc562e33869a19219d77c7cf910d45579", ""},
	{ "GET /%28a%29%2A%21", "host;x-amz-content-sha256;x-amz-date",
	    "6df66391174ed6ed6118e60aecacd85518dd65935042d05163f01111601a452f", ""},
	{ "GET /a%3Db%26c%3Fd", "host;x-amz-content-sha256;x-amz-date",
	    "5113190f397c7433e23c3c37311a793ddc989141ea510b27d3844a9aa2398830", ""},
	{ "GET /~tilde", "host;x-amz-content-sha256;x-amz-date",
	    "c19f84a235cc163129a3689c6ce47bfb30ca480611448fa4b0e63913c97b63dc", ""},
	{ "GET /kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", "host;x-amz-content-sha256;x-amz-date",
	    "312ea05d87e83da1f4c789ed87e18a3d532335fc45775269755f53535875d9eb", ""},
	{ "GET /?list-type=2&prefix=a%20b%2Bc&delimiter=%2F&encoding-type=url&start-after=%C3%A9", "host;x-amz-content-sha256;x-amz-date",
	    "1f19ab2dafd831e0f54a0ad81ec39c63425a83b8984ef30f7d39fc42326c35c5", ""},
	{ "GET /?uploads", "host;x-amz-content-sha256;x-amz-date",
	    "c98abb3798cbd077b088664525d3445cb3586069e4ef026be6f230e691dc8b11", ""},
	{ "PUT /k?x-id=PutObject&a-b=1&a=2", "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-meta-b",
	    "669fc87e0d8748847aa2eec4ebf967b0f4e4afbb2b2b3726f2e0c4ebbc4b0def", "content-type: text/plain;  charset=utf-8\n" "x-amz-meta-a:   two   blanks \n" "x-amz-meta-b: 1, 2\n"},
	{ "DELETE /k?versionId=null", "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
	    "2d81ce482979acffd2b68e50be7bc4e08168f61555db317355fa2a21421f9dce", "x-amz-security-token: tok/en==\n"},
};

START_TEST(test_botocore)
{
	load(arena_printf(fx.a, "%s\nhost: b.s3.example.com:8080\nx-amz-date: 20251125T133000Z\n" EMPTY "%s"
	    "authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20251125/eu/s3/aws4_request, SignedHeaders=%s, Signature=%s\n",
	    boto[_i].line, boto[_i].more, boto[_i].signed_headers, boto[_i].signature));
	ck_assert_msg(parse(NOW) == 0, "%s: %s", boto[_i].line, told());
	ck_assert_msg(verify("secret/Key+1") == 0, "%s: %s", boto[_i].line, told());
}
END_TEST

static const struct {
	const char *line, *more;
} boto_presigned[] = {
	{ "GET /a%20b?X-Amz-Algorithm=AWS4-HMAC-SHA256"
	    "&X-Amz-Credential=AKIDEXAMPLE%2F20251125%2Feu%2Fs3%2Faws4_request&X-Amz-Date=20251125T133000Z&X-Amz-Expires=3600"
	    "&X-Amz-SignedHeaders=host&X-Amz-Signature=7ca1d77fe694a6eb62c8f8755d5d140da9f6d6bc970db1a2634845f1d7daf379",
	    "" },
	{ "GET /a%20b?response-content-type=text%2Fplain&versionId=x&X-Amz-Algorithm=AWS4-HMAC-SHA256"
	    "&X-Amz-Credential=AKIDEXAMPLE%2F20251125%2Feu%2Fs3%2Faws4_request&X-Amz-Date=20251125T133000Z&X-Amz-Expires=604800"
	    "&X-Amz-SignedHeaders=host&X-Amz-Security-Token=tok%2Fen%3D%3D&X-Amz-Signature=4dbe4dd0073fd7fd67e2de545fde42490a2f1b59447ece5ef3a3e76ce82f00ad",
	    "" },
	{ "PUT /a%2Bb?X-Amz-Algorithm=AWS4-HMAC-SHA256"
	    "&X-Amz-Credential=AKIDEXAMPLE%2F20251125%2Feu%2Fs3%2Faws4_request&X-Amz-Date=20251125T133000Z&X-Amz-Expires=60"
	    "&X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-meta-a&X-Amz-Signature=96d2f4ed0e63a40c7085fb0404335d210d0ce388e6c31c2cb8b0a527b0b7d771",
	    "content-type: text/x\nx-amz-meta-a: v\n" },
};

START_TEST(test_botocore_presigned)
{
	load(arena_printf(fx.a, "%s\nhost: b.s3.example.com:8080\n%s", boto_presigned[_i].line, boto_presigned[_i].more));
	ck_assert_msg(parse(NOW) == 0, "%s", told());
	ck_assert_msg(verify("secret/Key+1") == 0, "%s", told());
}
END_TEST

/* The same key, encoded in the ways that clients do: one signature. */
static const char *const equivalent[] = { "/a%20b~%2B%C3%A9", "/a%20b%7E%2b%c3%a9", "/a%20b~+\xC3\xA9", "/%61%20b~+%C3%A9" };

START_TEST(test_equivalent_encodings)
{
	struct s3_headers h, out;
	struct s3_header host = { SPAN("host"), SPAN("b.s3.example.com") };
	struct sigv4_signer by = { SPAN("AKID"), SPAN("s"), { NULL, 0 }, SPAN("eu"), SPAN("s3"), NOW };

	h = (struct s3_headers){ &host, 1 };
	load("GET /a%20b~%2B%C3%A9\nhost: b.s3.example.com\n");
	fx.rq.headers = &h;
	ck_assert_int_eq(sigv4_sign(fx.a, &fx.rq, &by, SPAN(SIGV4_EMPTY_SHA256), &out, NULL), 0);
	load_with(arena_printf(fx.a, "GET %s\nhost: b.s3.example.com\n", equivalent[_i]), &out);
	ck_assert_msg(parse(NOW) == 0, "%s", told());
	ck_assert_msg(verify("s") == 0, "%s: %s", equivalent[_i], told());
}
END_TEST

/* --- refusals --- */

#define CRED "Credential=AKID/20251125/eu/s3/aws4_request"
#define SIGNED "SignedHeaders=host;x-amz-content-sha256;x-amz-date"
#define SIG "Signature=0000000000000000000000000000000000000000000000000000000000000000"
#define HEAD "GET /k\nhost: b.s3.example.com\n"
#define DATE "x-amz-date: 20251125T133000Z\n"
#define AUTH(what) "authorization: " what "\n"
#define GOOD AUTH("AWS4-HMAC-SHA256 " CRED ", " SIGNED ", " SIG)
#define HDR(what) "The authorization header is malformed; " what
#define QRY(what) "Error parsing the X-Amz-Credential parameter; " what
#define PRE(alg, cred, date, exp, sh) \
	"GET /k?X-Amz-Algorithm=" alg "&X-Amz-Credential=" cred "&X-Amz-Date=" date "&X-Amz-Expires=" exp \
	"&X-Amz-SignedHeaders=" sh "&X-Amz-Signature=00\nhost: b.s3.example.com\n"
#define PCRED "AKID/20251125/eu/s3/aws4_request"
#define V4 "AWS4-HMAC-SHA256"
#define PDATE "20251125T133000Z"
#define NEEDS_SIX \
	"Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, " \
	"X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
#define ONLY_V4 "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."

static const struct {
	const char *name, *request;
	int code;
	const char *message; /* NULL: the code's own */
	const char *extra, *value;
} refused[] = {
	{ "no blank", HEAD DATE EMPTY AUTH("AWS4-HMAC-SHA256"), S3_InvalidArgument,
	    "Authorization header is invalid -- one and only one ' ' (space) required", "ArgumentName", "Authorization" },
	{ "empty", HEAD DATE EMPTY "authorization:\n", S3_InvalidArgument,
	    "Authorization header is invalid -- one and only one ' ' (space) required", NULL, NULL },
	{ "other scheme", HEAD DATE EMPTY AUTH("Basic dTpw"), S3_InvalidArgument, "Unsupported Authorization Type",
	    "ArgumentValue", "Basic dTpw" },
	{ "version 2", HEAD DATE EMPTY AUTH("AWS AKID:c2ln"), S3_InvalidRequest, ONLY_V4, NULL, NULL },
	{ "ECDSA", HEAD DATE EMPTY AUTH("AWS4-ECDSA-P256-SHA256 " CRED ", " SIGNED ", " SIG), S3_InvalidRequest, ONLY_V4, NULL, NULL },
	{ "version 2 in the query", "GET /k?AWSAccessKeyId=AKID&Expires=1&Signature=x\nhost: b.s3.example.com\n", S3_InvalidRequest,
	    ONLY_V4, NULL, NULL },
	{ "header and query", "GET /k?X-Amz-Signature=00\nhost: b.s3.example.com\n" DATE EMPTY GOOD, S3_InvalidArgument,
	    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
	    "Signature query string parameter or the Authorization header should be specified", NULL, NULL },
	{ "no credential", HEAD DATE EMPTY AUTH(V4 " " SIGNED ", " SIG), S3_AuthorizationHeaderMalformed,
	    HDR("missing Credential."), NULL, NULL },
	{ "no signed headers", HEAD DATE EMPTY AUTH(V4 " " CRED ", " SIG), S3_AuthorizationHeaderMalformed,
	    HDR("missing SignedHeaders."), NULL, NULL },
	{ "no signature", HEAD DATE EMPTY AUTH(V4 " " CRED ", " SIGNED), S3_AuthorizationHeaderMalformed,
	    HDR("missing Signature."), NULL, NULL },
	{ "empty signature", HEAD DATE EMPTY AUTH(V4 " " CRED ", " SIGNED ", Signature="), S3_AuthorizationHeaderMalformed,
	    HDR("missing Signature."), NULL, NULL },
	{ "no =", HEAD DATE EMPTY AUTH(V4 " " CRED ", SignedHeaders-x, " SIG), S3_AuthorizationHeaderMalformed,
	    HDR("the authorization component \"SignedHeaders-x\" is malformed."), NULL, NULL },
	{ "four parts", HEAD DATE EMPTY AUTH(V4 " Credential=AKID/20251125/eu/aws4_request, " SIGNED ", " SIG),
	    S3_AuthorizationHeaderMalformed,
	    HDR("the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."), NULL, NULL },
	{ "six parts", HEAD DATE EMPTY AUTH(V4 " Credential=AKID/20251125/eu/s3/aws4_request/x, " SIGNED ", " SIG),
	    S3_AuthorizationHeaderMalformed,
	    HDR("the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."), NULL, NULL },
	{ "no key id", HEAD DATE EMPTY AUTH(V4 " Credential=/20251125/eu/s3/aws4_request, " SIGNED ", " SIG),
	    S3_AuthorizationHeaderMalformed,
	    HDR("the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."), NULL, NULL },
	{ "service", HEAD DATE EMPTY AUTH(V4 " Credential=AKID/20251125/eu/ec2/aws4_request, " SIGNED ", " SIG),
	    S3_AuthorizationHeaderMalformed, HDR("incorrect service \"ec2\". This endpoint belongs to \"s3\"."), NULL, NULL },
	{ "terminal", HEAD DATE EMPTY AUTH(V4 " Credential=AKID/20251125/eu/s3/aws_request, " SIGNED ", " SIG),
	    S3_AuthorizationHeaderMalformed, HDR("incorrect terminal \"aws_request\". This endpoint uses \"aws4_request\"."), NULL, NULL },
	{ "date of scope", HEAD DATE EMPTY AUTH(V4 " Credential=AKID/2025112/eu/s3/aws4_request, " SIGNED ", " SIG),
	    S3_AuthorizationHeaderMalformed,
	    HDR("incorrect date format \"2025112\". This date in the credential must be in the format \"yyyyMMdd\"."), NULL, NULL },
	{ "days differ", HEAD DATE EMPTY AUTH(V4 " Credential=AKID/20251124/eu/s3/aws4_request, " SIGNED ", " SIG),
	    S3_AuthorizationHeaderMalformed,
	    HDR("Invalid credential date \"20251124\". This date is not the same as X-Amz-Date: \"20251125\"."), NULL, NULL },
	{ "no date", HEAD EMPTY GOOD, S3_AccessDenied, "AWS authentication requires a valid Date or x-amz-date header", NULL, NULL },
	{ "bad date", HEAD "x-amz-date: 2025\ndate: 20251125T133000Z\n" EMPTY GOOD, S3_AccessDenied,
	    "AWS authentication requires a valid Date or x-amz-date header", NULL, NULL },
	{ "too late", HEAD "x-amz-date: 20251125T131459Z\n" EMPTY GOOD, S3_RequestTimeTooSkewed, NULL, "RequestTime", "20251125T131459Z" },
	{ "too early", HEAD "x-amz-date: 20251125T134501Z\n" EMPTY GOOD, S3_RequestTimeTooSkewed, NULL, "ServerTime", "2025-11-25T13:30:00Z" },
	{ "skew named", HEAD "date: Tue, 25 Nov 2025 13:00:00 GMT\n" EMPTY GOOD, S3_RequestTimeTooSkewed, NULL,
	    "MaxAllowedSkewMilliseconds", "900000" },
	{ "no payload hash", HEAD DATE GOOD, S3_InvalidRequest, "Missing required header for this request: x-amz-content-sha256", NULL, NULL },
	{ "payload hash", HEAD DATE "x-amz-content-sha256: abc\n" GOOD, S3_InvalidArgument,
	    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
	    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
	    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER "
	    "or a valid sha256 value.", "ArgumentValue", "abc" },
	{ "ECDSA chunks", HEAD DATE "x-amz-content-sha256: STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD\n" GOOD, S3_NotImplemented,
	    "The chunk encoding algorithm STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD is not supported.", NULL, NULL },
	{ "ECDSA chunks with trailer", HEAD DATE "x-amz-content-sha256: STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER\n" GOOD,
	    S3_NotImplemented,
	    "The chunk encoding algorithm STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER is not supported.", NULL, NULL },
	{ "host unsigned", HEAD DATE EMPTY AUTH(V4 " " CRED ", SignedHeaders=x-amz-date, " SIG), S3_AccessDenied,
	    "There were headers present in the request which were not signed", "HeadersNotSigned", "host" },
	{ "x-amz-* unsigned", HEAD DATE EMPTY "x-amz-meta-a: 1\nx-custom: 2\nX-Amz-Acl: private\n" GOOD, S3_AccessDenied,
	    "There were headers present in the request which were not signed", "HeadersNotSigned", "x-amz-meta-a, X-Amz-Acl" },
	{ "anonymous signed chunks", HEAD "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\n", S3_InvalidRequest,
	    "Anonymous requests don't support this x-amz-content-sha256 value. "
	    "Please use UNSIGNED-PAYLOAD or STREAMING-UNSIGNED-PAYLOAD-TRAILER.", NULL, NULL },
	{ "presigned: only a signature", "GET /k?X-Amz-Signature=00\nhost: b.s3.example.com\n", S3_AuthorizationQueryParametersError,
	    NEEDS_SIX, NULL, NULL },
	{ "presigned: no expiry", "GET /k?X-Amz-Algorithm=" V4 "&X-Amz-Credential=" PCRED "&X-Amz-Date=" PDATE
	    "&X-Amz-SignedHeaders=host&X-Amz-Signature=00\nhost: b.s3.example.com\n", S3_AuthorizationQueryParametersError,
	    NEEDS_SIX, NULL, NULL },
	{ "presigned: algorithm", PRE("AWS4-ECDSA-P256-SHA256", PCRED, PDATE, "60", "host"), S3_AuthorizationQueryParametersError,
	    "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"", NULL, NULL },
	{ "presigned: credential", PRE(V4, "AKID", PDATE, "60", "host"), S3_AuthorizationQueryParametersError,
	    QRY("the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."), NULL, NULL },
	{ "presigned: service", PRE(V4, "AKID/20251125/eu/sts/aws4_request", PDATE, "60", "host"), S3_AuthorizationQueryParametersError,
	    QRY("incorrect service \"sts\". This endpoint belongs to \"s3\"."), NULL, NULL },
	{ "presigned: date", PRE(V4, PCRED, "2025", "60", "host"), S3_AuthorizationQueryParametersError,
	    "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"", NULL, NULL },
	{ "presigned: days differ", PRE(V4, "AKID/20251124/eu/s3/aws4_request", PDATE, "60", "host"),
	    S3_AuthorizationQueryParametersError,
	    "Invalid credential date \"20251124\". This date is not the same as X-Amz-Date: \"20251125\".", NULL, NULL },
	{ "presigned: expires text", PRE(V4, PCRED, PDATE, "6x", "host"), S3_AuthorizationQueryParametersError,
	    "X-Amz-Expires should be a number", NULL, NULL },
	{ "presigned: expires -", PRE(V4, PCRED, PDATE, "-", "host"), S3_AuthorizationQueryParametersError,
	    "X-Amz-Expires should be a number", NULL, NULL },
	{ "presigned: expires negative", PRE(V4, PCRED, PDATE, "-1", "host"), S3_AuthorizationQueryParametersError,
	    "X-Amz-Expires must be non-negative", NULL, NULL },
	{ "presigned: expires long", PRE(V4, PCRED, PDATE, "604801", "host"), S3_AuthorizationQueryParametersError,
	    "X-Amz-Expires must be less than a week (in seconds); "
	    "that is, the given X-Amz-Expires must be less than 604800 seconds", NULL, NULL },
	{ "presigned: expires huge", PRE(V4, PCRED, PDATE, "99999999999999999999", "host"), S3_AuthorizationQueryParametersError,
	    "X-Amz-Expires must be less than a week (in seconds); "
	    "that is, the given X-Amz-Expires must be less than 604800 seconds", NULL, NULL },
	{ "presigned: expired", PRE(V4, PCRED, "20251125T132859Z", "60", "host"), S3_AccessDenied, "Request has expired",
	    "Expires", "2025-11-25T13:29:59Z" },
	{ "presigned: expired, named", PRE(V4, PCRED, "20251125T132859Z", "60", "host"), S3_AccessDenied, "Request has expired",
	    "X-Amz-Expires", "60" },
	{ "presigned: not yet", PRE(V4, PCRED, "20251125T134501Z", "60", "host"), S3_AccessDenied, "Request is not valid yet", NULL, NULL },
	{ "presigned: host unsigned", PRE(V4, PCRED, PDATE, "60", "range"), S3_AccessDenied,
	    "There were headers present in the request which were not signed", "HeadersNotSigned", "host" },
	{ "presigned: x-amz-* unsigned", PRE(V4, PCRED, PDATE, "60", "host") "x-amz-acl: public-read\n", S3_AccessDenied,
	    "There were headers present in the request which were not signed", "HeadersNotSigned", "x-amz-acl" },
	{ "presigned: payload", PRE(V4, PCRED, PDATE, "60", "host") "x-amz-content-sha256: abc\n", S3_InvalidArgument, "*", NULL, NULL },
};

START_TEST(test_refused)
{
	const char *name = refused[_i].name, *message = refused[_i].message;

	load(refused[_i].request);
	ck_assert_msg(parse(NOW) == -1, "%s: taken", name);
	ck_assert_msg(fx.pr.code == refused[_i].code, "%s: %s", name, told());
	if (message == NULL)
		ck_assert_msg(fx.pr.message == NULL, "%s: %s", name, told());
	else if (strcmp(message, "*") != 0)
		ck_assert_msg(fx.pr.message != NULL && strcmp(fx.pr.message, message) == 0, "%s: %s", name, told());
	if (refused[_i].extra != NULL) {
		const char *v = extra(refused[_i].extra);

		ck_assert_msg(v != NULL && strcmp(v, refused[_i].value) == 0, "%s: %s is \"%s\"", name, refused[_i].extra,
		    v != NULL ? v : "not there");
	}
}
END_TEST

/* --- what is taken --- */

static const struct {
	const char *name, *request;
	enum sigv4_form form;
	enum sigv4_payload payload;
	const char *hash;
} taken[] = {
	{ "anonymous", HEAD, SIGV4_ANONYMOUS, PAYLOAD_NONE, "" },
	{ "anonymous, hashed", HEAD EMPTY, SIGV4_ANONYMOUS, PAYLOAD_HASHED, SIGV4_EMPTY_SHA256 },
	{ "anonymous, chunks", HEAD "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\n", SIGV4_ANONYMOUS,
	    PAYLOAD_STREAM_UNSIGNED_TRAILER, "STREAMING-UNSIGNED-PAYLOAD-TRAILER" },
	{ "15 minutes late", HEAD "x-amz-date: 20251125T131500Z\n" EMPTY GOOD, SIGV4_HEADER, PAYLOAD_HASHED, SIGV4_EMPTY_SHA256 },
	{ "15 minutes early", HEAD "x-amz-date: 20251125T134500Z\n" EMPTY GOOD, SIGV4_HEADER, PAYLOAD_HASHED, SIGV4_EMPTY_SHA256 },
	{ "Date alone", HEAD "date: Tue, 25 Nov 2025 13:30:00 GMT\n" EMPTY GOOD, SIGV4_HEADER, PAYLOAD_HASHED, SIGV4_EMPTY_SHA256 },
	{ "Date alone, basic", HEAD "date: 20251125T133000Z\n" EMPTY GOOD, SIGV4_HEADER, PAYLOAD_HASHED, SIGV4_EMPTY_SHA256 },
	{ "unsigned", HEAD DATE "x-amz-content-sha256: UNSIGNED-PAYLOAD\n" GOOD, SIGV4_HEADER, PAYLOAD_UNSIGNED, "UNSIGNED-PAYLOAD" },
	{ "trailer", HEAD DATE "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER\n" GOOD, SIGV4_HEADER,
	    PAYLOAD_STREAM_SIGNED_TRAILER, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" },
	{ "CloudFront's id", HEAD DATE EMPTY "x-amz-cf-id: x\nx-amzn-trace-id: y\n" GOOD, SIGV4_HEADER, PAYLOAD_HASHED, SIGV4_EMPTY_SHA256 },
	{ "folded name", HEAD DATE EMPTY "x-amz-meta-a-b: x\n" AUTH(V4 " " CRED ", " SIGNED ";x-amz-meta-a_b, " SIG), SIGV4_HEADER,
	    PAYLOAD_HASHED, SIGV4_EMPTY_SHA256 },
	{ "presigned", PRE(V4, PCRED, PDATE, "604800", "host"), SIGV4_PRESIGNED, PAYLOAD_NONE, "UNSIGNED-PAYLOAD" },
	{ "presigned, last second", PRE(V4, PCRED, "20251125T132900Z", "60", "host"), SIGV4_PRESIGNED, PAYLOAD_NONE, "UNSIGNED-PAYLOAD" },
	{ "presigned, 0", PRE(V4, PCRED, PDATE, "0", "host"), SIGV4_PRESIGNED, PAYLOAD_NONE, "UNSIGNED-PAYLOAD" },
	{ "presigned, unsigned hash", PRE(V4, PCRED, PDATE, "60", "host") EMPTY, SIGV4_PRESIGNED, PAYLOAD_HASHED, "UNSIGNED-PAYLOAD" },
	{ "presigned, signed hash", PRE(V4, PCRED, PDATE, "60", "host;x-amz-content-sha256") EMPTY, SIGV4_PRESIGNED, PAYLOAD_HASHED,
	    SIGV4_EMPTY_SHA256 },
	{ "presigned, hash in the query", PRE(V4, PCRED, PDATE, "60", "host&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD"), SIGV4_PRESIGNED,
	    PAYLOAD_UNSIGNED, "UNSIGNED-PAYLOAD" },
};

START_TEST(test_taken)
{
	load(taken[_i].request);
	ck_assert_msg(parse(NOW) == 0, "%s: %s", taken[_i].name, told());
	ck_assert_msg(fx.auth.form == taken[_i].form && fx.auth.payload == taken[_i].payload, "%s: form %d payload %d",
	    taken[_i].name, (int)fx.auth.form, (int)fx.auth.payload);
	ck_assert_msg(span_eq(fx.auth.payload_hash, span_of(taken[_i].hash)), "%s", taken[_i].name);
}
END_TEST

START_TEST(test_mismatch_is_explained)
{
	const char *text;

	load(HEAD DATE EMPTY GOOD);
	ck_assert_int_eq(parse(NOW), 0);
	ck_assert_int_eq(verify("s"), -1);
	ck_assert_int_eq(fx.pr.code, S3_SignatureDoesNotMatch);
	ck_assert_str_eq(extra("AWSAccessKeyId"), "AKID");
	ck_assert_str_eq(extra("SignatureProvided"), SIG + strlen("Signature="));
	ck_assert_str_eq(extra("CanonicalRequest"), "GET\n/k\n\nhost:b.s3.example.com\nx-amz-content-sha256:" SIGV4_EMPTY_SHA256
	    "\nx-amz-date:20251125T133000Z\n\nhost;x-amz-content-sha256;x-amz-date\n" SIGV4_EMPTY_SHA256);
	text = extra("StringToSign");
	ck_assert_msg(strncmp(text, "AWS4-HMAC-SHA256\n20251125T133000Z\n20251125/eu/s3/aws4_request\n", 62) == 0, "%s", text);
	ck_assert_msg(strncmp(extra("StringToSignBytes"), "41 57 53 34 2d", 14) == 0, "%s", extra("StringToSignBytes"));
	ck_assert_uint_eq(strlen(extra("CanonicalRequestBytes")), 3 * strlen(extra("CanonicalRequest")) - 1);
}
END_TEST

START_TEST(test_region)
{
	const char *const allowed[] = { "eu", NULL, "us-east-1" };

	load(HEAD DATE EMPTY GOOD);
	ck_assert_int_eq(parse(NOW), 0);
	ck_assert_int_eq(sigv4_check_region(fx.a, &fx.auth, allowed, 3, "eu", &fx.pr), 0);
	fx.auth.region = SPAN("us-east-1");
	ck_assert_int_eq(sigv4_check_region(fx.a, &fx.auth, allowed, 3, "eu", &fx.pr), 0);
	fx.auth.region = SPAN("us");
	ck_assert_int_eq(sigv4_check_region(fx.a, &fx.auth, allowed, 3, "eu", &fx.pr), -1);
	ck_assert_int_eq(fx.pr.code, S3_AuthorizationHeaderMalformed);
	ck_assert_str_eq(fx.pr.message, HDR("the region 'us' is wrong; expecting 'eu'"));
	ck_assert_str_eq(extra("Region"), "eu");
	s3_problem_clear(&fx.pr);
	fx.auth.form = SIGV4_PRESIGNED;
	ck_assert_int_eq(sigv4_check_region(fx.a, &fx.auth, allowed, 3, "eu", &fx.pr), -1);
	ck_assert_int_eq(fx.pr.code, S3_AuthorizationQueryParametersError);
	ck_assert_str_eq(fx.pr.message, QRY("the region 'us' is wrong; expecting 'eu'"));
}
END_TEST

/* A web server keeps Expect and an empty body's Content-Length to itself. */
START_TEST(test_headers_that_servers_keep)
{
	struct s3_header h[] = { { SPAN("content-length"), SPAN("0") }, { SPAN("expect"), SPAN("100-continue") },
		{ SPAN("host"), SPAN("b.s3.example.com") }, { SPAN("x-empty"), SPAN("") } };
	struct s3_headers all = { h, ARRAY_LEN(h) };
	struct s3_headers out;
	struct sigv4_signer by = { SPAN("AKID"), SPAN("s"), { NULL, 0 }, SPAN("eu"), SPAN("s3"), NOW };
	struct sigv4_auth au;

	load("PUT /k\nhost: b.s3.example.com\n");
	fx.rq.headers = &all;
	ck_assert_int_eq(sigv4_sign(fx.a, &fx.rq, &by, SPAN(SIGV4_EMPTY_SHA256), &out, &au), 0);
	/* Expect is not signed by us; sign it as such clients do. */
	ck_assert_ptr_null(strstr(au.signed_headers.p, "expect"));
	load_with("PUT /k\nhost: b.s3.example.com\n", &out);
	ck_assert_msg(parse(NOW) == 0, "%s", told());
	ck_assert_msg(verify("s") == 0, "%s", told());
}
END_TEST

/* AWS's endpoints have no port: clients sign the bare name and send the port. Nothing else is let through. */
static const struct {
	const char *signs, *sends;
	int want;
} ports[] = {
	{ "b.s3.example.com", "b.s3.example.com:8080", 0 },
	{ "[::1]", "[::1]:8080", 0 },
	{ "b.s3.example.com:8080", "b.s3.example.com:8080", 0 },
	{ "b.s3.example.com:8081", "b.s3.example.com:8080", -1 },
	{ "b.s3.example.com:80", "b.s3.example.com", -1 },
	{ "b.s3.example.org", "b.s3.example.com:8080", -1 },
	{ "[:", "[::1]", -1 },
	{ "b.s3.example.com", "b.s3.example.com:", -1 },
};

START_TEST(test_host_without_port)
{
	struct s3_header host = { SPAN("host"), span_of(ports[_i].signs) };
	struct s3_headers h = { &host, 1 }, out;
	struct sigv4_signer by = { SPAN("AKID"), SPAN("s"), { NULL, 0 }, SPAN("eu"), SPAN("s3"), NOW };
	const char *head = arena_printf(fx.a, "GET /k\nhost: %s\n", ports[_i].sends);

	load(head);
	fx.rq.headers = &h;
	ck_assert_int_eq(sigv4_sign(fx.a, &fx.rq, &by, SPAN(SIGV4_EMPTY_SHA256), &out, NULL), 0);
	load_with(head, &out);
	ck_assert_msg(parse(NOW) == 0, "%s", told());
	ck_assert_msg(verify("s") == ports[_i].want, "signed %s, sent %s", ports[_i].signs, ports[_i].sends);
	if (ports[_i].want != 0) /* what is explained is the request as it came */
		ck_assert_ptr_nonnull(strstr(extra("CanonicalRequest"), arena_printf(fx.a, "host:%s\n", ports[_i].sends)));
}
END_TEST

/* --- signing and signing again --- */

START_TEST(test_sign_verifies)
{
	struct sigv4_signer by = { SPAN("AKID"), SPAN("secret"), SPAN("tok/en=="), SPAN("us"), SPAN("s3"), NOW + 123 };
	struct s3_headers out;
	struct sigv4_auth au;
	struct strbuf sb;

	load("PUT /b/%25%20x?partNumber=1&uploadId=%2B/\n"
	    "host: localhost:1\nuser-agent: x\nx-amz-meta-q: a  b\ncontent-type: text/plain\n");
	ck_assert_int_eq(sigv4_sign(fx.a, &fx.rq, &by, SPAN("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), &out, &au), 0);
	ck_assert_int_eq(au.payload, PAYLOAD_STREAM_SIGNED);
	strbuf_init(&sb, fx.a, 8192);
	strbuf_printf(&sb, "PUT /b/%%25%%20x?uploadId=%%2B%%2F&partNumber=1\nhost: localhost:1\nuser-agent: proxy\n"
	    "x-amz-meta-q: a  b\ncontent-type: text/plain\n");
	for (size_t i = 0; i < out.n; i++)
		strbuf_printf(&sb, "%.*s: %.*s\n", (int)out.h[i].name.len, out.h[i].name.p, (int)out.h[i].value.len,
		    out.h[i].value.p);
	load(strbuf_cstr(&sb));
	ck_assert_msg(parse(NOW) == 0, "%s", told());
	ck_assert_msg(verify("secret") == 0, "%s", told());
	ck_assert(span_eq(fx.auth.token, SPAN("tok/en==")));
	ck_assert(span_eq(fx.auth.signature, au.signature));
}
END_TEST

static void
load_url(const char *method, const char *url, const char *host, const char *more)
{
	const char *path = strchr(strstr(url, "://") + 3, '/');

	load(arena_printf(fx.a, "%s %s\nhost: %s\n%s", method, path, host, more));
}

START_TEST(test_presign_verifies)
{
	struct sigv4_signer by = { SPAN("AKID"), SPAN("secret"), SPAN("tok"), SPAN("eu"), SPAN("s3"), NOW };
	const char *url;

	load("GET /a%20b/%C3%A9?versionId=1&response-content-type=a/b&X-Amz-Expires=1&X-Amz-Signature=old\n"
	    "host: b.s3.example.com\n");
	url = sigv4_presign(fx.a, &fx.rq, &by, "https://b.s3.example.com", 300);
	ck_assert_ptr_nonnull(url);
	ck_assert_msg(strncmp(url, "https://b.s3.example.com/a%20b/%C3%A9?X-Amz-Algorithm=", 53) == 0, "%s", url);
	load_url("GET", url, "b.s3.example.com", "");
	ck_assert_msg(parse(NOW + S(300)) == 0, "%s", told());
	ck_assert_msg(verify("secret") == 0, "%s", told());
	ck_assert(span_eq(s3_query_get(&fx.uri.query, "versionId"), SPAN("1")));
	ck_assert_int_eq(fx.auth.expires_s, 300);
	ck_assert_int_eq(parse(NOW + S(301)), -1);
}
END_TEST

START_TEST(test_presign_again)
{
	struct sigv4_signer by = { SPAN("AKID"), SPAN("secret"), { NULL, 0 }, SPAN("eu"), SPAN("s3"), NOW };
	struct sigv4_signer again;
	const char *url;

	load("PUT /k%20x?partNumber=1&uploadId=u\nhost: b.s3.example.com\ncontent-type: text/x\nx-amz-meta-a: v\n");
	url = sigv4_presign(fx.a, &fx.rq, &by, "http://b.s3.example.com", 300);
	load_url("PUT", url, "b.s3.example.com", "content-type: text/x\nx-amz-meta-a: v\n");
	ck_assert_msg(parse(NOW + S(100)) == 0 && verify("secret") == 0, "%s", told());
	again = by;
	again.region = SPAN("us");
	again.now_us = NOW + S(100);
	url = sigv4_presign_again(fx.a, &fx.rq, &fx.auth, &again, "https://us.example.org:8443", SPAN("/b/k x"));
	ck_assert_ptr_nonnull(url);
	ck_assert_msg(strncmp(url, "https://us.example.org:8443/b/k%20x?", 36) == 0, "%s", url);
	load_url("PUT", url, "us.example.org:8443", "content-type: text/x\nx-amz-meta-a: v\n");
	ck_assert_msg(parse(NOW + S(100)) == 0, "%s", told());
	ck_assert_msg(verify("secret") == 0, "%s", told());
	ck_assert_int_eq(fx.auth.expires_s, 200);
	ck_assert(span_eq(fx.auth.region, SPAN("us")));
	ck_assert(span_eq(s3_query_get(&fx.uri.query, "uploadId"), SPAN("u")));
	/* The signed header is still bound. */
	load_url("PUT", url, "us.example.org:8443", "content-type: text/y\nx-amz-meta-a: v\n");
	ck_assert_int_eq(parse(NOW + S(100)), 0);
	ck_assert_int_eq(verify("secret"), -1);
}
END_TEST

START_TEST(test_arena_too_small)
{
	struct sigv4_signer by = { SPAN("AKID"), SPAN("secret"), { NULL, 0 }, SPAN("eu"), SPAN("s3"), NOW };
	struct s3_headers out;
	uint8_t key[SHA256_LEN] = { 0 };

	load(HEAD DATE EMPTY GOOD);
	ck_assert_int_eq(parse(NOW), 0);
	for (size_t cap = 0; cap < 4096; cap += 64) {
		struct arena *tiny = arena_new(cap);

		s3_problem_clear(&fx.pr);
		ck_assert_int_eq(sigv4_verify(tiny, &fx.rq, &fx.auth, key, &fx.pr), -1);
		ck_assert(fx.pr.code == S3_RequestHeaderSectionTooLarge || fx.pr.code == S3_SignatureDoesNotMatch);
		(void)!sigv4_sign(tiny, &fx.rq, &by, SPAN(SIGV4_EMPTY_SHA256), &out, NULL);
		(void)sigv4_presign(tiny, &fx.rq, &by, "http://x", 1);
		arena_free(tiny);
	}
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct arena *tiny = arena_new(0);

		load(refused[i].request);
		ck_assert_int_eq(sigv4_parse(tiny, &fx.rq, NOW, &fx.auth, &fx.pr), -1);
		ck_assert_int_ne(fx.pr.code, 0);
		arena_free(tiny);
	}
}
END_TEST

static Suite *
sigv4_suite(void)
{
	Suite *s = suite_create("sigv4");
	TCase *t = tcase_create("sigv4");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_aws_examples, 0, (int)ARRAY_LEN(aws));
	tcase_add_loop_test(t, test_botocore, 0, (int)ARRAY_LEN(boto));
	tcase_add_loop_test(t, test_botocore_presigned, 0, (int)ARRAY_LEN(boto_presigned));
	tcase_add_loop_test(t, test_equivalent_encodings, 0, (int)ARRAY_LEN(equivalent));
	tcase_add_loop_test(t, test_refused, 0, (int)ARRAY_LEN(refused));
	tcase_add_loop_test(t, test_taken, 0, (int)ARRAY_LEN(taken));
	tcase_add_test(t, test_mismatch_is_explained);
	tcase_add_test(t, test_region);
	tcase_add_test(t, test_headers_that_servers_keep);
	tcase_add_loop_test(t, test_host_without_port, 0, (int)ARRAY_LEN(ports));
	tcase_add_test(t, test_sign_verifies);
	tcase_add_test(t, test_presign_verifies);
	tcase_add_test(t, test_presign_again);
	tcase_add_test(t, test_arena_too_small);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return suite_run(sigv4_suite());
}
