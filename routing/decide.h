/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing/decide.h - whose region is this, and what follows. The decision table
 * as a pure function: no I/O, no clock; made after the request line, the headers
 * and the signature's key are known, before a byte of the body is taken.
 */
#ifndef ANVIL_ROUTING_DECIDE_H
#define ANVIL_ROUTING_DECIDE_H

#include "routing/breaker.h"

enum route_mode { ROUTE_AUTO, ROUTE_REDIRECT, ROUTE_RELAY };
enum route_signed { ROUTE_ANONYMOUS, ROUTE_HEADER, ROUTE_PRESIGNED, ROUTE_POST_FORM };

struct route_in {
	const char *here;          /* this region */
	const char *home;          /* the bucket's; NULL = no such bucket, or no bucket named */
	const char *scope;         /* the credential scope's region; NULL when anonymous */
	enum route_mode mode;      /* the bucket's own, else the region's */
	enum route_signed signature;
	const char *method;        /* "GET" ... */
	bool is_object;            /* a key is named */
	bool answered_anywhere;    /* of metadata alone (ListBuckets, HeadBucket, GetBucketPolicy ...): the operation's row says so */
	bool browser;              /* Sec-Fetch-Mode: navigate or no-cors */
	bool expects_continue;     /* Expect: 100-continue is there */
	const char *hop_from;      /* the region that relayed it here (a verified hop header); NULL = a client asks */
	const char *hop_via;       /* the region that passed it on, when it was relayed there first; NULL = none */
	enum breaker_verdict home_relay; /* may a relay go there */
};

enum route_do {
	ROUTE_SERVE,
	ROUTE_NO_BUCKET,           /* 404 NoSuchBucket */
	ROUTE_DO_RELAY,
	ROUTE_RELAY_ON,            /* a relay that came to the bucket's old home: once more, to the new one */
	ROUTE_301,                 /* PermanentRedirect */
	ROUTE_307,                 /* TemporaryRedirect, Location as asked */
	ROUTE_307_PRESIGN,         /* 307; a presigned URL is signed anew for the home */
	ROUTE_WRONG_SCOPE,         /* 400 AuthorizationHeaderMalformed, Region = home (or here) */
	ROUTE_UNREACHABLE,         /* 503 ServiceUnavailable, Retry-After, names the home */
	ROUTE_BUSY,                /* 503 SlowDown, Retry-After: too many relays to a slow home at once */
	ROUTE_LOOP                 /* 503 SlowDown, Retry-After; logged and counted */
};

/* What SDKs sign for when nobody told them a region; accepted everywhere. */
#define ROUTE_SDK_DEFAULT_REGION "us-east-1"

/* Pure and thread-safe. */
enum route_do route_decide(const struct route_in *in);
/* "serve", "relay" ... for the log. */
const char *route_do_name(enum route_do d);

#endif
