/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/sigv4_parse.c - what a request says of who signed it: form, scope, dates,
 * expiry, and that everything that must be signed is. No secret is needed.
 *
 * Owns:       nothing; what is made lives in the caller's arena.
 * Called by:  fcgi/ (authentication) once a request.
 * Blocks:     no.
 * Invariant:  0 is returned only for a request that is anonymous or that
 *             sigv4_verify() can decide.
 */
#include "s3/sigv4.h"

#include "base/clock.h"
#include "base/parse.h"
#include "s3/errors.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define ALGORITHM_ECDSA "AWS4-ECDSA-P256-SHA256"
#define STREAM_ECDSA "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
#define TERMINAL "aws4_request"
#define ONLY_V4 "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
#define NEEDS_SIX \
	"Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, " \
	"X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
#define PAYLOAD_WORDS \
	"x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, " \
	"STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, " \
	"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER " \
	"or a valid sha256 value."

struct parse {
	struct arena *a;
	const struct sigv4_request *rq;
	int64_t now_us;
	struct sigv4_auth *auth;
	struct s3_problem *pr;
};

static const struct {
	const char *word;
	enum sigv4_payload payload;
} payload_words[] = {
	{ SIGV4_UNSIGNED_PAYLOAD, PAYLOAD_UNSIGNED },
	{ "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", PAYLOAD_STREAM_SIGNED },
	{ "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", PAYLOAD_STREAM_SIGNED_TRAILER },
	{ "STREAMING-UNSIGNED-PAYLOAD-TRAILER", PAYLOAD_STREAM_UNSIGNED_TRAILER },
};

static bool
span_is(struct span s, const char *word)
{
	return span_eq(s, span_of(word));
}

static struct span
header(const struct parse *ps, const char *name)
{
	return s3_header_get(ps->rq->headers, name);
}

/* A refusal in the words of the form that the client used. */
static int
malformed(const struct parse *ps, const char *text)
{
	if (ps->auth->form == SIGV4_HEADER)
		return s3_problem_set(ps->pr, S3_AuthorizationHeaderMalformed,
		    arena_printf(ps->a, "The authorization header is malformed; %s", text));
	return s3_problem_set(ps->pr, S3_AuthorizationQueryParametersError,
	    arena_printf(ps->a, "Error parsing the X-Amz-Credential parameter; %s", text));
}

static int
malformed_value(const struct parse *ps, const char *before, struct span value, const char *after)
{
	const char *text = arena_printf(ps->a, "%s%.*s%s", before, (int)(value.len > 256 ? 256 : value.len),
	    value.len > 0 ? value.p : "", after);

	return malformed(ps, text == NULL ? before : text);
}

static int
query_error(const struct parse *ps, const char *text)
{
	return s3_problem_set(ps->pr, S3_AuthorizationQueryParametersError, text);
}

/* --- the credential scope --- */

static int
parse_credential(struct parse *ps, struct span cred)
{
	struct sigv4_auth *auth = ps->auth;
	struct span service = ps->rq != NULL && ps->rq->service.p != NULL ? ps->rq->service : SPAN("s3");
	struct span part[5];
	struct span rest = cred;
	int64_t day_us;

	for (size_t i = 0; i < 5; i++) {
		const char *slash = rest.len == 0 ? NULL : memchr(rest.p, '/', rest.len);
		size_t n = slash == NULL ? rest.len : (size_t)(slash - rest.p);

		part[i] = (struct span){ rest.p, n };
		if (n == 0 || (slash == NULL) != (i == 4))
			return malformed(ps, "the Credential is mal-formed; expecting "
			    "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
		rest.p += n + (slash != NULL);
		rest.len -= n + (slash != NULL);
	}
	if (!span_eq(part[3], service))
		return malformed_value(ps, "incorrect service \"", part[3],
		    span_is(service, "s3") ? "\". This endpoint belongs to \"s3\"." : "\". This endpoint belongs to \"sts\".");
	if (!span_is(part[4], TERMINAL))
		return malformed_value(ps, "incorrect terminal \"", part[4], "\". This endpoint uses \"aws4_request\".");
	if (!date_parse_day(part[1], &day_us))
		return malformed_value(ps, "incorrect date format \"", part[1],
		    "\". This date in the credential must be in the format \"yyyyMMdd\".");
	auth->key_id = part[0];
	auth->day = part[1];
	auth->region = part[2];
	auth->service = part[3];
	auth->scope = (struct span){ part[1].p, (size_t)(cred.p + cred.len - part[1].p) };
	return 0;
}

/* The day of the scope must be the day of the signing time. */
static int
check_day(const struct parse *ps)
{
	const struct sigv4_auth *auth = ps->auth;
	const char *text;

	if (span_eq(auth->day, (struct span){ auth->time, 8 }))
		return 0;
	text = arena_printf(ps->a, "Invalid credential date \"%.8s\". This date is not the same as X-Amz-Date: \"%.8s\".",
	    auth->day.p, auth->time);
	if (auth->form != SIGV4_HEADER)
		return query_error(ps, text);
	return malformed(ps, text == NULL ? "Invalid credential date." : text);
}

/* --- what the body is said to be --- */

static int
parse_payload(struct parse *ps, struct span value)
{
	struct sigv4_auth *auth = ps->auth;

	for (size_t i = 0; i < ARRAY_LEN(payload_words); i++)
		if (span_is(value, payload_words[i].word)) {
			auth->payload = payload_words[i].payload;
			return 0;
		}
	if (span_is(value, STREAM_ECDSA) || span_is(value, STREAM_ECDSA "-TRAILER"))
		return s3_problem_set(ps->pr, S3_NotImplemented,
		    arena_printf(ps->a, "The chunk encoding algorithm %.*s is not supported.", (int)value.len, value.p));
	if (!hex_decode(value, auth->payload_sha256, SHA256_LEN))
		return s3_problem_argument(ps->pr, PAYLOAD_WORDS, "x-amz-content-sha256", value);
	auth->payload = PAYLOAD_HASHED;
	return 0;
}

/* --- what must be signed --- */

static bool
is_signed(const struct sigv4_auth *auth, struct span name)
{
	struct span rest = auth->signed_headers, item;

	while (s3_list_next(&rest, ';', &item))
		if (s3_header_name_eq(item, name))
			return true;
	return false;
}

/*
 * Headers that S3 obeys though they are not signed: the date is in the string to
 * sign anyway, the payload's hash is in the canonical request (or, presigned, can
 * only make us stricter), and CloudFront adds its id on the way.
 */
static bool
may_be_unsigned(struct span name)
{
	return s3_header_name_eq(name, SPAN("x-amz-date")) ||
	    s3_header_name_eq(name, SPAN("x-amz-content-sha256")) ||
	    s3_header_name_eq(name, SPAN("x-amz-cf-id"));
}

static int
check_signed_headers(const struct parse *ps)
{
	const struct s3_headers *hs = ps->rq->headers;
	struct span rest = ps->auth->signed_headers, item;
	struct strbuf missing;
	size_t n = 0;

	while (s3_list_next(&rest, ';', &item))
		if (++n > SIGV4_SIGNED_HEADERS_MAX)
			return malformed(ps, "too many SignedHeaders.");
	strbuf_init(&missing, ps->a, 1024);
	if (!is_signed(ps->auth, SPAN("host")))
		strbuf_str(&missing, "host");
	for (size_t i = 0; i < hs->n; i++) {
		struct span name = hs->h[i].name;

		if (!s3_istarts(name, "x-amz-") || may_be_unsigned(name) || is_signed(ps->auth, name))
			continue;
		if (missing.len > 0)
			strbuf_str(&missing, ", ");
		strbuf_span(&missing, name);
	}
	if (missing.len == 0 && strbuf_ok(&missing))
		return 0;
	if (ps->pr->code == 0) {
		s3_problem_set(ps->pr, S3_AccessDenied, "There were headers present in the request which were not signed");
		s3_problem_extra(ps->pr, "HeadersNotSigned", (struct span){ strbuf_cstr(&missing), missing.len });
	}
	return -1;
}

/* --- Authorization: AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=... --- */

static int
authorization_algorithm(struct parse *ps, struct span *value)
{
	struct span whole = *value, word;
	const char *blank = value->len == 0 ? NULL : memchr(value->p, ' ', value->len);

	if (blank == NULL)
		return s3_problem_argument(ps->pr, "Authorization header is invalid -- one and only one ' ' (space) required",
		    "Authorization", whole);
	word = (struct span){ value->p, (size_t)(blank - value->p) };
	value->p += word.len;
	value->len -= word.len;
	if (span_is(word, ALGORITHM))
		return 0;
	if (span_is(word, "AWS") || span_is(word, ALGORITHM_ECDSA))
		return s3_problem_set(ps->pr, S3_InvalidRequest, ONLY_V4);
	return s3_problem_argument(ps->pr, "Unsupported Authorization Type", "Authorization", whole);
}

static int
parse_authorization(struct parse *ps, struct span value)
{
	struct sigv4_auth *auth = ps->auth;
	struct span item, cred = { NULL, 0 };

	value = s3_trim(value);
	if (authorization_algorithm(ps, &value) != 0)
		return -1;
	while (s3_list_next(&value, ',', &item)) {
		const char *eq = memchr(item.p, '=', item.len);
		struct span name, v;

		if (eq == NULL)
			return malformed_value(ps, "the authorization component \"", item, "\" is malformed.");
		name = s3_trim((struct span){ item.p, (size_t)(eq - item.p) });
		v = s3_trim((struct span){ eq + 1, (size_t)(item.p + item.len - eq - 1) });
		if (span_is(name, "Credential"))
			cred = v;
		else if (span_is(name, "SignedHeaders"))
			auth->signed_headers = v;
		else if (span_is(name, "Signature"))
			auth->signature = v;
	}
	if (cred.p == NULL)
		return malformed(ps, "missing Credential.");
	if (auth->signed_headers.len == 0)
		return malformed(ps, "missing SignedHeaders.");
	if (auth->signature.len == 0)
		return malformed(ps, "missing Signature.");
	return parse_credential(ps, cred);
}

static int
header_time(struct parse *ps)
{
	struct sigv4_auth *auth = ps->auth;
	struct span text = s3_trim(header(ps, "x-amz-date"));
	bool ok;

	if (text.len > 0) {
		ok = date_parse_basic(text, &auth->time_us);
	} else {
		text = s3_trim(header(ps, "date"));
		ok = date_parse_basic(text, &auth->time_us) || date_parse_http(text, ps->now_us, &auth->time_us);
	}
	if (!ok)
		return s3_problem_set(ps->pr, S3_AccessDenied, "AWS authentication requires a valid Date or x-amz-date header");
	date_basic(auth->time_us, auth->time);
	return 0;
}

static int
check_skew(const struct parse *ps)
{
	int64_t off = ps->now_us - ps->auth->time_us;
	char *now, *then;

	if (off <= SIGV4_SKEW_S * US_PER_S && off >= -SIGV4_SKEW_S * US_PER_S)
		return 0;
	if (ps->pr->code != 0)
		return -1;
	s3_problem_set(ps->pr, S3_RequestTimeTooSkewed, NULL);
	/* In the arena: the answer may be written when *auth is gone. */
	then = arena_strdup(ps->a, ps->auth->time);
	now = arena_alloc(ps->a, DATE_ISO_SIZE);
	if (then != NULL && now != NULL) {
		date_iso_s(ps->now_us, now);
		s3_problem_extra(ps->pr, "RequestTime", span_of(then));
		s3_problem_extra(ps->pr, "ServerTime", span_of(now));
	}
	s3_problem_extra(ps->pr, "MaxAllowedSkewMilliseconds", SPAN("900000"));
	return -1;
}

static int
parse_header_form(struct parse *ps, struct span authorization)
{
	struct sigv4_auth *auth = ps->auth;

	auth->form = SIGV4_HEADER;
	if (parse_authorization(ps, authorization) != 0 || header_time(ps) != 0 ||
	    check_day(ps) != 0 || check_skew(ps) != 0)
		return -1;
	auth->payload_hash = ps->rq->body_sha256.p != NULL ? ps->rq->body_sha256 : s3_trim(header(ps, "x-amz-content-sha256"));
	if (auth->payload_hash.len == 0)
		return s3_problem_set(ps->pr, S3_InvalidRequest, "Missing required header for this request: x-amz-content-sha256");
	auth->token = header(ps, "x-amz-security-token");
	if (parse_payload(ps, auth->payload_hash) != 0)
		return -1;
	return check_signed_headers(ps);
}

/* --- X-Amz-Algorithm and the others --- */

static int
check_expires(struct parse *ps, struct span text)
{
	struct sigv4_auth *auth = ps->auth;
	struct span digits = text;
	char *times;

	if (digits.len > 0 && digits.p[0] == '-') {
		digits.p++;
		digits.len--;
	}
	for (size_t i = 0; i < digits.len; i++)
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return query_error(ps, "X-Amz-Expires should be a number");
	if (digits.len == 0)
		return query_error(ps, "X-Amz-Expires should be a number");
	if (digits.len < text.len)
		return query_error(ps, "X-Amz-Expires must be non-negative");
	if (!parse_i64(text, 0, SIGV4_EXPIRES_MAX, &auth->expires_s))
		return query_error(ps, "X-Amz-Expires must be less than a week (in seconds); "
		    "that is, the given X-Amz-Expires must be less than 604800 seconds");
	if (auth->time_us > ps->now_us + SIGV4_SKEW_S * US_PER_S)
		return s3_problem_set(ps->pr, S3_AccessDenied, "Request is not valid yet");
	if (ps->now_us <= auth->time_us + auth->expires_s * US_PER_S)
		return 0;
	if (ps->pr->code != 0)
		return -1;
	s3_problem_set(ps->pr, S3_AccessDenied, "Request has expired");
	s3_problem_extra(ps->pr, "X-Amz-Expires", text);
	times = arena_alloc(ps->a, 2 * (size_t)DATE_ISO_SIZE);
	if (times != NULL) {
		date_iso_s(auth->time_us + auth->expires_s * US_PER_S, times);
		date_iso_s(ps->now_us, times + DATE_ISO_SIZE);
		s3_problem_extra(ps->pr, "Expires", span_of(times));
		s3_problem_extra(ps->pr, "ServerTime", span_of(times + DATE_ISO_SIZE));
	}
	return -1;
}

/*
 * A presigned URL signs UNSIGNED-PAYLOAD unless it names another hash in its query
 * or signs the header. An unsigned header may still tell how the body comes.
 */
static int
presigned_payload(struct parse *ps)
{
	struct sigv4_auth *auth = ps->auth;
	struct span in_query = s3_query_get(ps->rq->query, "X-Amz-Content-Sha256");
	struct span in_header = s3_trim(header(ps, "x-amz-content-sha256"));

	if (ps->rq->body_sha256.p != NULL) {
		auth->payload_hash = ps->rq->body_sha256;
		return parse_payload(ps, auth->payload_hash);
	}
	if (in_query.len > 0)
		auth->payload_hash = in_query;
	else if (in_header.len > 0 && is_signed(auth, SPAN("x-amz-content-sha256")))
		auth->payload_hash = in_header;
	else
		auth->payload_hash = SPAN(SIGV4_UNSIGNED_PAYLOAD);
	if (in_header.len == 0 && in_query.len == 0) {
		auth->payload = PAYLOAD_NONE;
		return 0;
	}
	/* The signed word binds the body; the header adds the framing where the word leaves the body open. */
	if (parse_payload(ps, auth->payload_hash) != 0)
		return -1;
	if (auth->payload == PAYLOAD_UNSIGNED && in_header.len > 0)
		return parse_payload(ps, in_header);
	return 0;
}

static int
parse_query_form(struct parse *ps)
{
	const struct s3_query *q = ps->rq->query;
	struct sigv4_auth *auth = ps->auth;
	struct span algorithm = s3_query_get(q, "X-Amz-Algorithm");
	struct span cred = s3_query_get(q, "X-Amz-Credential");
	struct span date = s3_query_get(q, "X-Amz-Date");
	struct span expires = s3_query_get(q, "X-Amz-Expires");

	auth->form = SIGV4_PRESIGNED;
	auth->signed_headers = s3_query_get(q, "X-Amz-SignedHeaders");
	auth->signature = s3_query_get(q, "X-Amz-Signature");
	auth->token = s3_query_get(q, "X-Amz-Security-Token");
	if (algorithm.len == 0 || cred.len == 0 || date.len == 0 || expires.len == 0 ||
	    auth->signed_headers.len == 0 || auth->signature.len == 0)
		return query_error(ps, NEEDS_SIX);
	if (!span_is(algorithm, ALGORITHM))
		return query_error(ps, "X-Amz-Algorithm only supports \"" ALGORITHM "\"");
	if (parse_credential(ps, cred) != 0)
		return -1;
	if (!date_parse_basic(date, &auth->time_us))
		return query_error(ps, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
	date_basic(auth->time_us, auth->time);
	if (check_day(ps) != 0 || check_expires(ps, expires) != 0 || presigned_payload(ps) != 0)
		return -1;
	return check_signed_headers(ps);
}

/* --- a browser's form --- */

/* A signing key is good for a week; the policy says how long the form is. */
static int
form_time(struct parse *ps, struct span date)
{
	struct sigv4_auth *auth = ps->auth;

	if (!date_parse_basic(date, &auth->time_us))
		return query_error(ps, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
	date_basic(auth->time_us, auth->time);
	if (check_day(ps) != 0)
		return -1;
	if (auth->time_us > ps->now_us + SIGV4_SKEW_S * US_PER_S)
		return s3_problem_set(ps->pr, S3_AccessDenied, "Request is not valid yet");
	if (ps->now_us > auth->time_us + SIGV4_EXPIRES_MAX * US_PER_S)
		return s3_problem_set(ps->pr, S3_AccessDenied, "Request has expired");
	return 0;
}

static int
no_field(struct s3_problem *pr, struct arena *a, const char *name)
{
	return s3_problem_argument(pr,
	    arena_printf(a, "Bucket POST must contain a field named '%s'.  "
		"If it is specified, please check the order of the fields.", name),
	    name, SPAN(""));
}

int
sigv4_parse_form(struct arena *a, const struct sigv4_form_fields *f, int64_t now_us, struct sigv4_auth *out,
    struct s3_problem *pr)
{
	const struct {
		const char *name;
		struct span value;
	} needed[] = {
		{ "policy", f->policy }, { "X-Amz-Algorithm", f->algorithm }, { "X-Amz-Credential", f->credential },
		{ "X-Amz-Date", f->date }, { "X-Amz-Signature", f->signature },
	};
	struct parse ps = { a, NULL, now_us, out, pr };
	bool any = false;

	memset(out, 0, sizeof(*out));
	if (f->is_v2)
		return s3_problem_set(pr, S3_InvalidRequest, ONLY_V4);
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		any = any || needed[i].value.p != NULL;
	if (!any)
		return 0; /* SIGV4_ANONYMOUS */
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (needed[i].value.len == 0)
			return no_field(pr, a, needed[i].name);
	out->form = SIGV4_POST_FORM;
	out->signature = f->signature;
	out->token = f->token;
	if (!span_is(f->algorithm, ALGORITHM))
		return query_error(&ps, "X-Amz-Algorithm only supports \"" ALGORITHM "\"");
	return parse_credential(&ps, f->credential) != 0 ? -1 : form_time(&ps, f->date);
}

/* --- nobody --- */

static int
parse_anonymous(struct parse *ps)
{
	struct sigv4_auth *auth = ps->auth;
	struct span value = s3_trim(header(ps, "x-amz-content-sha256"));

	auth->form = SIGV4_ANONYMOUS;
	if (value.len == 0)
		return 0;
	auth->payload_hash = value;
	if (parse_payload(ps, value) != 0)
		return -1;
	if (auth->payload == PAYLOAD_STREAM_SIGNED || auth->payload == PAYLOAD_STREAM_SIGNED_TRAILER)
		return s3_problem_set(ps->pr, S3_InvalidRequest,
		    "Anonymous requests don't support this x-amz-content-sha256 value. "
		    "Please use UNSIGNED-PAYLOAD or STREAMING-UNSIGNED-PAYLOAD-TRAILER.");
	return 0;
}

int
sigv4_parse(struct arena *a, const struct sigv4_request *rq, int64_t now_us,
    struct sigv4_auth *out, struct s3_problem *pr)
{
	struct parse ps = { a, rq, now_us, out, pr };
	struct span authorization = header(&ps, "authorization");
	bool v4 = s3_query_find(rq->query, "X-Amz-Algorithm") != NULL ||
	    s3_query_find(rq->query, "X-Amz-Credential") != NULL ||
	    s3_query_find(rq->query, "X-Amz-Signature") != NULL;
	bool v2 = s3_query_find(rq->query, "AWSAccessKeyId") != NULL ||
	    s3_query_find(rq->query, "Signature") != NULL;

	memset(out, 0, sizeof(*out));
	if (authorization.p != NULL && (v4 || v2))
		return s3_problem_argument(pr, "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
		    "Signature query string parameter or the Authorization header should be specified",
		    "Authorization", authorization);
	if (authorization.p != NULL)
		return parse_header_form(&ps, authorization);
	if (v4)
		return parse_query_form(&ps);
	if (v2)
		return s3_problem_set(pr, S3_InvalidRequest, ONLY_V4);
	return parse_anonymous(&ps);
}

int
sigv4_check_region(struct arena *a, const struct sigv4_auth *auth, const char *const *allowed,
    size_t n, const char *expecting, struct s3_problem *pr)
{
	struct sigv4_auth copy = *auth;
	struct parse ps = { a, NULL, 0, &copy, pr };
	const char *after;

	for (size_t i = 0; i < n; i++)
		if (allowed[i] != NULL && span_is(auth->region, allowed[i]))
			return 0;
	if (pr->code != 0)
		return -1;
	after = arena_printf(a, "' is wrong; expecting '%s'", expecting);
	malformed_value(&ps, "the region '", auth->region, after == NULL ? "'" : after);
	s3_problem_extra(pr, "Region", span_of(expecting));
	return -1;
}
