/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/req.c - from CGI variables to a request that knows what it names.
 *
 * Owns:       nothing; results live in the request's arena.
 * Called by:  dispatch.c.
 * Blocks:     no.
 * Invariant:  the raw target (REQUEST_URI) names the key; SCRIPT_NAME and
 *             PATH_INFO, which web servers decode and normalise, are never read.
 */
#include "fcgi/req.h"

#include "base/parse.h"
#include "routing/hop.h"

int
req_refused(struct req *r, const char *detail)
{
	ASSERT(r->problem.code != 0);
	return FAIL(&r->err, r->problem.code, "%s", detail);
}

int
req_refuse(struct req *r, enum s3_code code, const char *message, const char *name, struct span value)
{
	bool first = r->problem.code == 0;

	(void)s3_problem_set(&r->problem, (int)code, message);
	if (first && name != NULL)
		s3_problem_extra(&r->problem, name, value);
	return req_refused(r, message == NULL ? s3_error_find((int)code)->name : message);
}

/* "X_AMZ_DATE" to "x-amz-date"; NULL past the arena's cap. */
static char *
header_name(struct arena *a, const char *p, size_t len)
{
	char *name = arena_alloc(a, len + 1);

	if (name == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		char c = p[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c + ('a' - 'A'));
		else if (c == '_')
			c = '-';
		name[i] = c;
	}
	name[len] = '\0';
	return name;
}

static int
add_header(struct req *r, const char *name, size_t name_len, const char *value)
{
	char *lower;

	if (r->headers.n == REQ_HEADERS_MAX)
		return req_refuse(r, S3_RequestHeaderSectionTooLarge, NULL, NULL, SPAN(""));
	lower = header_name(r->arena, name, name_len);
	if (lower == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	r->header[r->headers.n].name = (struct span){ lower, name_len };
	r->header[r->headers.n].value = s3_trim(span_of(value));
	r->headers.n++;
	return 0;
}

/* One variable "NAME=value" of the environment. */
static int
take_variable(struct req *r, const char *var, size_t *bytes)
{
	const char *eq = strchr(var, '=');
	const char *value;
	size_t len;

	if (eq == NULL)
		return 0;
	len = (size_t)(eq - var);
	value = eq + 1;
	if (len > 5 && memcmp(var, "HTTP_", 5) == 0) {
		struct span name = { var + 5, len - 5 };

		*bytes += len + strlen(value);
		if (*bytes > REQ_HEADERS_BYTES_MAX)
			return req_refuse(r, S3_RequestHeaderSectionTooLarge, NULL, "MaxSizeAllowed",
			    SPAN(ANVIL_STR(REQ_HEADERS_BYTES_MAX)));
		/* These two have variables of their own; a server that sends both means the same. */
		if (span_eq(name, SPAN("CONTENT_LENGTH")) || span_eq(name, SPAN("CONTENT_TYPE")))
			return 0;
		if (span_eq(name, SPAN("HOST")))
			r->host = s3_trim(span_of(value));
		return add_header(r, name.p, name.len, value);
	}
#define IS(literal) (len == sizeof(literal) - 1 && memcmp(var, literal, len) == 0)
	if (IS("REQUEST_METHOD"))
		r->method = span_of(value);
	else if (IS("REQUEST_URI"))
		r->target = span_of(value);
	else if (IS("REMOTE_ADDR"))
		r->client_addr = value;
	else if (IS("HTTPS") && value[0] != '\0')
		r->secure = s3_ieq(span_of(value), SPAN("on")) || strcmp(value, "1") == 0;
	else if (IS("REQUEST_SCHEME"))
		r->secure = strcmp(value, "https") == 0;
	else if (IS("CONTENT_TYPE") && value[0] != '\0')
		return add_header(r, var, len, value);
	else if (IS("CONTENT_LENGTH") && value[0] != '\0') {
		if (!parse_i64(span_of(value), 0, INT64_MAX, &r->content_length))
			return req_refuse(r, S3_InvalidArgument, "Content-Length is not a number", NULL, SPAN(""));
		return add_header(r, var, len, value);
	}
#undef IS
	return 0;
}

static int
read_variables(struct req *r)
{
	size_t bytes = 0;

	r->content_length = -1;
	r->secure = strcmp(r->thread->settings->url_scheme, "https") == 0; /* unless the web server says otherwise */
	r->client_addr = "";
	r->method = r->target = r->host = SPAN("");
	r->header = arena_alloc(r->arena, REQ_HEADERS_MAX * sizeof(r->header[0]));
	if (r->header == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	r->headers = (struct s3_headers){ r->header, 0 };
	for (char **e = r->http->env; *e != NULL; e++)
		if (take_variable(r, *e, &bytes) != 0)
			return -1;
	r->http->body_len = r->content_length;
	r->http->expects_body = r->content_length > 0 || req_header(r, "transfer-encoding").p != NULL;
	/*
	 * Without a body lighttpd sends no "100 Continue" but our answer at once. botocore
	 * then reads every later answer on that connection without its status line, and
	 * waits for an end that does not come: let there be no later one.
	 */
	r->http->close_after = !r->http->expects_body && req_header(r, "expect").p != NULL;
	r->is_head = span_eq(r->method, SPAN("HEAD"));
	return 0;
}

/*
 * A target without its query and fragment, for error answers about targets that
 * could not be taken apart.
 */
static void
fallback_path(struct req *r)
{
	size_t n = 0;

	while (n < r->target.len && r->target.p[n] != '?' && r->target.p[n] != '#')
		n++;
	r->uri.path = (struct span){ r->target.p, n };
}

/*
 * A request that another region relayed: its hop header says for whom and under
 * which id, and in which of its own domains the client's Host lies. One that is
 * not true is refused, not passed over: it could go round between two regions.
 */
static int
take_hop(struct req *r)
{
	struct span value = req_header(r, HOP_HEADER);
	struct hop_request rq = { .method = r->method, .target = r->target, .host = r->host };
	struct hop hop;

	if (value.p == NULL)
		return 0;
	if (!hop_check(r->arena, r->thread->settings, arena_strndup(r->arena, value.p, value.len), &rq, r->now_us, &hop))
		return req_refuse(r, S3_AccessDenied, "The request's hop header is not valid.", NULL, SPAN(""));
	r->hop_from = hop.from;
	r->hop_via = hop.via;
	r->website = hop.domain[0] == HOP_WEBSITE;
	r->hop_domain = r->website ? hop.domain + 1 : hop.domain;
	r->custom_domain = strcmp(r->hop_domain, HOP_CUSTOM_DOMAIN) == 0;
	r->client_addr = hop.client_addr;
	r->secure = hop.secure;
	if (strlen(hop.request_id) == REQ_ID_LEN)
		memcpy(r->id, hop.request_id, REQ_ID_LEN);
	return 0;
}

static int
parse_uri(struct req *r)
{
	const struct settings *s = r->thread->settings;
	const char *const *domains = r->website ? s->website_domains : s->domains;
	const char *relayed[2] = { NULL, NULL };
	int rc;

	if (r->hop_from != NULL) {
		if (r->hop_domain[0] != '\0')
			relayed[0] = r->hop_domain;
		domains = relayed;
	}
	rc = r->custom_domain ? s3_uri_parse_custom(r->arena, r->target, r->host, &r->uri, &r->problem)
		    : s3_uri_parse(r->arena, r->target, r->host, domains, &r->uri, &r->problem);
	if (rc != 0) {
		fallback_path(r);
		return req_refused(r, "the request target could not be read");
	}
	return 0;
}

struct s3_match
req_match(const struct req *r)
{
	return (struct s3_match){
		.method = r->method,
		.level = r->key.len > 0 ? S3_LEVEL_OBJECT : r->bucket_name != NULL ? S3_LEVEL_BUCKET : S3_LEVEL_SERVICE,
		.query = &r->uri.query,
		.headers = &r->headers,
	};
}

int
req_read(struct req *r)
{
	r->op = OP_NONE;
	r->uri.path = SPAN("/");
	return read_variables(r) != 0 || take_hop(r) != 0 ? -1 : 0;
}

int
req_name(struct req *r)
{
	struct s3_match match;

	if (parse_uri(r) != 0)
		return -1;
	r->signed_request = (struct sigv4_request){
		.method = r->method, .path = r->uri.path, .query = &r->uri.query, .headers = &r->headers
	};
	if (r->uri.bucket.len > 0) {
		r->bucket_name = arena_strndup(r->arena, r->uri.bucket.p, r->uri.bucket.len);
		if (r->bucket_name == NULL)
			return FAIL(&r->err, ERR_LIMIT, "arena is full");
	}
	r->key = r->uri.key;
	/* To a visitor nothing in a query is S3's. */
	if (r->website) {
		r->uri.query = (struct s3_query){ NULL, 0 };
		r->op = r->is_head                       ? OP_HeadObject
		    : span_eq(r->method, SPAN("GET"))     ? OP_GetObject
		    : span_eq(r->method, SPAN("OPTIONS")) ? OP_CorsPreflight
		                                          : OP_NONE;
		return 0;
	}
	match = req_match(r);
	if (s3_operation_match(r->arena, &match, &r->op, &r->problem) != 0)
		return req_refused(r, "no operation fits");
	return 0;
}
