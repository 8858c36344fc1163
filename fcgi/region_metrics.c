/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/region_metrics.c - metrics that are looked up when they are asked for: the
 * breakers and the memcached servers as this worker sees them, and what the region's invalidators
 * last said of themselves and of all regions (meta/report.h).
 *
 * Owns:       nothing.
 * Called by:  service.c.
 * Blocks:     on memcached.
 */
#include "fcgi/service.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "fcgi/worker.h"
#include "meta/registry.h"
#include "meta/report.h"

#define BREAKERS_MAX 64

static void
print_servers(struct strbuf *sb, const char *region, const struct cache_status *st)
{
	static const enum metric which[] = { M_TRUSTED, M_TRUST_SINCE, M_BEAT_AGE };

	for (size_t k = 0; k < ARRAY_LEN(which); k++)
		for (size_t i = 0; i < st->n_servers; i++) {
			const struct cache_server_status *s = &st->servers[i];
			int64_t value[] = { s->trusted_pages == CACHE_PAGES, s->since_wall_us, 0 };
			char label[24];

			for (int p = 0; p < CACHE_PAGES; p++)
				if (s->page[p].beat_age_us > value[2])
					value[2] = s->page[p].beat_age_us;
			snprintf(label, sizeof(label), "%zu", i);
			metrics_print_one(sb, which[k], region, label, value[k], k == 0 ? 1 : US_PER_S, i == 0);
		}
}

static void
print_invalidators(struct strbuf *sb, const char *region, const struct report *r, uint32_t there)
{
	int64_t now = clock_wall_us();
	bool head;

	for (enum metric m = M_INV_EVENTS; m <= M_INV_AGE; m++) {
		head = true;
		for (unsigned i = 0; i < REPORTS_MAX; i++) {
			const int64_t value[] = {
#define X(id, word) [M_INV_##id - M_INV_EVENTS] = r[i].count[REPORT_##id],
				REPORT_COUNTS(X)
#undef X
				[M_INV_LAST_N - M_INV_EVENTS] = (int64_t)r[i].n,
				[M_INV_SOURCE - M_INV_EVENTS] = r[i].source,
				[M_INV_BEATING - M_INV_EVENTS] = r[i].beating,
				[M_INV_SINCE - M_INV_EVENTS] = r[i].since_wall_us,
				[M_INV_PEERS - M_INV_EVENTS] = r[i].peers,
				[M_INV_AGE - M_INV_EVENTS] = now - r[i].wall_us,
			};
			char label[8];

			if (!(there & UINT32_C(1) << i))
				continue;
			snprintf(label, sizeof(label), "%u", i);
			metrics_print_one(sb, m, region, label, value[m - M_INV_EVENTS], m == M_INV_SINCE || m == M_INV_AGE ? US_PER_S : 1, head);
			head = false;
		}
	}
}

/* As the newest report has it. */
static void
print_regions(struct strbuf *sb, const char *region, const struct report *r)
{
	static const enum metric which[] = { M_BEHIND_EVENTS, M_BEHIND_SECONDS, M_HEARD_SECONDS };
	int64_t age_us = clock_wall_us() - r->wall_us;
	bool head;

	for (size_t k = 0; k < ARRAY_LEN(which); k++) {
		head = true;
		for (size_t i = 0; i < r->n_regions; i++) {
			const struct report_region *of = &r->region[i];
			int64_t value[] = { (int64_t)of->behind, of->behind_us, of->heard_age_us + age_us };

			if (!of->active || (k == 2 && of->heard_age_us < 0))
				continue;
			metrics_print_one(sb, which[k], region, of->name, value[k], k == 0 ? 1 : US_PER_S, head);
			head = false;
		}
	}
}

/* The breakers, of this worker. */
static void
print_breakers(struct strbuf *sb, const char *region, struct relays *relays)
{
	struct breaker_state state[BREAKERS_MAX];
	size_t n = relays_list(relays, state, ARRAY_LEN(state));

	for (size_t i = 0; i < n; i++)
		metrics_print_one(sb, M_RELAY_DOWN, region, state[i].region, state[i].down, 1, i == 0);
	for (size_t i = 0; i < n; i++)
		metrics_print_one(sb, M_RELAY_RUNNING, region, state[i].region, state[i].running, 1, i == 0);
}

void
region_metrics(struct req *r, struct strbuf *sb)
{
	struct cache_thread *ct = registry_cache(r->thread->meta);
	struct report *reports = arena_array(r->arena, REPORTS_MAX, sizeof(*reports));
	const char *region = r->thread->settings->region;
	struct cache_status st;
	struct err err = { 0 };
	uint32_t there;

	print_breakers(sb, region, r->thread->worker->relays);
	if (ct == NULL || reports == NULL)
		return;
	if (cache_status(ct, r->arena, NULL, 0, &st, &err) == 0)
		print_servers(sb, region, &st);
	if (!cache_reports(ct, reports, &there) || there == 0)
		return;
	print_invalidators(sb, region, reports, there);
	print_regions(sb, region, report_newest(reports, there));
}
