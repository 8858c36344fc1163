/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/faults/load.c - many readers of metadata, through the web servers of all
 * regions, and a record of what each of them saw and when.
 *
 *     load OUT TIMEOUT_MS THREADS RATE PORT...
 *
 * THREADS connections to each PORT (a region: the first is 0) make RATE requests a
 * second together, kept alive, each of a target that is picked at random. Requests
 * are given ready for sending (presigned), so that a read costs us next to nothing.
 *
 * Owns:       connections, and the file OUT, to which it appends records.
 * Called by:  tests/faults/consistency, over standard input.
 * Blocks:     on the web servers, TIMEOUT_MS at most for one answer.
 * Invariant:  begin is taken before the first byte is sent and end after the last
 *             one came, by CLOCK_MONOTONIC, which all processes of a host share.
 *
 * Commands, a line each:
 *   target ID REGION HEAD|GET PATH   reads of ID in REGION are this request; several an ID, one a region
 *   drop ID                          no more of it
 *   rate N                           of all threads of a region together
 */
#include "base/base.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/parse.h"

#define REGIONS_MAX 8
#define TARGETS_MAX 512
#define PATH_LEN 1400
#define ANSWER_LEN 16384

/* What tests/faults/checker.py reads: struct "<QIHBBHHI". */
struct record {
	uint64_t begin_us;
	uint32_t took_us;
	uint16_t target;
	uint8_t region, thread;
	uint16_t status;     /* of HTTP; 0 = no whole answer */
	uint16_t why;        /* status 0: errno */
	uint32_t value;      /* the four first letters of x-amz-bucket-region; or N of "vN" in a body */
} __attribute__((packed));
_Static_assert(sizeof(struct record) == 24, "the checker counts on it");

struct target {
	bool used, head;
	uint16_t id;
	char path[PATH_LEN];
};

struct region {
	int port, index;
	pthread_rwlock_t lock;
	struct target target[TARGETS_MAX];
	size_t n;
};

struct reader {
	struct region *region;
	int index, fd;
	uint64_t random;
};

static struct region regions[REGIONS_MAX];
static int n_regions, n_threads, timeout_ms, out_fd;
static atomic_int rate;

static uint64_t
next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

/* ---- one read ---- */

static bool
open_connection(struct reader *r)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)r->region->port) };
	struct timeval limit = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	int one = 1;

	if (r->fd >= 0)
		return true;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (r->fd < 0)
		return false;
	(void)setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(r->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return connect(r->fd, (struct sockaddr *)&at, sizeof(at)) == 0;
}

static const char *
header(const char *head, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':')
			return line + len + 1 + strspn(line + len + 1, " ");
	}
	return NULL;
}

static uint32_t
letters_of(const char *s)
{
	uint32_t v = 0;

	for (int i = 0; i < 4 && s != NULL && *s > ' '; i++, s++)
		v |= (uint32_t)(unsigned char)*s << (8 * i);
	return v;
}

/* 0, or the errno of what went wrong: then nothing is known, and the connection is of no use. */
static int
answer(struct reader *r, bool head_only, struct record *rec)
{
	char buf[ANSWER_LEN + 1], *end = NULL;
	int64_t len = 0, whole = -1, n, status = 0, v = 0;
	const char *h;

	while (whole < 0 || len < whole) {
		n = recv(r->fd, buf + len, (size_t)(ANSWER_LEN - len), 0);
		if (n <= 0)
			return n == 0 ? ECONNRESET : errno == EAGAIN ? ETIMEDOUT : errno;
		len += n;
		buf[len] = '\0';
		if (whole >= 0 || (end = strstr(buf, "\r\n\r\n")) == NULL)
			continue;
		end[2] = '\0';
		h = header(buf, "content-length");
		n = 0;
		if (len < 13 || !parse_i64((struct span){ buf + 9, 3 }, 100, 999, &status) ||
		    (h != NULL && !parse_i64_prefix(&h, buf + len, 0, ANSWER_LEN / 2, &n)) || (h == NULL && !head_only && status != 204))
			return EPROTO;
		whole = end + 4 - buf + (head_only ? 0 : n);
	}
	rec->status = (uint16_t)status;
	h = header(buf, "connection");
	if (h != NULL && strncasecmp(h, "close", 5) == 0) {
		close(r->fd);
		r->fd = -1;
	}
	if (head_only) {
		rec->value = letters_of(header(buf, "x-amz-bucket-region"));
	} else if ((h = strstr(end + 4, "\"v")) != NULL && h[2] >= '0' && h[2] <= '9') {
		h += 2;
		if (parse_i64_prefix(&h, buf + len, 0, UINT32_MAX, &v))
			rec->value = (uint32_t)v;
	}
	return 0;
}

static void
read_once(struct reader *r)
{
	struct record rec = { .region = (uint8_t)r->region->index, .thread = (uint8_t)r->index };
	char request[PATH_LEN + 100];
	bool head_only;
	int len, why = 0;

	pthread_rwlock_rdlock(&r->region->lock);
	if (r->region->n == 0) {
		pthread_rwlock_unlock(&r->region->lock);
		return;
	}
	struct target *t = &r->region->target[next_random(&r->random) % r->region->n];
	head_only = t->head;
	rec.target = t->id;
	len = snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", head_only ? "HEAD" : "GET", t->path,
	    r->region->port);
	pthread_rwlock_unlock(&r->region->lock);
	rec.begin_us = (uint64_t)clock_mono_us();
	if (!open_connection(r) || send(r->fd, request, (size_t)len, MSG_NOSIGNAL) != len)
		why = errno;
	else
		why = answer(r, head_only, &rec);
	rec.took_us = (uint32_t)((uint64_t)clock_mono_us() - rec.begin_us);
	if (why != 0) {
		rec.status = 0;
		rec.why = (uint16_t)why;
		if (r->fd >= 0)
			close(r->fd);
		r->fd = -1;
	}
	if (write(out_fd, &rec, sizeof(rec)) != (ssize_t)sizeof(rec))
		_exit(1);
}

static void *
reader_run(void *arg)
{
	struct reader *r = arg;
	int64_t next_us = clock_mono_us() + (int64_t)(next_random(&r->random) % 100000);

	for (;;) {
		int64_t now = clock_mono_us(), a_second = atomic_load(&rate);

		next_us += US_PER_S * n_threads / (a_second < 1 ? 1 : a_second);
		if (next_us < now - 100 * US_PER_MS)
			next_us = now; /* no catching up after a stand-still */
		if (next_us > now)
			clock_sleep_us(next_us - now);
		read_once(r);
	}
	return NULL;
}

/* ---- commands ---- */

static void
set_target(struct region *r, int id, bool head_only, const char *path)
{
	struct target *t = NULL;

	pthread_rwlock_wrlock(&r->lock);
	for (size_t i = 0; i < r->n; i++)
		if (r->target[i].id == id)
			t = &r->target[i];
	if (t == NULL && r->n < TARGETS_MAX)
		t = &r->target[r->n++];
	if (t != NULL) {
		t->id = (uint16_t)id;
		t->head = head_only;
		snprintf(t->path, sizeof(t->path), "%s", path);
	}
	pthread_rwlock_unlock(&r->lock);
}

static void
drop_target(struct region *r, int id)
{
	pthread_rwlock_wrlock(&r->lock);
	for (size_t i = 0; i < r->n; i++)
		if (r->target[i].id == id)
			r->target[i] = r->target[--r->n];
	pthread_rwlock_unlock(&r->lock);
}

static void
command(const char *line)
{
	static char path[PATH_LEN];
	char method[8];
	int id, region;

	if (sscanf(line, "target %d %d %7s %1399s", &id, &region, method, path) == 4 && region >= 0 && region < n_regions)
		set_target(&regions[region], id, strcmp(method, "HEAD") == 0, path);
	else if (sscanf(line, "rate %d", &id) == 1)
		atomic_store(&rate, id);
	else if (sscanf(line, "drop %d", &id) == 1)
		for (int i = 0; i < n_regions; i++)
			drop_target(&regions[i], id);
	else
		fprintf(stderr, "load: what is \"%s\"?\n", line);
}

static int
number(const char *s)
{
	int64_t n;

	if (!parse_i64(span_of(s), 0, INT_MAX, &n)) {
		fprintf(stderr, "load: \"%s\" is no number\n", s);
		exit(2);
	}
	return (int)n;
}

int
main(int argc, char **argv)
{
	static struct reader readers[REGIONS_MAX * 64];
	static char line[2048];
	pthread_t id;
	int n = 0;

	if (argc < 6 || argc > 5 + REGIONS_MAX || number(argv[3]) > 64) {
		fprintf(stderr, "usage: load OUT TIMEOUT_MS THREADS RATE PORT...\n");
		return 2;
	}
	out_fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	timeout_ms = number(argv[2]);
	n_threads = number(argv[3]);
	atomic_store(&rate, number(argv[4]));
	n_regions = argc - 5;
	if (out_fd < 0) {
		perror(argv[1]);
		return 1;
	}
	for (int i = 0; i < n_regions; i++) {
		regions[i].port = number(argv[5 + i]);
		regions[i].index = i;
		pthread_rwlock_init(&regions[i].lock, NULL);
	}
	for (int i = 0; i < n_regions; i++)
		for (int k = 0; k < n_threads; k++, n++) {
			readers[n] = (struct reader){ &regions[i], k, -1, UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)(n + 1) };
			if (pthread_create(&id, NULL, reader_run, &readers[n]) != 0)
				return 1;
		}
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		command(line);
	}
	return 0; /* whoever gave the commands is gone, or has enough */
}
