/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/dispatch.c - one request: parse, authenticate, route, authorise, handle,
 * answer, log.
 *
 * Owns:       the struct req, for as long as serve() runs.
 * Called by:  worker.c, one thread a request.
 * Blocks:     yes.
 * Invariant:  a handler runs only with the identity that authenticate() made, in
 *             the bucket's home region (but for rows that say ANYWHERE), and after
 *             authorize() (CorsPreflight apart, which anybody may ask anywhere; a website asks it for each key). One access line a request, always.
 */
#include "fcgi/dispatch.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "fcgi/access_log.h"
#include "fcgi/authorize.h"
#include "fcgi/cors.h"
#include "fcgi/custom_domain.h"
#include "fcgi/identity.h"
#include "fcgi/notify.h"
#include "fcgi/ops/ops.h"
#include "fcgi/quota.h"
#include "fcgi/respond.h"
#include "fcgi/route.h"
#include "fcgi/service.h"
#include "fcgi/sts.h"
#include "fcgi/website.h"

#define DROPPED_BODY_MAX (64 * 1024)

static const op_fn handlers[] = {
#define OP(name, method, level, query, header, handler, action, of_version, class, body, flags, doc) [OP_##name] = handler,
#include "s3/operations.def"
#undef OP
};

const char *
serve_op_name(int op)
{
	if (op == S3_OP_COUNT)
		return "Unknown";
	return op < S3_OP_COUNT ? s3_operation_name(op) : NULL;
}

/* An operation about a bucket needs one; CreateBucket makes it. */
static int
bucket_there(struct req *r)
{
	if (r->bucket_name == NULL || r->op == OP_CreateBucket)
		return 0;
	if (r->bucket != NULL && (r->op == OP_DeleteBucket || strcmp(r->bucket->status, "active") == 0))
		return 0;
	return req_refuse(r, S3_NoSuchBucket, NULL, "BucketName", span_of(r->bucket_name));
}

/*
 * S3 heeds no body of a GET or HEAD (RFC 9110 9.3.1: it has no meaning). A small one is taken all the same: a web server that
 * is answered before it handed it out closes the client's connection, though it said that it would keep it. Of a large one as little is
 * taken as of a refused upload.
 */
static int
drop_small_body(struct req *r)
{
	bool heeded = !r->is_head && !span_eq(r->method, SPAN("GET"));
	char buf[4096];
	ssize_t n = 1;

	if (heeded || !r->http->expects_body || r->content_length < 0 || r->content_length > DROPPED_BODY_MAX)
		return 0;
	while (n > 0)
		n = http_read(r->http, buf, sizeof(buf));
	return n == 0 ? 0 : FAIL(&r->err, ERR_CLOSED, "the client sent less than the body that it told of");
}

static int
answer(struct req *r)
{
	const struct identity *who;
	int rc;

	if (req_read(r) != 0 || custom_domain(r) != 0 || req_name(r) != 0)
		return -1;
	if (r->website && r->op == OP_NONE)
		return website_refuse_method(r);
	if (service_is(r))
		return service_answer(r);
	if (sts_is(r) && sts_read(r) != 0)
		return -1;
	rc = authenticate(r, &who);
	if (r->op != OP_CorsPreflight)
		cors_look_up(r);
	if (rc != 0)
		return -1;
	/* Whoever asks, and of any region: the rules are metadata. */
	if (r->op == OP_CorsPreflight)
		return op_cors_preflight(r, who);
	rc = route(r, who);
	if (rc != 1)
		return rc;
	if (drop_small_body(r) != 0 || bucket_there(r) != 0)
		return -1;
	if (r->website)
		return website_serve(r, who);
	if (authorize(r, who) != 0)
		return -1;
	if (notify_begin(r) != 0)
		return -1;
	rc = handlers[r->op](r, who);
	notify_end(r);
	return rc;
}

/*
 * A request's id has to be unique, not secret: a step of SplitMix64, which visits
 * every 64-bit number once, from where crypto_random put this thread.
 */
static void
new_id(struct thread *t, char id[REQ_ID_LEN + 1])
{
	static const char digits[] = "0123456789ABCDEF";
	uint64_t z = t->id_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	for (size_t i = 0; i < REQ_ID_LEN; i++, z >>= 4)
		id[i] = digits[z & 15];
	id[REQ_ID_LEN] = '\0';
}

/* The access line, and the reason where it is our fault. */
static void
log_request(const struct req *r)
{
	const struct meta_spent *spent = meta_spent(r->thread->meta);
	int64_t dur_us = clock_mono_us() - r->start_us;
	bool named = r->op != OP_NONE;
	int op = named ? (int)r->op : S3_OP_COUNT;

	metric_request(op, r->status, dur_us, r->http->bytes_in, r->http->bytes_out);
	metric_add(M_REQUEST_GLOBAL_QUERIES, spent->global_queries);
	metric_add(M_REQUEST_REGIONAL_QUERIES, spent->regional_queries);
	if (r->status >= 500 && r->err.code != 0 && r->problem.code != S3_NotImplemented)
		log_event(r->id, EV_REQUEST_FAILED, LI("status", r->status), LS("kind", err_kind_name(r->err.code)),
		    LS("detail", r->err.detail), LS("where", r->err.where));
	log_event(r->id, EV_REQUEST, LSPAN("method", r->method), LS("op", serve_op_name(op)), LS("bucket", r->bucket_name),
	    LSPAN("key", r->key), LI("st", r->status),
	    LS("err", r->err.code == 0 ? NULL : s3_error_find(r->err.code)->name), LI("in", r->http->bytes_in),
	    LI("out", r->http->bytes_out), LI("us", dur_us), LI("db_us", spent->db_us), LI("cache_us", spent->cache_us),
	    LI("store_us", r->store_us), LI("ack_us", spent->ack_wait_us), LS("ack_silent", spent->ack_silent),
	    LS("ack_skipped", spent->ack_skipped), LI("unproved", spent->unproved),
	    LI("global_queries", spent->global_queries),
	    LI("regional_queries", spent->regional_queries), LS("route", r->route), LS("from", r->hop_from), LS("ak", r->access_key), LS("app", r->acts_for),
	    LS("ip", r->client_addr), LI("aborted", r->http->broken));
}

void
serve(struct thread *t, struct http *h)
{
	struct req r = {
		.thread = t,
		.arena = t->arena,
		.http = h,
		.now_us = clock_wall_us(),
		.start_us = clock_mono_us(),
		.object_size = -1,
	};

	new_id(t, r.id);
	*meta_spent(t->meta) = (struct meta_spent){ 0 };
	if (answer(&r) != 0) {
		ASSERT(r.err.code != 0);
		if (!h->started || r.kept_us != 0)
			reply_error(&r);
		else
			http_abort(h);
	}
	access_log(&r, clock_mono_us() - r.start_us);
	quota_watch(&r);
	log_request(&r);
}
