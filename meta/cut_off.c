/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/cut_off.c - says that a region hands out metadata unproved, and that it
 * does so no more.
 *
 * Owns:       nothing; the state is in struct meta.
 * Called by:  find.c, any thread.
 * Blocks:     no.
 * Invariant:  between two events of the beginning there is one of the end, a process.
 *             The end is told when a value was proved and none was handed out
 *             unproved for a while: with several servers some may be trusted all along.
 */
#include "meta/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

#define QUIET_US (1 * US_PER_S)

void
meta_served_old(struct meta_thread *t)
{
	struct meta_cut_off *c = &t->meta->cut_off;
	int64_t none = 0, now = clock_mono_us();

	t->spent.unproved++;
	metric_add(M_CACHE_SERVED_OLD, 1);
	metric_set(M_SERVED_OLD_AT, clock_wall_us() / US_PER_S);
	atomic_store(&c->last_us, now);
	atomic_fetch_add(&c->served, 1);
	if (atomic_compare_exchange_strong(&c->since_us, &none, now))
		log_event(NULL, EV_SERVE_OLD, LI("at_most_s", t->meta->settings->metadata_cache_ttl_secs));
}

void
meta_served_proved(struct meta *m)
{
	struct meta_cut_off *c = &m->cut_off;
	int64_t since = atomic_load_explicit(&c->since_us, memory_order_relaxed);

	if (since == 0 || clock_mono_us() - atomic_load(&c->last_us) < QUIET_US ||
	    !atomic_compare_exchange_strong(&c->since_us, &since, 0))
		return;
	log_event(NULL, EV_SERVE_OLD_END, LI("values", atomic_exchange(&c->served, 0)),
	    LI("ms", (atomic_load(&c->last_us) - since) / US_PER_MS));
}
