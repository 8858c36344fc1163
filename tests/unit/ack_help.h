/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/ack_help.h - a writer's wait for acknowledgements, without its database.
 */
#ifndef ANVIL_TESTS_UNIT_ACK_HELP_H
#define ANVIL_TESTS_UNIT_ACK_HELP_H

#include "base/clock.h"
#include "meta/cache_impl.h"

/* What a writer's wait comes to: true when all of regions (that end in NULL; only `own` with own_only) acknowledged within W. */
static inline int64_t
wait_acks(struct cache_thread *t, const struct event_clock *c, const char *const *regions, const char *own, bool own_only,
    bool *all)
{
	int64_t begun = clock_mono_us();
	const char *left[256];
	size_t n = 0;

	if (own_only)
		left[n++] = own;
	for (; !own_only && *regions != NULL; regions++)
		left[n++] = *regions;
	cache_await_acks(t, c, left, &n, begun + t->cache->ack_us);
	*all = n == 0;
	return clock_mono_us() - begun;
}

#endif
