/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/service.c - health and metrics of this region, as this worker sees them.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c.
 * Blocks:     on both databases, memcached and the store, each within its own limit.
 * Invariant:  says nothing that a stranger may not know: no names, no addresses. Only another region is told more (move.c).
 */
#include "fcgi/service.h"

#include "base/log.h"
#include "base/metrics.h"
#include "fcgi/dispatch.h"
#include "fcgi/move.h"
#include "fcgi/respond.h"
#include "fcgi/worker.h"
#include "meta/registry.h"

#define METRICS_MAX (4 * 1024 * 1024)

bool
service_is(const struct req *r)
{
	return r->uri.style == S3_STYLE_PATH && r->bucket_name != NULL && strcmp(r->bucket_name, "-") == 0;
}

struct health {
	bool global_ok, regional_ok, store_ok;
	bool cache_used, cache_trusted;
	int64_t free_bytes;
};

static bool
database_ok(struct req *r, char which)
{
	struct database_status st;
	struct err err = { 0 };

	return registry_database(r->thread->meta, r->arena, which, &st, &err) == 0;
}

static void
look_at_cache(struct req *r, struct health *h)
{
	static const char *const no_regions[] = { NULL };
	struct cache_thread *ct = registry_cache(r->thread->meta);
	struct cache_status st;
	struct err err = { 0 };

	if (ct == NULL)
		return;
	h->cache_used = true;
	if (cache_status(ct, r->arena, no_regions, 0, &st, &err) != 0)
		return;
	h->cache_trusted = st.n_servers > 0;
	for (size_t i = 0; i < st.n_servers; i++)
		if (st.servers[i].trusted_pages < CACHE_PAGES)
			h->cache_trusted = false;
}

/* How metadata is known here just now: from the cache and the database, one of them, or not with proof. */
static const char *
metadata_word(const struct req *r, const struct health *h)
{
	if (h->global_ok)
		return h->cache_trusted || !h->cache_used ? "well" : "database only";
	if (h->cache_trusted)
		return "cache only";
	return strcmp(r->thread->settings->metadata_when_cut_off, "serve") == 0 && h->cache_used ? "unproved" : "unknown";
}

/*
 * 200 when requests can be served: objects' rows and bytes are within reach, and metadata can be known, by the
 * cache or by the primary; or the operator wants what is cached rather than nothing. "degraded" when that is not all
 * that there should be: an operator should look, but the region should stay in service.
 */
static int
health(struct req *r)
{
	struct health h = { 0 };
	struct strbuf sb;
	struct reply rp;
	struct err err = { 0 };
	const char *metadata;
	int64_t total;
	bool ok;

	h.global_ok = database_ok(r, 'g');
	h.regional_ok = database_ok(r, 'r');
	h.store_ok = store_space(r->thread->store, &h.free_bytes, &total, &err) == 0 && h.free_bytes > 0;
	look_at_cache(r, &h);
	metadata = metadata_word(r, &h);
	ok = h.regional_ok && h.store_ok && strcmp(metadata, "unknown") != 0;
	strbuf_init(&sb, r->arena, 1024);
	strbuf_printf(&sb,
	    "{\"status\":\"%s\",\"region\":\"%s\",\"metadata\":\"%s\",\"regional_database\":%s,\"global_database\":%s,"
	    "\"cache_trusted\":%s,\"store\":%s,\"store_free_bytes\":%" PRId64 "}\n",
	    !ok ? "failing" : strcmp(metadata, "well") != 0 ? "degraded" : "ok", r->thread->settings->region, metadata,
	    h.regional_ok ? "true" : "false", h.global_ok ? "true" : "false", h.cache_trusted ? "true" : "false",
	    h.store_ok ? "true" : "false", h.free_bytes);
	reply_begin(&rp, r, ok ? 200 : 503);
	reply_str(&rp, "Cache-Control", "no-store");
	return reply_body(&rp, "application/json", (struct span){ sb.buf, sb.len });
}

static int
metrics(struct req *r)
{
	struct strbuf sb;
	struct reply rp;

	strbuf_init(&sb, r->arena, METRICS_MAX);
	metrics_print(&sb, r->thread->settings->region, serve_op_name);
	region_metrics(r, &sb);
	if (!strbuf_ok(&sb))
		return FAIL(&r->err, ERR_LIMIT, "the metrics are too long");
	reply_begin(&rp, r, 200);
	reply_str(&rp, "Cache-Control", "no-store");
	return reply_body(&rp, "text/plain; version=0.0.4; charset=utf-8", (struct span){ sb.buf, sb.len });
}

int
service_answer(struct req *r)
{
	r->op = OP_NONE;
	r->route = "service";
	if (!span_eq(r->method, SPAN("GET")) && !r->is_head)
		return req_refuse(r, S3_MethodNotAllowed, NULL, "Method", r->method);
	if (span_eq(r->key, SPAN("health")))
		return health(r);
	if (span_eq(r->key, SPAN("metrics")))
		return metrics(r);
	if (move_is(r))
		return move_answer(r);
	return req_refuse(r, S3_NoSuchKey, NULL, "Key", r->key);
}
