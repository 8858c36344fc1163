/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing/hop.h - the header that a relayed request carries from region to
 * region: who relays, for whom, under which request id. Authenticated with the
 * cluster's secret and bound to the request's line and Host, so that no client
 * can forge one or move it to another request; what it says stops loops, keeps
 * one request id over both regions, and lets the home take the client's Host apart.
 */
#ifndef ANVIL_ROUTING_HOP_H
#define ANVIL_ROUTING_HOP_H

#include "base/arena.h"
#include "base/settings.h"

#define HOP_HEADER "x-anvil-hop"
#define HOP_CUSTOM_DOMAIN "." /* the client's Host itself is the bucket */
#define HOP_WEBSITE '@'       /* before a domain: whoever asks visits a website */

struct hop {
	const char *from;        /* region that relays for a client */
	const char *to;          /* region it believes home */
	const char *request_id;
	const char *client_addr;
	const char *domain;      /* of ours, that the client's Host ends in; "" = path style; HOP_CUSTOM_DOMAIN; HOP_WEBSITE and one of these */
	bool secure;             /* the client spoke TLS */
	int64_t sent_us;
	const char *via;         /* the old home of a bucket that has just moved, which passed the request on; NULL = none did */
};

/* What the header is bound to. */
struct hop_request {
	struct span method, target, host;
};

/* The header's value, in the arena; NULL past its cap. */
const char *hop_make(struct arena *a, const struct settings *s, const struct hop *h, const struct hop_request *rq);
/*
 * Is this value ours, for this request, for this region, and fresh (15 minutes, as a signature)?
 * On true *out is filled, strings in the arena.
 */
bool hop_check(struct arena *a, const struct settings *s, const char *value, const struct hop_request *rq,
    int64_t now_us, struct hop *out);

#endif
