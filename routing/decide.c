/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing/decide.c - the decision table, in the order in which it is read.
 *
 * Owns:   nothing.
 * Blocks: no; a function of its argument.
 * Why a redirect is the exception: with an operator's own endpoints a plain
 * redirect breaks most SDKs, or makes them "succeed" with nothing stored, so in
 * `auto` only a browser is ever sent elsewhere.
 */
#include "routing/decide.h"

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* A relayed request keeps the scope that the client chose for the region it asked. */
static bool
scope_is_right(const struct route_in *in)
{
	return in->scope == NULL || same(in->scope, in->here) ||
	    same(in->scope, in->home) || same(in->scope, in->hop_from) || same(in->scope, in->hop_via) ||
	    same(in->scope, ROUTE_SDK_DEFAULT_REGION);
}

static bool
only_reads(const struct route_in *in)
{
	return same(in->method, "GET") || same(in->method, "HEAD");
}

/* Can whoever asks follow a Location that needs no new signature of theirs? */
static bool
follows_presigned(const struct route_in *in)
{
	return in->is_object && only_reads(in) &&
	    (in->signature == ROUTE_PRESIGNED || in->signature == ROUTE_ANONYMOUS);
}

static enum route_do
redirect(const struct route_in *in)
{
	if (follows_presigned(in))
		return ROUTE_307_PRESIGN;
	if (in->signature == ROUTE_ANONYMOUS || in->signature == ROUTE_POST_FORM)
		return ROUTE_307;
	/* AWS: 307 tells a client that waits for 100 to send the same again elsewhere. */
	if (!only_reads(in) && in->expects_continue)
		return ROUTE_307;
	return ROUTE_301;
}

static enum route_do
relay(const struct route_in *in, enum route_do which)
{
	if (in->home_relay == BREAKER_GO)
		return which;
	return in->home_relay == BREAKER_DOWN ? ROUTE_UNREACHABLE : ROUTE_BUSY;
}

enum route_do
route_decide(const struct route_in *in)
{
	if (!scope_is_right(in))
		return ROUTE_WRONG_SCOPE;
	if (in->home == NULL)
		return in->answered_anywhere ? ROUTE_SERVE : ROUTE_NO_BUCKET;
	if (same(in->home, in->here))
		return ROUTE_SERVE;
	/* They believe us home, and we know better: the bucket has moved. Twice would be without an end. */
	if (in->hop_from != NULL)
		return in->hop_via != NULL ? ROUTE_LOOP : relay(in, ROUTE_RELAY_ON);
	if (in->answered_anywhere)
		return ROUTE_SERVE;
	/*
	 * Signed for the home already, but sent here: the SDK learned the region
	 * and stays at the host it was given. A redirect would go round for ever.
	 */
	if (!same(in->scope, in->home) && in->mode == ROUTE_REDIRECT)
		return redirect(in);
	if (in->home_relay == BREAKER_GO && !same(in->scope, in->home) && in->mode == ROUTE_AUTO &&
	    in->browser && follows_presigned(in))
		return ROUTE_307_PRESIGN;
	return relay(in, ROUTE_DO_RELAY);
}

const char *
route_do_name(enum route_do d)
{
	static const char *const names[] = {
		[ROUTE_SERVE] = "serve",
		[ROUTE_NO_BUCKET] = "no_bucket",
		[ROUTE_DO_RELAY] = "relay",
		[ROUTE_RELAY_ON] = "relay_on",
		[ROUTE_301] = "301",
		[ROUTE_307] = "307",
		[ROUTE_307_PRESIGN] = "307_presigned",
		[ROUTE_WRONG_SCOPE] = "wrong_scope",
		[ROUTE_UNREACHABLE] = "unreachable",
		[ROUTE_BUSY] = "busy",
		[ROUTE_LOOP] = "loop",
	};

	return names[d];
}
