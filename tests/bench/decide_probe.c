/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/bench/decide_probe.c - what a routing decision costs: every kind of
 * request in turn, the breaker asked as a worker asks it. Prints nanoseconds.
 */
#include "base/base.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "routing/decide.h"

#define TURNS 2000000
#define ROUNDS 9

static const struct route_in kinds[] = {
	{ .here = "eu", .home = "eu", .scope = "eu", .signature = ROUTE_HEADER, .method = "GET", .is_object = true },
	{ .here = "us", .home = "eu", .scope = "us", .signature = ROUTE_HEADER, .method = "PUT", .is_object = true },
	{ .here = "us", .home = "eu", .scope = "eu", .signature = ROUTE_HEADER, .method = "DELETE", .is_object = true },
	{ .here = "us", .home = "eu", .scope = "us-east-1", .signature = ROUTE_PRESIGNED, .method = "GET", .is_object = true, .browser = true },
	{ .here = "us", .home = "eu", .scope = "us", .mode = ROUTE_REDIRECT, .signature = ROUTE_HEADER, .method = "GET" },
	{ .here = "us", .home = "eu", .signature = ROUTE_ANONYMOUS, .method = "POST" },
	{ .here = "eu", .home = "eu", .scope = "us", .hop_from = "us", .signature = ROUTE_HEADER, .method = "GET", .is_object = true },
	{ .here = "us", .scope = "us", .signature = ROUTE_HEADER, .method = "GET", .answered_anywhere = true },
};

static int64_t
one_round(struct breaker *b, bool ask)
{
	int64_t began = clock_mono_us();
	volatile int sum = 0;

	for (size_t i = 0; i < TURNS; i++) {
		struct route_in in = kinds[i % ARRAY_LEN(kinds)];

		if (ask && in.home != NULL && strcmp(in.home, in.here) != 0)
			in.home_relay = breaker_ask(b, in.home, began);
		sum += (int)route_decide(&in);
	}
	return (clock_mono_us() - began) * 1000 / TURNS;
}

int
main(void)
{
	struct breaker *b = breaker_new(8);

	if (log_open("decide_probe", LOG_ERROR, "") != 0)
		return 1;
	for (int i = 0; i < ROUNDS; i++)
		printf("decide ns=%" PRId64 " with_breaker_ns=%" PRId64 "\n", one_round(b, false), one_round(b, true));
	breaker_free(b);
	return 0;
}
