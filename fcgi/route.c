/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/route.c - carries out the plan of routing/: serve here, refuse, redirect, relay.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c, after authentication and before a byte of the body is read.
 * Blocks:     a relay blocks on the client and on the home region.
 * Invariant:  a relayed request leaves as it came, hop header apart.
 */
#include "fcgi/route.h"

#include "base/log.h"
#include "base/metrics.h"
#include "fcgi/copy_remote.h"
#include "fcgi/respond.h"
#include "meta/registry.h"
#include "routing/hop.h"
#include "routing/route.h"

#include "fcgi/worker.h"

static enum route_signed
signed_how(const struct req *r, const struct identity *who)
{
	if (r->op == OP_PostObject)
		return ROUTE_POST_FORM;
	switch (who->auth.form) {
	case SIGV4_HEADER: return ROUTE_HEADER;
	case SIGV4_PRESIGNED: return ROUTE_PRESIGNED;
	case SIGV4_POST_FORM: return ROUTE_POST_FORM;
	case SIGV4_ANONYMOUS: break;
	}
	return ROUTE_ANONYMOUS;
}

static bool
is_browser(const struct req *r)
{
	struct span mode = req_header(r, "sec-fetch-mode");

	return mode.p != NULL && (s3_ieq(mode, SPAN("navigate")) || s3_ieq(mode, SPAN("no-cors")));
}

static bool
make_request(struct req *r, const struct identity *who, struct route_request *rq)
{
	const char *scope = NULL;
	char *method = arena_strndup(r->arena, r->method.p, r->method.len);

	if (who->app != NULL) {
		scope = arena_strndup(r->arena, who->auth.region.p, who->auth.region.len);
		if (scope == NULL)
			return false;
	}
	/* As if signed for the home, so that it is relayed: the home's endpoint is no website that he could be sent to. */
	if (r->website && r->bucket != NULL)
		scope = r->bucket->region;
	*rq = (struct route_request){
		.in = {
			.here = r->thread->settings->region,
			.scope = scope,
			.signature = signed_how(r, who),
			.method = method,
			.is_object = r->key.len > 0,
			.answered_anywhere = (s3_operation(r->op)->flags & S3_OP_ANYWHERE) != 0,
			.browser = is_browser(r),
			.expects_continue = req_header(r, "expect").p != NULL,
			.hop_from = r->hop_from,
			.hop_via = r->hop_via,
		},
		.bucket = r->bucket,
		.bucket_name = r->bucket_name,
		.vhost = r->uri.style == S3_STYLE_VHOST,
		.custom_domain = r->custom_domain,
		.makes_bucket = r->op == OP_CreateBucket,
		.endpoint_name = r->uri.style == S3_STYLE_VHOST ? r->uri.domain : r->uri.host,
		.raw_path = r->uri.raw_path,
		.raw_query = r->uri.raw_query,
		.signed_request = &r->signed_request,
		.auth = who->app != NULL ? &who->auth : NULL,
		.app = who->app,
		.now_us = r->now_us,
	};
	if (who->session != NULL) {
		rq->temporary_key = span_of(who->session->access_key);
		rq->temporary_secret = span_of(who->session->secret);
	}
	return method != NULL;
}

/* ---- relay ---- */

static bool
io_ready(void *arg)
{
	struct req *r = arg;

	return http_body_ready(r->http);
}

static bool
io_gone(void *arg)
{
	struct req *r = arg;

	return http_gone(r->http);
}

static ssize_t
io_read(void *arg, void *p, size_t len)
{
	struct req *r = arg;
	ssize_t n = http_read(r->http, p, len);

	return n < 0 && r->http->stalled ? RELAY_STALLED : n;
}

static int
io_begin(void *arg, int status, struct span headers)
{
	struct req *r = arg;
	struct strbuf head;

	r->status = status;
	strbuf_init(&head, r->arena, REPLY_HEAD_MAX * 2);
	strbuf_printf(&head, "Status: %d %s\r\n", status, reply_reason(status));
	strbuf_span(&head, headers);
	strbuf_span(&head, SPAN("\r\n"));
	return strbuf_ok(&head) ? http_begin(r->http, head.buf, head.len) : -1;
}

static int
io_write(void *arg, const void *p, size_t len)
{
	struct req *r = arg;

	return http_write(r->http, p, len);
}

static int
io_flush(void *arg)
{
	struct req *r = arg;

	return http_flush(r->http);
}

static const char *
hop_value(struct req *r)
{
	struct hop_request bound = { .method = r->method, .target = r->target, .host = r->host };
	struct hop hop = {
		.from = r->hop_from != NULL ? r->hop_from : r->thread->settings->region,
		.via = r->hop_from != NULL ? r->thread->settings->region : NULL,
		.to = r->bucket->region,
		.request_id = r->id,
		.client_addr = r->client_addr,
		.domain = "",
		.secure = r->secure,
		.sent_us = r->now_us,
	};

	if (r->custom_domain)
		hop.domain = HOP_CUSTOM_DOMAIN;
	else if (r->uri.style == S3_STYLE_VHOST)
		hop.domain = arena_strndup(r->arena, r->uri.domain.p, r->uri.domain.len);
	if (r->website && hop.domain != NULL)
		hop.domain = arena_printf(r->arena, "%c%s", HOP_WEBSITE, hop.domain);
	return hop.domain == NULL ? NULL : hop_make(r->arena, r->thread->settings, &hop, &bound);
}

static const char unreachable[] = "The bucket's home region cannot be reached.";

/* The problem, with the elements that every answer about another region has. */
static void
problem_of(struct req *r, const struct route_plan *plan, enum s3_code code, const char *message)
{
	(void)s3_problem_set(&r->problem, (int)code, message);
	if (plan->location.endpoint != NULL)
		s3_problem_extra(&r->problem, "Endpoint", span_of(plan->location.endpoint));
	s3_problem_extra(&r->problem, "Bucket", span_of(r->bucket_name));
	if (plan->bucket_region != NULL)
		s3_problem_extra(&r->problem, "Region", span_of(plan->bucket_region));
}

static int
relay(struct req *r, const struct route_plan *plan)
{
	struct relay_io io = {
		.arg = r,
		.fd = http_body_fd(r->http),
		.ready = io_ready,
		.gone = io_gone,
		.read = io_read,
		.begin = io_begin,
		.write = io_write,
		.flush = io_flush,
	};
	struct relay_header *headers = arena_array(r->arena, r->headers.n + 1, sizeof(*headers));
	struct relay_request rq = {
		.home = plan->home,
		.method = arena_strndup(r->arena, r->method.p, r->method.len),
		.target = r->target,
		.host = arena_strndup(r->arena, r->host.p, r->host.len),
		.headers = headers,
		.content_length = r->content_length,
		.has_body = r->http->expects_body,
		.hop = hop_value(r),
		.request_id = r->id,
	};

	if (headers == NULL || rq.method == NULL || rq.host == NULL || rq.hop == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	rq.n_headers = 0;
	for (size_t i = 0; i < r->headers.n; i++)
		if (r->hop_from != NULL || !s3_header_name_eq(r->headers.h[i].name, SPAN(COPY_ASK_HEADER)))
			headers[rq.n_headers++] = (struct relay_header){ r->headers.h[i].name, r->headers.h[i].value };
	if (rq.has_body)
		http_limit_read(r->http, r->thread->settings->relay_idle_ms);
	if (relay_run(r->thread->relay, r->arena, &rq, &io, &r->status, &r->err) == 0)
		return 0;
	if (r->err.code == ERR_UNAVAILABLE) /* as when the breaker has refused it */
		problem_of(r, plan, S3_ServiceUnavailable, unreachable);
	return -1;
}

/* ---- refusals and redirects ---- */

static int
redirect(struct req *r, const struct route_plan *plan, enum s3_code code)
{
	struct strbuf xml;
	struct reply rp;

	problem_of(r, plan, code, NULL);
	reply_begin(&rp, r, s3_error_find((int)code)->status);
	reply_str(&rp, "Location", plan->location.url);
	if (plan->location_is_signed)
		reply_str(&rp, "Cache-Control", "no-store");
	if (!reply_error_xml(r, &xml))
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	return reply_body(&rp, "application/xml", (struct span){ xml.buf, xml.len });
}

static int
wrong_scope(struct req *r, const struct identity *who, const struct route_plan *plan)
{
	const char *allowed[] = { plan->expected_scope };

	metric_add(M_AUTH_REFUSED, 1);
	if (sigv4_check_region(r->arena, &who->auth, allowed, 1, plan->expected_scope, &r->problem) != 0)
		return req_refused(r, "the signature's scope names another region");
	return FAIL(&r->err, ERR_INTERNAL, "the scope is refused and right at once");
}

static int
carry_out(struct req *r, const struct identity *who, const struct route_plan *plan)
{
	switch (plan->what) {
	case ROUTE_SERVE:
		return 1;
	case ROUTE_NO_BUCKET:
		return req_refuse(r, S3_NoSuchBucket, NULL, "BucketName", span_of(r->bucket_name));
	case ROUTE_DO_RELAY:
	case ROUTE_RELAY_ON:
		return relay(r, plan);
	case ROUTE_301:
		return redirect(r, plan, S3_PermanentRedirect);
	case ROUTE_307:
	case ROUTE_307_PRESIGN:
		return redirect(r, plan, S3_TemporaryRedirect);
	case ROUTE_WRONG_SCOPE:
		return wrong_scope(r, who, plan);
	case ROUTE_UNREACHABLE:
		problem_of(r, plan, S3_ServiceUnavailable, unreachable);
		return req_refused(r, "the bucket's home region cannot be reached");
	case ROUTE_BUSY:
		problem_of(r, plan, S3_SlowDown, "Too many requests for the bucket's home region are under way.");
		return req_refused(r, "relays to the bucket's home region hold their share of the threads");
	case ROUTE_LOOP:
		break;
	}
	problem_of(r, plan, S3_SlowDown, "The regions do not agree about the bucket's home.");
	return req_refused(r, "a relayed request came to a region that is not the bucket's home");
}

/*
 * Another region believes that the bucket is at home here, and what this one knows says otherwise: while a bucket's new
 * home gets about, either may be behind. The primary knows.
 */
static int
ask_primary(struct req *r)
{
	struct bucket *b;
	struct err why = { 0 };

	if (r->hop_from == NULL || r->bucket_name == NULL ||
	    (r->bucket != NULL && strcmp(r->bucket->region, r->thread->settings->region) == 0))
		return 0;
	b = ARENA_NEW(r->arena, struct bucket);
	if (b == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (registry_bucket_find(r->thread->meta, r->arena, r->bucket_name, b, &why) == 0)
		r->bucket = b;
	else if (why.code == ERR_NOT_FOUND)
		r->bucket = NULL;
	else
		return err_fail(&r->err, why.code, why.where, "%s", why.detail);
	return 0;
}

int
route(struct req *r, const struct identity *who)
{
	struct route_request rq;
	struct route_plan plan;

	if (ask_primary(r) != 0)
		return -1;
	if (!make_request(r, who, &rq))
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (route_plan(r->thread->meta, r->thread->worker->relays, r->arena, &rq, &plan, &r->err) != 0)
		return -1;
	r->route = route_do_name(plan.what);
	return carry_out(r, who, &plan);
}
