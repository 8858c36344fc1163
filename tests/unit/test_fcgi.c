/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_fcgi.c - fcgi/: requests from CGI variables, the verified body,
 * the header block. No web server, no database: the CGI transport over files.
 */
#include "base/clock.h"
#include "base/parse.h"
#include "fcgi/body.h"
#include "fcgi/http_cgi.h"
#include "fcgi/req.h"
#include "fcgi/respond.h"
#include "fcgi/signing_keys.h"
#include "fcgi/worker.h"
#include "routing/hop.h"
#include "tests/unit/suite_help.h"

#include <check.h>

#define ENV_MAX 320
#define BUF_BYTES 4096

/* What a test of one request needs. */
struct bench {
	struct settings settings;
	struct worker worker;
	struct thread thread;
	struct http_cgi cgi;
	struct req req;
	struct identity who;
	char *env[ENV_MAX + 1];
	size_t n_env;
	FILE *in, *out;
	uint8_t buf[BUF_BYTES];
};

static const char *const domains[] = { "s3.eu.example.com", NULL };

static void
bench_init(struct bench *b)
{
	*b = (struct bench){ 0 };
	b->settings.region = "eu";
	b->settings.url_scheme = "http";
	b->settings.domains = domains;
	memset(b->settings.cluster_secret, 7, sizeof(b->settings.cluster_secret));
	memcpy(b->worker.host_id, "aG9zdA==", 9);
	b->thread = (struct thread){ .worker = &b->worker, .settings = &b->settings, .arena = arena_new(4 << 20),
		.buf = b->buf, .buf_size = sizeof(b->buf) };
	b->in = tmpfile();
	b->out = tmpfile();
	ck_assert(b->in != NULL && b->out != NULL);
}

static void
bench_free(struct bench *b)
{
	arena_free(b->thread.arena);
	(void)fclose(b->in);
	(void)fclose(b->out);
}

static void
env_add(struct bench *b, const char *name, const char *value)
{
	ck_assert(b->n_env < ENV_MAX);
	b->env[b->n_env++] = arena_printf(b->thread.arena, "%s=%s", name, value);
}

static void
env_request(struct bench *b, const char *method, const char *target)
{
	env_add(b, "REQUEST_METHOD", method);
	env_add(b, "REQUEST_URI", target);
	env_add(b, "REMOTE_ADDR", "192.0.2.7");
	env_add(b, "HTTP_HOST", "127.0.0.1:8000");
}

static void
body_set(struct bench *b, const void *p, size_t len)
{
	ck_assert_uint_eq(fwrite(p, 1, len, b->in), len);
	(void)fflush(b->in);
	(void)fseek(b->in, 0, SEEK_SET);
}

static int
parse(struct bench *b)
{
	http_cgi_init(&b->cgi, b->env, fileno(b->in), fileno(b->out));
	b->req = (struct req){ .thread = &b->thread, .arena = b->thread.arena, .http = &b->cgi.http,
		.id = "0123456789ABCDEF", .now_us = INT64_C(1764080000000000) };
	return req_read(&b->req) != 0 || req_name(&b->req) != 0 ? -1 : 0;
}

static const char *
code_name(const struct req *r)
{
	return r->err.code == 0 ? "" : s3_error_find(r->err.code)->name;
}

/* ---- requests ---- */

static const struct {
	const char *method, *target, *host, *bucket, *key, *op, *code;
} parse_rows[] = {
	{ "GET", "/", "h", "", "", "ListBuckets", "" },
	{ "GET", "/b1", "h", "b1", "", "ListObjects", "" },
	{ "GET", "/b1/?list-type=2", "h", "b1", "", "ListObjectsV2", "" },
	{ "PUT", "/b1/", "h", "b1", "", "CreateBucket", "" },
	{ "HEAD", "/b1", "h", "b1", "", "HeadBucket", "" },
	{ "PUT", "/b1/a%20b%2Fc//d/../e", "h", "b1", "a b/c//d/../e", "PutObject", "" },
	{ "GET", "/b1/a+b?versionId=null", "h", "b1", "a+b", "GetObject", "" },
	{ "DELETE", "/k", "bb.s3.eu.example.com", "bb", "k", "DeleteObject", "" },
	{ "GET", "/", "bb.s3.eu.example.com:8443", "bb", "", "ListObjects", "" },
	{ "GET", "/b1/k", "s3.eu.example.com", "b1", "k", "GetObject", "" },
	{ "GET", "/b1/%zz", "h", "", "", "", "InvalidURI" },
	{ "GET", "/b1?acl", "h", "b1", "", "GetBucketAcl", "" },
	{ "GET", "/b1?nosuchthing", "h", "b1", "", "", "NotImplemented" },
	{ "BREW", "/b1/k", "h", "b1", "k", "", "MethodNotAllowed" },
};

START_TEST(test_req_parse_rows)
{
	struct bench b;
	int rc;

	bench_init(&b);
	env_add(&b, "REQUEST_METHOD", parse_rows[_i].method);
	env_add(&b, "REQUEST_URI", parse_rows[_i].target);
	env_add(&b, "HTTP_HOST", parse_rows[_i].host);
	/* decoded and normalised by web servers; must not matter */
	env_add(&b, "PATH_INFO", "/elsewhere");
	env_add(&b, "SCRIPT_NAME", "/elsewhere");
	rc = parse(&b);
	ck_assert_msg(rc == (parse_rows[_i].code[0] == '\0' ? 0 : -1), "row %d: %s: %s", _i, parse_rows[_i].target,
	    code_name(&b.req));
	ck_assert_str_eq(code_name(&b.req), parse_rows[_i].code);
	ck_assert_str_eq(b.req.bucket_name == NULL ? "" : b.req.bucket_name, parse_rows[_i].bucket);
	ck_assert(span_eq(b.req.key, span_of(parse_rows[_i].key)));
	ck_assert_str_eq(b.req.op == OP_NONE ? "" : s3_operation_name((int)b.req.op), parse_rows[_i].op);
	bench_free(&b);
}
END_TEST

START_TEST(test_req_headers)
{
	struct bench b;

	bench_init(&b);
	env_request(&b, "PUT", "/b/k");
	env_add(&b, "HTTP_X_AMZ_META_SOME_NAME", "  two  words ");
	env_add(&b, "CONTENT_TYPE", "text/plain");
	env_add(&b, "CONTENT_LENGTH", "12");
	env_add(&b, "HTTP_CONTENT_LENGTH", "12");
	env_add(&b, "HTTPS", "on");
	ck_assert_int_eq(parse(&b), 0);
	ck_assert(span_eq(req_header(&b.req, "x-amz-meta-some-name"), SPAN("two  words")));
	ck_assert(span_eq(req_header(&b.req, "content-type"), SPAN("text/plain")));
	ck_assert(span_eq(req_header(&b.req, "content-length"), SPAN("12")));
	ck_assert(span_eq(req_header(&b.req, "host"), SPAN("127.0.0.1:8000")));
	ck_assert_ptr_null(req_header(&b.req, "nothing").p);
	ck_assert_uint_eq(b.req.headers.n, 4);
	ck_assert_int_eq(b.req.content_length, 12);
	ck_assert_str_eq(b.req.client_addr, "192.0.2.7");
	ck_assert(b.req.secure);
	ck_assert(b.cgi.http.expects_body);
	bench_free(&b);
}
END_TEST

START_TEST(test_req_limits)
{
	struct bench b;
	char *big = calloc(1, REQ_HEADERS_BYTES_MAX + 10);

	ck_assert_ptr_nonnull(big);
	memset(big, 'x', REQ_HEADERS_BYTES_MAX);
	bench_init(&b);
	env_request(&b, "GET", "/b/k");
	env_add(&b, "HTTP_X_BIG", big);
	ck_assert_int_eq(parse(&b), -1);
	ck_assert_str_eq(code_name(&b.req), "RequestHeaderSectionTooLarge");
	bench_free(&b);
	bench_init(&b);
	env_request(&b, "GET", "/b/k");
	for (int i = 0; i < REQ_HEADERS_MAX; i++)
		env_add(&b, arena_printf(b.thread.arena, "HTTP_X_%d", i), "v");
	ck_assert_int_eq(parse(&b), -1);
	ck_assert_str_eq(code_name(&b.req), "RequestHeaderSectionTooLarge");
	bench_free(&b);
	bench_init(&b);
	env_request(&b, "PUT", "/b/k");
	env_add(&b, "CONTENT_LENGTH", "-5");
	ck_assert_int_eq(parse(&b), -1);
	ck_assert_str_eq(code_name(&b.req), "InvalidArgument");
	bench_free(&b);
	free(big);
}
END_TEST

START_TEST(test_req_hop)
{
	struct bench b;
	struct hop hop = { .from = "us", .to = "eu", .request_id = "FEDCBA9876543210", .client_addr = "203.0.113.9",
		.domain = "s3.us.example.com", .secure = true, .sent_us = INT64_C(1764080000000000) };
	struct hop_request rq = { .method = SPAN("GET"), .target = SPAN("/k"), .host = SPAN("bb.s3.us.example.com") };
	const char *value;

	bench_init(&b);
	value = hop_make(b.thread.arena, &b.settings, &hop, &rq);
	env_add(&b, "REQUEST_METHOD", "GET");
	env_add(&b, "REQUEST_URI", "/k");
	env_add(&b, "REMOTE_ADDR", "10.0.0.1");
	env_add(&b, "HTTP_HOST", "bb.s3.us.example.com");
	env_add(&b, "HTTP_X_ANVIL_HOP", value);
	ck_assert_int_eq(parse(&b), 0);
	ck_assert_str_eq(b.req.hop_from, "us");
	ck_assert_str_eq(b.req.client_addr, "203.0.113.9");
	ck_assert_str_eq(b.req.id, "FEDCBA9876543210");
	ck_assert_str_eq(b.req.bucket_name, "bb");
	ck_assert(b.req.secure);
	/* the same words for another target are a forgery */
	b.env[1] = arena_strdup(b.thread.arena, "REQUEST_URI=/other");
	ck_assert_int_eq(parse(&b), -1);
	ck_assert_str_eq(code_name(&b.req), "AccessDenied");
	ck_assert_ptr_null(b.req.hop_from);
	bench_free(&b);
}
END_TEST

/* ---- bodies ---- */

static const char hello[] = "hello, world";
#define HELLO_LEN (sizeof(hello) - 1)
#define HELLO_MD5 "5NfxtO0uQtFYmPSyewGdpA=="
#define HELLO_CRC32 "/6tyOg=="
#define HELLO_SHA256 "09ca7e4eaa6e8ae9c7d261167129184883644d07dfba7cbfbc4c8a2e08360d5b"

static const struct {
	const char *name;
	const char *body;         /* as sent */
	const char *length;       /* CONTENT_LENGTH; NULL: none */
	enum sigv4_payload payload;
	const char *headers[4][2];
	const char *code;
} body_rows[] = {
	{ "plain", hello, "12", PAYLOAD_UNSIGNED, { { NULL, NULL } }, "" },
	{ "empty", "", "0", PAYLOAD_UNSIGNED, { { NULL, NULL } }, "" },
	{ "no length", hello, NULL, PAYLOAD_UNSIGNED, { { NULL, NULL } }, "MissingContentLength" },
	{ "no length, in HTTP's chunks", hello, NULL, PAYLOAD_UNSIGNED, { { "HTTP_TRANSFER_ENCODING", "chunked" } }, "NotImplemented" },
	{ "short", "hello", "12", PAYLOAD_UNSIGNED, { { NULL, NULL } }, "IncompleteBody" },
	{ "too large", hello, "100001", PAYLOAD_UNSIGNED, { { NULL, NULL } }, "EntityTooLarge" },
	{ "md5", hello, "12", PAYLOAD_UNSIGNED, { { "HTTP_CONTENT_MD5", HELLO_MD5 } }, "" },
	{ "md5 of another", "Hello, world", "12", PAYLOAD_UNSIGNED, { { "HTTP_CONTENT_MD5", HELLO_MD5 } }, "BadDigest" },
	{ "md5 malformed", hello, "12", PAYLOAD_UNSIGNED, { { "HTTP_CONTENT_MD5", "abc" } }, "InvalidDigest" },
	{ "crc32", hello, "12", PAYLOAD_UNSIGNED, { { "HTTP_X_AMZ_CHECKSUM_CRC32", HELLO_CRC32 } }, "" },
	{ "crc32 of another", "Hello, world", "12", PAYLOAD_UNSIGNED, { { "HTTP_X_AMZ_CHECKSUM_CRC32", HELLO_CRC32 } },
	    "BadDigest" },
	{ "hashed", hello, "12", PAYLOAD_HASHED, { { NULL, NULL } }, "" },
	{ "hashed, another", "Hello, world", "12", PAYLOAD_HASHED, { { NULL, NULL } }, "XAmzContentSHA256Mismatch" },
	{ "chunked", "c\r\nhello, world\r\n0\r\nx-amz-checksum-crc32:" HELLO_CRC32 "\r\n\r\n", "53",
	    PAYLOAD_STREAM_UNSIGNED_TRAILER,
	    { { "HTTP_X_AMZ_DECODED_CONTENT_LENGTH", "12" }, { "HTTP_X_AMZ_TRAILER", "x-amz-checksum-crc32" } }, "" },
	{ "chunked, another", "c\r\nHello, world\r\n0\r\nx-amz-checksum-crc32:" HELLO_CRC32 "\r\n\r\n", "53",
	    PAYLOAD_STREAM_UNSIGNED_TRAILER,
	    { { "HTTP_X_AMZ_DECODED_CONTENT_LENGTH", "12" }, { "HTTP_X_AMZ_TRAILER", "x-amz-checksum-crc32" } },
	    "BadDigest" },
	{ "chunked, cut", "c\r\nhello, world\r\n0\r\n", "20", PAYLOAD_STREAM_UNSIGNED_TRAILER,
	    { { "HTTP_X_AMZ_DECODED_CONTENT_LENGTH", "12" }, { "HTTP_X_AMZ_TRAILER", "x-amz-checksum-crc32" } },
	    "IncompleteBody" },
	{ "chunked, fewer than said", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:" HELLO_CRC32 "\r\n\r\n", "46",
	    PAYLOAD_STREAM_UNSIGNED_TRAILER,
	    { { "HTTP_X_AMZ_DECODED_CONTENT_LENGTH", "12" }, { "HTTP_X_AMZ_TRAILER", "x-amz-checksum-crc32" } },
	    "IncompleteBody" },
	{ "chunked, no decoded length", "c\r\nhello, world\r\n0\r\n\r\n", "22", PAYLOAD_STREAM_UNSIGNED_TRAILER,
	    { { NULL, NULL } }, "MissingContentLength" },
};

static int
read_body(struct bench *b, char *text, size_t size, size_t *len)
{
	struct body body;
	struct span run;
	int rc;

	*len = 0;
	if (body_open(&b->req, &b->who, 100000, &body) != 0)
		return -1;
	while ((rc = body_next(&body, &run)) == 1) {
		ck_assert(*len + run.len <= size);
		memcpy(text + *len, run.p, run.len);
		*len += run.len;
	}
	return rc;
}

START_TEST(test_body_rows)
{
	struct bench b;
	char text[256];
	size_t len;

	bench_init(&b);
	env_request(&b, "PUT", "/b/k");
	if (body_rows[_i].length != NULL)
		env_add(&b, "CONTENT_LENGTH", body_rows[_i].length);
	for (int i = 0; i < 4 && body_rows[_i].headers[i][0] != NULL; i++)
		env_add(&b, body_rows[_i].headers[i][0], body_rows[_i].headers[i][1]);
	body_set(&b, body_rows[_i].body, strlen(body_rows[_i].body));
	ck_assert_int_eq(parse(&b), 0);
	b.who.auth.payload = body_rows[_i].payload;
	b.who.auth.payload_hash = SPAN(HELLO_SHA256);
	ck_assert(hex_decode(SPAN(HELLO_SHA256), b.who.auth.payload_sha256, SHA256_LEN));
	if (read_body(&b, text, sizeof(text), &len) == 0) {
		ck_assert_msg(body_rows[_i].code[0] == '\0', "row \"%s\" passed", body_rows[_i].name);
		ck_assert_uint_eq(len, strlen(body_rows[_i].body) == 0 ? 0 : HELLO_LEN);
		ck_assert(memcmp(text, hello, len) == 0);
	} else
		ck_assert_msg(strcmp(code_name(&b.req), body_rows[_i].code) == 0, "row \"%s\": %s (%s), wanted %s",
		    body_rows[_i].name, code_name(&b.req), b.req.err.detail, body_rows[_i].code);
	bench_free(&b);
}
END_TEST

/* More than the buffer holds, so that runs are handed out one after the other. */
START_TEST(test_body_long)
{
	static uint8_t in[3 * BUF_BYTES + 17], out[sizeof(in)];
	struct bench b;
	size_t len;

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7 + i / 251);
	bench_init(&b);
	env_request(&b, "PUT", "/b/k");
	env_add(&b, "CONTENT_LENGTH", arena_printf(b.thread.arena, "%zu", sizeof(in)));
	body_set(&b, in, sizeof(in));
	ck_assert_int_eq(parse(&b), 0);
	b.who.auth.payload = PAYLOAD_UNSIGNED;
	ck_assert_int_eq(read_body(&b, (char *)out, sizeof(out), &len), 0);
	ck_assert_uint_eq(len, sizeof(in));
	ck_assert(memcmp(in, out, len) == 0);
	bench_free(&b);
}
END_TEST

/* ---- browsers' forms ---- */

#define FORM_HEAD "--B\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n" \
	"--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n"
#define FORM_END "\r\n--B--\r\n"

static const struct {
	const char *name;
	size_t file;               /* bytes of the file */
	int64_t min, max;          /* what the policy allows */
	int cut;                   /* bytes that are missing at the end */
	const char *code;
} form_rows[] = {
	{ "empty", 0, 0, INT64_MAX, 0, "" },
	{ "small", 100, 0, INT64_MAX, 0, "" },
	{ "longer than the buffer", 3 * BUF_BYTES + 17, 0, INT64_MAX, 0, "" },
	{ "as long as may be", 5000, 5000, 5000, 0, "" },
	{ "too long", 5001, 0, 5000, 0, "EntityTooLarge" },
	{ "too long for us", 20001, 0, INT64_MAX, 0, "EntityTooLarge" },
	{ "too short", 99, 100, 5000, 0, "EntityTooSmall" },
	{ "cut, and announced so", 5000, 0, INT64_MAX, 6, "MalformedPOSTRequest" },
};

START_TEST(test_form_rows)
{
	static const size_t head = sizeof(FORM_HEAD) - 1, end = sizeof(FORM_END) - 1;
	static char in[sizeof(FORM_HEAD) + 32768 + sizeof(FORM_END)], out[32768];
	size_t size = form_rows[_i].file, len = head + size + end - (size_t)form_rows[_i].cut, n = 0;
	struct post_policy policy = { form_rows[_i].min, form_rows[_i].max };
	struct bench b;
	struct body body;
	struct span run;
	int rc;

	memcpy(in, FORM_HEAD, head);
	for (size_t i = 0; i < size; i++)
		in[head + i] = "\r\n--B-x"[i * 7 % 8]; /* the delimiter's letters, and never the delimiter */
	memcpy(in + head + size, FORM_END, end);
	bench_init(&b);
	env_request(&b, "POST", "/b1");
	env_add(&b, "CONTENT_TYPE", "multipart/form-data; boundary=B");
	env_add(&b, "CONTENT_LENGTH", arena_printf(b.thread.arena, "%zu", len));
	body_set(&b, in, len);
	ck_assert_int_eq(parse(&b), 0);
	ck_assert_int_eq(b.req.op, OP_PostObject);
	ck_assert_int_eq(body_open_form(&b.req, &body), 0);
	ck_assert(span_eq(post_form_get(body.form, "KEY"), SPAN("k")));
	ck_assert_int_eq(body_open_file(&body, &b.who, 20000, &policy), 0);
	ck_assert_int_eq(body.size, -1);
	while ((rc = body_next(&body, &run)) == 1) {
		ck_assert_uint_le(n + run.len, sizeof(out));
		memcpy(out + n, run.p, run.len);
		n += run.len;
	}
	ck_assert_msg(strcmp(code_name(&b.req), form_rows[_i].code) == 0, "row \"%s\": %s", form_rows[_i].name, code_name(&b.req));
	ck_assert_int_eq(rc, form_rows[_i].code[0] == '\0' ? 0 : -1);
	if (rc == 0) {
		ck_assert_int_eq(body.size, (int64_t)size);
		ck_assert(n == size && memcmp(out, in + head, n) == 0);
	}
	bench_free(&b);
}
END_TEST

/* ---- answers ---- */

static const char *
sent(struct bench *b)
{
	static char text[8192];
	size_t n;

	(void)fseek(b->out, 0, SEEK_SET);
	n = fread(text, 1, sizeof(text) - 1, b->out);
	text[n] = '\0';
	return text;
}

START_TEST(test_reply_header_injection)
{
	struct bench b;
	struct reply rp;
	const char *text;

	bench_init(&b);
	env_request(&b, "GET", "/b/k");
	ck_assert_int_eq(parse(&b), 0);
	reply_begin(&rp, &b.req, 200);
	reply_str(&rp, "x-amz-meta-a", "one\r\nSet-Cookie: two");
	ck_assert_int_eq(reply_empty(&rp), 0);
	text = sent(&b);
	ck_assert_ptr_null(strstr(text, "\nSet-Cookie"));
	ck_assert_ptr_nonnull(strstr(text, "Status: 200 OK\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "x-amz-request-id: 0123456789ABCDEF\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "x-amz-id-2: aG9zdA==\r\n"));
	bench_free(&b);
}
END_TEST

static const struct {
	const char *method;
	int code;
	const char *status, *body; /* body: what must be in it; NULL: there is none */
} error_rows[] = {
	{ "GET", S3_NoSuchKey, "Status: 404 Not Found\r\n", "<Code>NoSuchKey</Code>" },
	{ "HEAD", S3_NoSuchKey, "Status: 404 Not Found\r\n", NULL },
	{ "GET", ERR_UNAVAILABLE, "Status: 503 Service Unavailable\r\n", "<Code>SlowDown</Code>" },
	{ "GET", ERR_INTERNAL, "Status: 500 Internal Server Error\r\n", "<Code>InternalError</Code>" },
	{ "GET", S3_NotModified, "Status: 304 Not Modified\r\n", NULL },
};

START_TEST(test_reply_error_rows)
{
	struct bench b;
	const char *text, *body;

	bench_init(&b);
	env_request(&b, error_rows[_i].method, "/b/a%26b");
	ck_assert_int_eq(parse(&b), 0);
	(void)FAIL(&b.req.err, error_rows[_i].code, "secret detail");
	reply_error(&b.req);
	text = sent(&b);
	ck_assert_ptr_nonnull(strstr(text, error_rows[_i].status));
	ck_assert_ptr_null(strstr(text, "secret detail"));
	body = strstr(text, "\r\n\r\n") + 4;
	if (error_rows[_i].body == NULL)
		ck_assert_str_eq(body, "");
	else {
		ck_assert_ptr_nonnull(strstr(body, error_rows[_i].body));
		ck_assert_ptr_nonnull(strstr(body, "<Resource>/b/a&amp;b</Resource>"));
		ck_assert_ptr_nonnull(strstr(body, "<RequestId>0123456789ABCDEF</RequestId>"));
	}
	if (strstr(error_rows[_i].status, "503") != NULL)
		ck_assert_ptr_nonnull(strstr(text, "Retry-After: 1\r\n"));
	bench_free(&b);
}
END_TEST

/* ---- signing keys ---- */

/* In place of meta/'s: the sealed secret is the secret. */
int
app_secret(const struct settings *s, const struct app *app, char out[APP_SECRET_MAX + 1], struct err *err)
{
	(void)s;
	(void)err;
	memcpy(out, app->sealed_secret.p, app->sealed_secret.len);
	out[app->sealed_secret.len] = '\0';
	return 0;
}

static void
get_key(struct signing_keys *k, const char *secret, const char *day, const char *region, struct signing_key *out)
{
	struct app app = { .access_key = "AKEXAMPLE", .sealed_secret = span_of(secret) };
	struct err err = { 0 };

	ck_assert_int_eq(signing_key(k, NULL, &app, span_of(day), span_of(region), SPAN("s3"), out, &err), 0);
}

START_TEST(test_signing_keys)
{
	struct arena *a = arena_new(1 << 20);
	struct signing_keys *k = signing_keys_new(a);
	struct signing_key one, again;
	uint8_t want[SHA256_LEN];

	sigv4_signing_key(SPAN("secret"), SPAN("20261125"), SPAN("eu"), SPAN("s3"), want);
	get_key(k, "secret", "20261125", "eu", &one);
	ck_assert(!one.kept);
	ck_assert(memcmp(one.key, want, sizeof(want)) == 0);
	get_key(k, "secret", "20261125", "eu", &again);
	ck_assert_msg(!again.kept, "kept though it proved nothing");
	signing_key_keep(k, &one);
	get_key(k, "secret", "20261125", "eu", &again);
	ck_assert(again.kept);
	ck_assert(memcmp(again.key, want, sizeof(want)) == 0);
	/* another secret, day or region is another key */
	get_key(k, "Secret", "20261125", "eu", &again);
	ck_assert(!again.kept && memcmp(again.key, want, sizeof(want)) != 0);
	get_key(k, "secret", "20261126", "eu", &again);
	ck_assert(!again.kept && memcmp(again.key, want, sizeof(want)) != 0);
	get_key(k, "secret", "20261125", "us", &again);
	ck_assert(!again.kept && memcmp(again.key, want, sizeof(want)) != 0);
	arena_free(a);
}
END_TEST

/* However many there are, memory stays, and what is found is right. */
START_TEST(test_signing_keys_bounded)
{
	struct arena *a = arena_new(1 << 20);
	struct signing_keys *k = signing_keys_new(a);
	size_t used = arena_used(a);
	uint8_t want[SHA256_LEN];
	struct signing_key key;
	char secret[32];
	int kept = 0;

	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 2000; i++) {
			(void)snprintf(secret, sizeof(secret), "secret-%d", i);
			get_key(k, secret, "20261125", "eu", &key);
			sigv4_signing_key(span_of(secret), SPAN("20261125"), SPAN("eu"), SPAN("s3"), want);
			ck_assert(memcmp(key.key, want, sizeof(want)) == 0);
			kept += key.kept;
			signing_key_keep(k, &key);
		}
	ck_assert_int_lt(kept, 2000);
	ck_assert_uint_eq(arena_used(a), used);
	signing_keys_wipe(k);
	get_key(k, "secret-1999", "20261125", "eu", &key);
	ck_assert(!key.kept);
	arena_free(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fcgi");
	TCase *tc;

	tc = tcase_create("req");
	tcase_add_loop_test(tc, test_req_parse_rows, 0, (int)ARRAY_LEN(parse_rows));
	tcase_add_test(tc, test_req_headers);
	tcase_add_test(tc, test_req_limits);
	tcase_add_test(tc, test_req_hop);
	suite_add_tcase(s, tc);
	tc = tcase_create("body");
	tcase_add_loop_test(tc, test_body_rows, 0, (int)ARRAY_LEN(body_rows));
	tcase_add_test(tc, test_body_long);
	tcase_add_loop_test(tc, test_form_rows, 0, (int)ARRAY_LEN(form_rows));
	suite_add_tcase(s, tc);
	tc = tcase_create("reply");
	tcase_add_test(tc, test_reply_header_injection);
	tcase_add_loop_test(tc, test_reply_error_rows, 0, (int)ARRAY_LEN(error_rows));
	suite_add_tcase(s, tc);
	tc = tcase_create("signing_keys");
	tcase_add_test(tc, test_signing_keys);
	tcase_add_test(tc, test_signing_keys_bounded);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
