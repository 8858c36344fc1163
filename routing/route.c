/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing/route.c - decision table, regions and locations put together.
 *
 * Owns:   nothing.
 * Blocks: on memcached or the global database, only for a bucket that lives
 *         elsewhere (its home's endpoint is asked for).
 */
#include "routing/route.h"

#include "base/log.h"
#include "base/metrics.h"

static enum route_mode
mode_of(const char *word)
{
	if (strcmp(word, "redirect") == 0)
		return ROUTE_REDIRECT;
	return strcmp(word, "relay") == 0 ? ROUTE_RELAY : ROUTE_AUTO;
}

static int
find_home(struct meta_thread *t, struct arena *a, const char *name, const struct region **out, struct err *err)
{
	struct region *regions;
	size_t n;

	if (meta_regions(t, a, &regions, &n, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (strcmp(regions[i].name, name) == 0) {
			*out = &regions[i];
			return 0;
		}
	return FAIL(err, ERR_INTERNAL, "a bucket's home region \"%s\" has no row", name);
}

/* The URL that a browser may follow: signed anew for the home where the client's was signed. */
static int
sign_location(struct meta_thread *t, struct arena *a, const struct route_request *rq, struct route_plan *out,
    struct err *err)
{
	const struct settings *s = meta_settings(meta_of(t));
	char secret[APP_SECRET_MAX + 1] = "";
	struct sigv4_signer by;

	if (rq->auth == NULL || rq->auth->form != SIGV4_PRESIGNED)
		return 0;
	if (rq->temporary_secret.p == NULL && app_secret(s, rq->app, secret, err) != 0)
		return -1;
	by = (struct sigv4_signer){
		.key_id = rq->temporary_secret.p != NULL ? rq->temporary_key : span_of(rq->app->access_key),
		.secret = rq->temporary_secret.p != NULL ? rq->temporary_secret : span_of(secret),
		.token = rq->auth->token,
		.region = span_of(out->home->name),
		.service = SPAN("s3"),
		.now_us = rq->now_us,
	};
	out->location.url = sigv4_presign_again(a, rq->signed_request, rq->auth, &by,
	    out->location.base, span_of(out->location.path));
	crypto_wipe(secret, sizeof(secret));
	out->location_is_signed = true;
	if (out->location.url == NULL)
		return FAIL(err, ERR_LIMIT, "a presigned URL grew too long");
	return 0;
}

static int
plan_elsewhere(struct meta_thread *t, struct arena *a, const struct route_request *rq, struct route_plan *out,
    struct err *err)
{
	struct location_in in = {
		.bucket = rq->bucket->name,
		.vhost = rq->vhost,
		.custom_domain = rq->custom_domain,
		.raw_path = rq->raw_path,
		.raw_query = rq->raw_query,
	};

	if (find_home(t, a, rq->bucket->region, &out->home, err) != 0)
		return -1;
	in.home = out->home;
	if (!location_of(a, &in, &out->location))
		return FAIL(err, ERR_LIMIT, "no memory for a location");
	if (out->what == ROUTE_307_PRESIGN)
		return sign_location(t, a, rq, out, err);
	return 0;
}

/*
 * The region that the scope means, when it is not a region's name or not this one's. Clients that know AWS's endpoints
 * only take the whole name of another for its region (Haskell's aws, and so git-annex): it is the one that was asked.
 * And minio-go signs a CreateBucket for the region where the bucket shall be, whichever it asks; from here it can be
 * made in each of them.
 */
static int
scope_means(struct meta_thread *t, struct arena *a, const struct route_request *rq, const char *here, const char **scope,
    struct err *err)
{
	struct region *regions;
	size_t n;

	*scope = rq->in.scope;
	if (*scope == NULL || strcmp(*scope, here) == 0 || strcmp(*scope, ROUTE_SDK_DEFAULT_REGION) == 0)
		return 0;
	if (span_eq(span_of(*scope), rq->endpoint_name)) {
		*scope = here;
		return 0;
	}
	if (!rq->makes_bucket)
		return 0;
	if (meta_regions(t, a, &regions, &n, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (strcmp(regions[i].name, *scope) == 0)
			*scope = here;
	return 0;
}

int
route_plan(struct meta_thread *t, struct relays *relays, struct arena *a, const struct route_request *rq,
    struct route_plan *out, struct err *err)
{
	const struct settings *s = meta_settings(meta_of(t));
	struct route_in in = rq->in;
	bool elsewhere;

	*out = (struct route_plan){ .expected_scope = s->region };
	in.here = s->region;
	if (scope_means(t, a, rq, s->region, &in.scope, err) != 0)
		return -1;
	if (rq->bucket != NULL) {
		in.home = rq->bucket->region;
		out->bucket_region = out->expected_scope = in.home;
	}
	in.mode = mode_of(rq->bucket != NULL && rq->bucket->routing_mode[0] != '\0'
		? rq->bucket->routing_mode : s->routing_mode);
	elsewhere = in.home != NULL && strcmp(in.home, in.here) != 0;
	in.home_relay = BREAKER_GO;
	out->what = route_decide(&in);
	/* Asked only when it matters: asking lets one request through to a region that was down. */
	if (out->what == ROUTE_DO_RELAY || out->what == ROUTE_RELAY_ON) {
		in.home_relay = relays_ask(relays, in.home);
		out->what = route_decide(&in);
	}
	if (out->what == ROUTE_LOOP) {
		metric_add(M_LOOPS, 1);
		log_event(NULL, EV_ROUTE_LOOP, LS("bucket", rq->bucket->name), LS("home", in.home),
		    LS("from", in.hop_from));
	}
	if (out->what == ROUTE_301 || out->what == ROUTE_307 || out->what == ROUTE_307_PRESIGN)
		metric_add(M_REDIRECTED, 1);
	return elsewhere && out->what != ROUTE_SERVE ? plan_elsewhere(t, a, rq, out, err) : 0;
}
