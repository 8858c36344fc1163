/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/metrics.h - counters and gauges of base/metrics.def, shared by all
 * processes of a region through a mapped file in its state folder, so that any
 * worker can answer /-/metrics for all of them. Adding is one atomic add.
 */
#ifndef ANVIL_BASE_METRICS_H
#define ANVIL_BASE_METRICS_H

#include "base/strbuf.h"

enum metric {
#define METRIC(id, type, name, labels, doc) M_##id,
#define HISTOGRAM(id, name, doc)
#include "base/metrics.def"
#undef METRIC
#undef HISTOGRAM
	METRIC_COUNT
};
enum histogram {
#define METRIC(id, type, name, labels, doc)
#define HISTOGRAM(id, name, doc) H_##id,
#include "base/metrics.def"
#undef METRIC
#undef HISTOGRAM
	HISTOGRAM_COUNT
};

/* Map the file (made when missing, private memory when path is NULL). Before threads start. */
MUST_CHECK int metrics_open(const char *path);
void metric_add(enum metric m, int64_t n);
void metric_set(enum metric m, int64_t n);
int64_t metric_get(enum metric m);
void metric_time(enum histogram h, int64_t us);
/* How many, their mean, and a bound that none exceeded (0: none there; -1: beyond all bounds). */
void metric_times(enum histogram h, int64_t *n, int64_t *mean_us, int64_t *max_us);
/* A histogram row of the request time of one operation (an index below METRICS_OPS). */
#define METRICS_OPS 160
void metric_request(int op, int status, int64_t dur_us, int64_t bytes_in, int64_t bytes_out);
/* One value of a row whose label has no value in the table; head: the row's first. `per` divides it: 1, or US_PER_S for times. */
void metrics_print_one(struct strbuf *sb, enum metric m, const char *region, const char *label, int64_t value, int64_t per,
    bool head);
/* The counters of a region's file as they are now, for who only looks: no file, or another version's, is an error. */
MUST_CHECK int metrics_read(const char *path);
/* Prometheus text format 0.0.4. op_name gives an operation's name, NULL past the last. */
void metrics_print(struct strbuf *sb, const char *region, const char *(*op_name)(int op));

#endif
