/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/cors.c - cross-origin requests: the preflight, and what other answers carry.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c, in whichever region is asked: the rules are metadata.
 * Blocks:     on the cache; on a miss on the global database. Not without an Origin,
 *             nor where the bucket has no rules.
 * Invariant:  a preflight needs no signature, and tells of the bucket what its rules say and no more.
 * Source:     S3 API Reference, OPTIONS object; the Fetch standard.
 */
#include "fcgi/cors.h"

#include "base/log.h"
#include "fcgi/ops/ops.h"
#include "fcgi/respond.h"
#include "s3/cors.h"

#define HEADERS_MAX 16384
#define VARY "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
#define NOT_ALLOWED                                                                                                    \
	"CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request "    \
	"method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the "         \
	"resource's CORS spec."

/* The bucket's rules; NULL: none. */
static int
find_rules(struct req *r, const char **rules, struct err *err)
{
	*rules = NULL;
	if (r->bucket == NULL)
		return 0;
	return meta_bucket_config(r->thread->meta, r->arena, r->bucket, CONFIG_KIND_CORS, rules, err);
}

/* The lines of an answer to a request that a rule allows; NULL past the arena's cap. */
static const char *
header_lines(struct req *r, const struct cors_answer *a)
{
	struct reply rp = { .r = r };

	strbuf_init(&rp.head, r->arena, HEADERS_MAX);
	reply_header(&rp, "Access-Control-Allow-Origin", a->origin);
	reply_str(&rp, "Access-Control-Allow-Methods", a->methods);
	if (a->headers != NULL)
		reply_str(&rp, "Access-Control-Allow-Headers", a->headers);
	if (a->expose != NULL)
		reply_str(&rp, "Access-Control-Expose-Headers", a->expose);
	if (a->max_age_s >= 0)
		reply_i64(&rp, "Access-Control-Max-Age", a->max_age_s);
	if (a->credentials)
		reply_str(&rp, "Access-Control-Allow-Credentials", "true");
	reply_str(&rp, "Vary", VARY);
	return strbuf_ok(&rp.head) ? strbuf_cstr(&rp.head) : NULL;
}

void
cors_look_up(struct req *r)
{
	struct span asked = req_header(r, "access-control-request-method");
	struct cors_request rq = {
		.origin = req_header(r, "origin"),
		.method = asked.p != NULL ? asked : r->method,
	};
	struct cors_answer answer;
	struct err why = { 0 };
	const char *rules;

	if (rq.origin.p == NULL)
		return;
	if (find_rules(r, &rules, &why) != 0)
		log_event(r->id, EV_REQUEST_FAILED, LS("what", "a bucket's CORS rules cannot be read"), LS("bucket", r->bucket_name),
		    LS("detail", why.detail));
	else if (rules != NULL && s3_cors_match(r->arena, rules, &rq, &answer))
		r->cors_headers = header_lines(r, &answer);
}

/* ---- the preflight ---- */

static int
bad_request(struct req *r, const char *message)
{
	return req_refuse(r, S3_BadRequest, message, NULL, SPAN(""));
}

static int
forbidden(struct req *r, const char *message, struct span method, struct span type)
{
	(void)s3_problem_set(&r->problem, S3_AccessForbidden, message);
	s3_problem_extra(&r->problem, "Method", method);
	s3_problem_extra(&r->problem, "ResourceType", type);
	return req_refused(r, "a preflight that no rule allows");
}

/* There is no rule at all, whatever is asked for. */
static int
no_rules(struct req *r, const char *message)
{
	struct span method = req_header(r, "access-control-request-method");

	return forbidden(r, message, method.p != NULL ? method : r->method, SPAN("BUCKET"));
}

static bool
is_method(struct span s)
{
	enum s3_method m = s3_method_parse(s);

	return m != S3_METHOD_OTHER && m != S3_METHOD_OPTIONS;
}

int
op_cors_preflight(struct req *r, const struct identity *who)
{
	struct cors_request rq = {
		.origin = req_header(r, "origin"),
		.method = req_header(r, "access-control-request-method"),
		.headers = req_header(r, "access-control-request-headers"),
	};
	struct cors_answer answer;
	const char *rules;
	struct reply rp;

	(void)who;
	if (rq.origin.len == 0)
		return bad_request(r, "Insufficient information. Origin request header needed.");
	if (r->bucket == NULL || strcmp(r->bucket->status, "active") != 0)
		return no_rules(r, "CORSResponse: Bucket not found");
	if (find_rules(r, &rules, &r->err) != 0)
		return -1;
	if (rules == NULL)
		return no_rules(r, "CORSResponse: CORS is not enabled for this bucket.");
	if (!is_method(rq.method))
		return bad_request(r, arena_printf(r->arena, "Invalid Access-Control-Request-Method: %.*s",
		    rq.method.p == NULL ? 4 : (int)rq.method.len, rq.method.p == NULL ? "null" : rq.method.p));
	if (!s3_cors_match(r->arena, rules, &rq, &answer))
		return forbidden(r, NOT_ALLOWED, rq.method, r->key.len > 0 ? SPAN("OBJECT") : SPAN("BUCKET"));
	r->cors_headers = header_lines(r, &answer);
	reply_begin(&rp, r, 200);
	return reply_empty(&rp);
}
