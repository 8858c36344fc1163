/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/metrics.c - counters in memory that the processes of a region share.
 *
 * Owns:      the mapping.
 * Blocks:    no; each change is one relaxed atomic operation.
 * Invariant: the file's layout has a number made from the tables' sizes; a file
 *            of another layout is begun anew, as Prometheus expects of a restart.
 */
#include "base/metrics.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Upper bounds of the buckets of times, microseconds. */
static const int64_t bounds_us[] = { 1000, 2500, 5000, 10000, 25000, 50000,
	100000, 250000, 500000, 1000000, 2500000, 10000000 };
#define BOUNDS ARRAY_LEN(bounds_us)
#define STATUS_CLASSES 6

struct times {
	_Atomic int64_t le[BOUNDS + 1]; /* not cumulative; the last is +Inf */
	_Atomic int64_t sum_us;
};
struct op_metrics {
	_Atomic int64_t by_status[STATUS_CLASSES]; /* [4] = 4xx */
	struct times times;
	_Atomic int64_t bytes_in, bytes_out;
};

struct shared {
	uint64_t layout;
	_Atomic int64_t values[METRIC_COUNT];
	struct times histograms[HISTOGRAM_COUNT];
	struct op_metrics ops[METRICS_OPS];
};
#define LAYOUT (UINT64_C(0x616e76696c010000) + METRIC_COUNT * 100000 + HISTOGRAM_COUNT * 1000 + METRICS_OPS)

static struct shared private_memory;
static struct shared *m = &private_memory;

static const struct {
	const char *type, *name, *labels, *doc;
} rows[] = {
#define METRIC(id, type, name, labels, doc) { #type, name, labels, doc },
#define HISTOGRAM(id, name, doc)
#include "base/metrics.def"
#undef METRIC
#undef HISTOGRAM
};
static const struct {
	const char *name, *doc;
} histograms[] = {
#define METRIC(id, type, name, labels, doc)
#define HISTOGRAM(id, name, doc) { name, doc },
#include "base/metrics.def"
#undef METRIC
#undef HISTOGRAM
};

static int
size_file(int fd)
{
	struct stat st;
	uint64_t layout = 0;

	if (fstat(fd, &st) != 0)
		return -1;
	if (st.st_size == (off_t)sizeof(struct shared) &&
	    pread(fd, &layout, sizeof(layout), 0) == (ssize_t)sizeof(layout) &&
	    layout == LAYOUT)
		return 0;
	/* Only ever larger while others map it: cutting would fault them. */
	if (st.st_size < (off_t)sizeof(struct shared) &&
	    ftruncate(fd, (off_t)sizeof(struct shared)) != 0)
		return -1;
	return 1;
}

int
metrics_open(const char *path)
{
	void *p;
	int fd, fresh;

	if (path == NULL)
		return 0;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX) != 0 || (fresh = size_file(fd)) < 0) {
		close(fd);
		return -1;
	}
	p = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		close(fd);
		return -1;
	}
	m = p;
	if (fresh == 1) {
		memset(p, 0, sizeof(struct shared));
		m->layout = LAYOUT;
	}
	flock(fd, LOCK_UN); /* the mapping would keep it */
	close(fd);
	return 0;
}

static void
add(_Atomic int64_t *to, int64_t n)
{
	atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

static int64_t
get(const _Atomic int64_t *from)
{
	return atomic_load_explicit(from, memory_order_relaxed);
}

void
metric_add(enum metric which, int64_t n)
{
	add(&m->values[which], n);
}

void
metric_set(enum metric which, int64_t n)
{
	atomic_store_explicit(&m->values[which], n, memory_order_relaxed);
}

int64_t
metric_get(enum metric which)
{
	return get(&m->values[which]);
}

static void
times_add(struct times *t, int64_t us)
{
	size_t i = 0;

	while (i < BOUNDS && us > bounds_us[i])
		i++;
	add(&t->le[i], 1);
	add(&t->sum_us, us);
}

void
metric_time(enum histogram h, int64_t us)
{
	times_add(&m->histograms[h], us);
}

void
metric_times(enum histogram h, int64_t *n, int64_t *mean_us, int64_t *max_us)
{
	const struct times *t = &m->histograms[h];

	*n = *max_us = 0;
	for (size_t i = 0; i <= BOUNDS; i++) {
		int64_t here = get(&t->le[i]);

		*n += here;
		if (here > 0)
			*max_us = i < BOUNDS ? bounds_us[i] : -1;
	}
	*mean_us = *n == 0 ? 0 : get(&t->sum_us) / *n;
}

void
metric_request(int op, int status, int64_t dur_us, int64_t bytes_in, int64_t bytes_out)
{
	int class = status / 100;
	struct op_metrics *o;

	if (op < 0 || op >= METRICS_OPS)
		return;
	o = &m->ops[op];
	add(&o->by_status[class >= 1 && class < STATUS_CLASSES ? class : 0], 1);
	times_add(&o->times, dur_us);
	add(&o->bytes_in, bytes_in);
	add(&o->bytes_out, bytes_out);
}

static void
print_head(struct strbuf *sb, const char *name, const char *doc, const char *type)
{
	strbuf_printf(sb, "# HELP %s %s\n# TYPE %s %s\n", name, doc, name, type);
}

static void
print_values(struct strbuf *sb, const char *region)
{
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		size_t len = strlen(rows[i].labels);

		if (len > 0 && rows[i].labels[len - 1] == '=') /* not ours to know */
			continue;
		/* Rows of one name differ in labels, stand together, and share a head. */
		if (i == 0 || strcmp(rows[i - 1].name, rows[i].name) != 0)
			print_head(sb, rows[i].name, rows[i].doc, rows[i].type);
		strbuf_printf(sb, "%s{region=\"%s\"%s%s} %" PRId64 "\n",
		    rows[i].name, region, rows[i].labels[0] == '\0' ? "" : ",",
		    rows[i].labels, get(&m->values[i]));
	}
}

static int64_t
times_count(const struct times *t)
{
	int64_t n = 0;

	for (size_t i = 0; i <= BOUNDS; i++)
		n += get(&t->le[i]);
	return n;
}

/* The lines of one distribution; labels are what stands between the braces besides le. */
static void
print_distribution(struct strbuf *sb, const char *name, const char *labels, const struct times *t)
{
	int64_t n = times_count(t), upto = 0;

	for (size_t i = 0; i < BOUNDS; i++) {
		upto += get(&t->le[i]);
		strbuf_printf(sb, "%s_bucket{%s,le=\"%g\"} %" PRId64 "\n", name, labels, (double)bounds_us[i] / 1e6, upto);
	}
	strbuf_printf(sb,
	    "%s_bucket{%s,le=\"+Inf\"} %" PRId64 "\n%s_sum{%s} %.6f\n%s_count{%s} %" PRId64 "\n",
	    name, labels, n, name, labels, (double)get(&t->sum_us) / 1e6, name, labels, n);
}

static void
print_histograms(struct strbuf *sb, const char *region)
{
	char labels[128];

	(void)snprintf(labels, sizeof(labels), "region=\"%s\"", region);
	for (size_t i = 0; i < HISTOGRAM_COUNT; i++) {
		print_head(sb, histograms[i].name, histograms[i].doc, "histogram");
		print_distribution(sb, histograms[i].name, labels, &m->histograms[i]);
	}
}

static void
print_requests(struct strbuf *sb, const char *region, const char *(*op_name)(int))
{
	const char *name;

	print_head(sb, "anvil_requests_total", "Requests answered.", "counter");
	for (int op = 0; op < METRICS_OPS && (name = op_name(op)) != NULL; op++)
		for (int c = 0; c < STATUS_CLASSES; c++)
			if (get(&m->ops[op].by_status[c]) != 0)
				strbuf_printf(sb,
				    "anvil_requests_total{region=\"%s\",operation=\"%s\",status=\"%dxx\"} %" PRId64 "\n",
				    region, name, c, get(&m->ops[op].by_status[c]));
}

static void
print_times(struct strbuf *sb, const char *region, const char *(*op_name)(int))
{
	char labels[192];
	const char *name;

	print_head(sb, "anvil_request_seconds", "Time to answer.", "histogram");
	for (int op = 0; op < METRICS_OPS && (name = op_name(op)) != NULL; op++) {
		if (times_count(&m->ops[op].times) == 0)
			continue;
		(void)snprintf(labels, sizeof(labels), "region=\"%s\",operation=\"%s\"", region, name);
		print_distribution(sb, "anvil_request_seconds", labels, &m->ops[op].times);
	}
}

static void
print_bytes(struct strbuf *sb, const char *region, const char *(*op_name)(int))
{
	const char *name;

	print_head(sb, "anvil_request_bytes_total", "Bytes of bodies.", "counter");
	for (int op = 0; op < METRICS_OPS && (name = op_name(op)) != NULL; op++) {
		const struct op_metrics *o = &m->ops[op];

		if (times_count(&o->times) == 0)
			continue;
		strbuf_printf(sb,
		    "anvil_request_bytes_total{region=\"%s\",operation=\"%s\",direction=\"in\"} %" PRId64 "\n"
		    "anvil_request_bytes_total{region=\"%s\",operation=\"%s\",direction=\"out\"} %" PRId64 "\n",
		    region, name, get(&o->bytes_in), region, name, get(&o->bytes_out));
	}
}

void
metrics_print_one(struct strbuf *sb, enum metric which, const char *region, const char *label, int64_t value, int64_t per,
    bool head)
{
	if (head)
		print_head(sb, rows[which].name, rows[which].doc, rows[which].type);
	strbuf_printf(sb, "%s{region=\"%s\",%s\"%s\"} ", rows[which].name, region, rows[which].labels, label);
	if (per == 1)
		strbuf_printf(sb, "%" PRId64 "\n", value);
	else
		strbuf_printf(sb, "%.6f\n", (double)value / (double)per);
}

int
metrics_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, &private_memory, sizeof(private_memory));

	if (fd >= 0)
		close(fd);
	if (n == (ssize_t)sizeof(private_memory) && private_memory.layout == LAYOUT)
		return 0;
	memset(&private_memory, 0, sizeof(private_memory));
	return -1;
}

void
metrics_print(struct strbuf *sb, const char *region, const char *(*op_name)(int op))
{
	print_values(sb, region);
	print_histograms(sb, region);
	if (op_name == NULL)
		return;
	print_requests(sb, region, op_name);
	print_times(sb, region, op_name);
	print_bytes(sb, region, op_name);
}
