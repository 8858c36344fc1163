/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/report.c - once a second, what this invalidator does and how far the
 * regions are, to every memcached server (meta/report.h).
 *
 * Blocks:    in a thread of its own, on memcached.
 * Invariant: how long a region has been behind is told from when the first event
 *            that it lacks was known here, by this process's clock.
 */
#include "invalidator/inv.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "meta/report.h"

#define LOOK_US (50 * US_PER_MS)
#define SAMPLES 1024

/* When a number was first known here. */
struct sample {
	uint64_t n;
	int64_t us;
};
struct reporter {
	struct arena *arena;
	struct inv *inv;
	struct inv_thread thread;
	struct mc *mc[CACHE_SERVERS_MAX];
	uint8_t epoch[EPOCH_LEN];   /* of the samples */
	struct sample sample[SAMPLES];
	size_t n_samples;
	struct ack_heard heard[REPORT_REGIONS_MAX];
	bool beating;
	int64_t since_wall_us;
};

static void
look(struct reporter *rp)
{
	struct ring_state s = ring_state(rp->inv->ring);

	if (memcmp(rp->epoch, s.epoch, EPOCH_LEN) != 0) {
		memcpy(rp->epoch, s.epoch, EPOCH_LEN);
		rp->n_samples = 0;
	}
	if (s.through == 0 || (rp->n_samples > 0 && rp->sample[rp->n_samples - 1].n >= s.through))
		return;
	if (rp->n_samples == SAMPLES) { /* every second one is enough of what is past */
		for (size_t i = 0; i < SAMPLES / 2; i++)
			rp->sample[i] = rp->sample[2 * i];
		rp->n_samples = SAMPLES / 2;
	}
	rp->sample[rp->n_samples++] = (struct sample){ s.through, clock_mono_us() };
}

static void
region_of(const struct reporter *rp, const struct ack_heard *h, int64_t now, struct report_region *out)
{
	uint64_t known = rp->n_samples == 0 ? 0 : rp->sample[rp->n_samples - 1].n, acked = 0;

	if (h != NULL && memcmp(h->clock.epoch, rp->epoch, EPOCH_LEN) == 0)
		acked = h->clock.n;
	out->heard_age_us = h == NULL ? -1 : now - h->heard_us;
	out->behind = known > acked ? known - acked : 0;
	for (size_t i = 0; i < rp->n_samples; i++)
		if (rp->sample[i].n > acked) {
			out->behind_us = now - rp->sample[i].us;
			break;
		}
}

static void
add_regions(struct reporter *rp, struct report *r, struct arena *a)
{
	size_t n, n_heard = acks_list(rp->inv->acks, rp->heard, ARRAY_LEN(rp->heard));
	const struct message_region *list = regions_list(rp->inv->regions, a, &n);
	int64_t now = clock_mono_us();

	for (size_t i = 0; i < n && i < REPORT_REGIONS_MAX; i++) {
		struct report_region *out = &r->region[r->n_regions++];
		const struct ack_heard *h = NULL;

		for (size_t k = 0; k < n_heard; k++)
			if (strcmp(rp->heard[k].region, list[i].name) == 0)
				h = &rp->heard[k];
		snprintf(out->name, sizeof(out->name), "%s", list[i].name);
		out->active = strcmp(list[i].state, "active") == 0;
		region_of(rp, h, now, out);
	}
}

static void
tell(struct reporter *rp)
{
	struct inv *inv = rp->inv;
	int64_t beat_us = atomic_load(&inv->beat_us), trust_us = inv->settings->metadata_trust_ms * US_PER_MS;
	bool beating = beat_us != 0 && clock_mono_us() - beat_us < trust_us;
	struct arena *a = arena_new(1 << 20);
	struct report *r = ARENA_NEW(a, struct report);

	if (r == NULL) {
		arena_free(a);
		return;
	}
	if (beating != rp->beating || rp->since_wall_us == 0)
		rp->since_wall_us = clock_wall_us();
	rp->beating = beating;
	memcpy(r->boot, inv->boot, REPORT_BOOT_LEN);
	r->wall_us = clock_wall_us();
	r->source = atomic_load(&inv->is_source);
	r->beating = beating;
	r->since_wall_us = rp->since_wall_us;
	r->peers = peers_up(inv);
	r->n = apply_acked(inv).n;
#define X(id, word) r->count[REPORT_##id] = metric_get(M_INV_##id);
	REPORT_COUNTS(X)
#undef X
	add_regions(rp, r, a);
	for (size_t i = 0; i < inv->servers->n; i++)
		report_write(rp->mc[i], inv->region, r);
	arena_free(a);
}

static void *
report_run(void *arg)
{
	struct reporter *rp = arg;
	int64_t next_us = 0;

	while (!atomic_load(&rp->inv->stop)) {
		look(rp);
		if (clock_mono_us() >= next_us) {
			next_us = clock_mono_us() + US_PER_S;
			tell(rp);
		}
		clock_sleep_us(LOOK_US);
	}
	return NULL;
}

void
report_new(struct inv *inv)
{
	struct arena *a = arena_new(sizeof(struct reporter) + 256);
	struct reporter *rp = ARENA_NEW(a, struct reporter);

	_Static_assert(REPORT_BOOT_LEN == BOOT_LEN, "one id of a process");
	ASSERT(rp != NULL);
	rp->arena = a;
	rp->inv = inv;
	for (size_t i = 0; i < inv->servers->n; i++)
		rp->mc[i] = mc_new(inv->servers, i, true);
	inv->reporter = rp;
}

int
report_start(struct inv *inv, struct err *err)
{
	return inv_thread(&inv->reporter->thread, report_run, inv->reporter, err);
}

void
report_stop(struct inv *inv)
{
	inv_join(&inv->reporter->thread);
}

void
report_free(struct inv *inv)
{
	for (size_t i = 0; i < inv->servers->n; i++)
		mc_free(inv->reporter->mc[i]);
	arena_free(inv->reporter->arena);
}
