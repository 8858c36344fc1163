/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing/route.h - from a request to what must be done: the decision, and all
 * that carrying it out needs (the home's row, a Location). The caller serves,
 * answers with the S3 error, or calls relay_run.
 */
#ifndef ANVIL_ROUTING_ROUTE_H
#define ANVIL_ROUTING_ROUTE_H

#include "meta/meta.h"
#include "routing/decide.h"
#include "routing/location.h"
#include "routing/relay.h"
#include "s3/sigv4.h"

struct route_request {
	struct route_in in;             /* all but home, mode, home_relay, which are filled in */
	const struct bucket *bucket;    /* NULL = none named, or there is none */
	const char *bucket_name;        /* NULL = none named */
	bool vhost, custom_domain;
	bool makes_bucket;              /* CreateBucket */
	struct span endpoint_name;      /* the host that was asked, without port and bucket */
	struct span raw_path, raw_query;
	/* for ROUTE_307_PRESIGN of a presigned request, after it was verified; NULL when anonymous */
	const struct sigv4_request *signed_request;
	const struct sigv4_auth *auth;
	const struct app *app;
	struct span temporary_key, temporary_secret; /* of a session that signed; p is NULL: the app did */
	int64_t now_us;
};
struct route_plan {
	enum route_do what;
	const char *bucket_region;      /* for x-amz-bucket-region; NULL = no bucket */
	const char *expected_scope;     /* for ROUTE_WRONG_SCOPE: the <Region> to name */
	const struct region *home;      /* not NULL for relays and redirects */
	struct location location;       /* for redirects; url is what Location says */
	bool location_is_signed;        /* Cache-Control: no-store */
};
/* -1 with err: ERR_UNAVAILABLE (the regions cannot be known now), ERR_INTERNAL (a bucket's home has no row). */
MUST_CHECK int route_plan(struct meta_thread *t, struct relays *relays, struct arena *a,
    const struct route_request *rq, struct route_plan *out, struct err *err);

#endif
