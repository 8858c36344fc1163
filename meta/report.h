/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/report.h - what each invalidator of a region says of itself and of how far
 * the regions are, in an item of every memcached server: so that any worker's
 * metrics, and an operator's status, know it wherever the invalidators run, and
 * while the global database is away. For people and alarms only: nothing is
 * decided by it.
 */
#ifndef ANVIL_META_REPORT_H
#define ANVIL_META_REPORT_H

#include "base/strbuf.h"

#include "meta/cache_key.h"

#define REPORTS_MAX 8          /* invalidators of a region that are told apart */
#define REPORT_REGIONS_MAX 64
#define REPORT_BOOT_LEN 16
#define REPORT_OLD_US (30 * INT64_C(1000000)) /* its invalidator is gone */

/* Counters since its start: REPORT_COUNT(id, word). */
#define REPORT_COUNTS(X) X(EVENTS, "events") X(BEATS, "beats") X(GAPS, "gaps") X(FLUSHES, "flushes") X(REFUSED, "refused")
enum report_count {
#define X(id, word) REPORT_##id,
	REPORT_COUNTS(X)
#undef X
	REPORT_COUNT_END
};
struct report_region {
	char name[CACHE_REGION_MAX + 1];
	bool active;
	uint64_t behind;       /* events that the invalidator knows of and the region has not acknowledged */
	int64_t behind_us;     /* since the first of them was known here */
	int64_t heard_age_us;  /* since its last acknowledgement, when the report was made; -1: never heard */
};
struct report {
	uint8_t boot[REPORT_BOOT_LEN]; /* of the process */
	int64_t wall_us;               /* when it was made */
	bool source, beating;          /* reaches the primary; its rounds of beats find a source */
	int64_t since_wall_us;         /* since when `beating` is as it is */
	int64_t peers;                 /* that answer */
	uint64_t n;                    /* acknowledged by this region */
	int64_t count[REPORT_COUNT_END];
	size_t n_regions;
	struct report_region region[REPORT_REGIONS_MAX];
};

#define REPORT_BYTES (128 + REPORT_REGIONS_MAX * (CACHE_REGION_MAX + 32))
/* Fails never: sb has room for REPORT_BYTES. */
void report_encode(struct strbuf *sb, const struct report *r);
bool report_decode(const void *p, size_t len, struct report *out);
struct mc;
/* Into the invalidator's own place, or the first that is free. Best effort. */
void report_write(struct mc *c, const char *region, const struct report *r);
/* Those that are not old, by place: out[i] is valid when *there has bit i. false: the server does not answer. */
MUST_CHECK bool report_read(struct mc *c, const char *region, struct report out[REPORTS_MAX], uint32_t *there);
/* Of those that are there the one made last; NULL: none is. */
const struct report *report_newest(const struct report reports[REPORTS_MAX], uint32_t there);
/* As report_read, from the first server of the thread's region that answers. */
MUST_CHECK bool cache_reports(struct cache_thread *t, struct report out[REPORTS_MAX], uint32_t *there);

#endif
