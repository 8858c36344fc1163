/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing/location.h - where a request would go if it were sent to another
 * region: the same target, in the style (path or virtual host) the client used.
 */
#ifndef ANVIL_ROUTING_LOCATION_H
#define ANVIL_ROUTING_LOCATION_H

#include "base/arena.h"
#include "meta/meta.h"

struct location_in {
	const struct region *home;
	const char *bucket;
	bool vhost;               /* the client's style */
	bool custom_domain;       /* vhost, by a host of the customer's: its name need not fit our certificate */
	struct span raw_path;     /* as it came; begins with "/" */
	struct span raw_query;    /* as it came, without "?" */
};
struct location {
	const char *base;         /* "https://bucket.s3.eu.example.com" or "https://s3.eu.example.com" */
	const char *path;         /* raw path at that base */
	const char *url;          /* base, path and query */
	const char *endpoint;     /* host[:port] of the base, for <Endpoint> */
};
/*
 * A region without domain names is reached in path style whatever the client used.
 * Returns false past the arena's cap.
 */
bool location_of(struct arena *a, const struct location_in *in, struct location *out);

#endif
