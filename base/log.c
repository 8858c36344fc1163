/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/log.c - one line an event.
 *
 * Owns:      the log file's descriptor.
 * Blocks:    on the file, as any write does.
 * Invariant: a line is written with one write(2) on a descriptor opened for
 *            appending, so that lines of threads and processes never mix.
 */
#include "base/log.h"

#include <fcntl.h>
#include <stdatomic.h>

#include "base/clock.h"

#define LINE_MAX_BYTES 4096
#define VALUE_MAX_BYTES 1500

static const struct {
	enum log_level level;
	const char *name;
} events[] = {
#define EVENT(id, level, name, doc) { LOG_##level, name },
#include "base/events.def"
#undef EVENT
};
static const char *const level_names[] = { "debug", "info", "warn", "error" };

static struct {
	char prog[32];
	char path[1024];
	enum log_level level;
	_Atomic int fd;
} log_to = { .level = LOG_INFO, .fd = STDERR_FILENO };

struct line {
	char buf[LINE_MAX_BYTES];
	size_t len;
};

static void
put(struct line *l, char c)
{
	if (l->len < sizeof(l->buf) - 1)
		l->buf[l->len++] = c;
}

static void
put_str(struct line *l, const char *s)
{
	while (*s != '\0')
		put(l, *s++);
}

static void
put_int(struct line *l, int64_t n)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRId64, n);
	put_str(l, digits);
}

/* Quoted when a reader could mistake it: blanks, quotes, =, control bytes, or empty. */
static bool
needs_quotes(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == '"' || s[i] == '=' ||
		    s[i] == '\\' || s[i] == 0x7f)
			return true;
	return len == 0;
}

static void
put_value(struct line *l, const char *s, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	bool cut = len > VALUE_MAX_BYTES;

	if (cut)
		len = VALUE_MAX_BYTES;
	if (!needs_quotes(s, len)) {
		for (size_t i = 0; i < len; i++)
			put(l, s[i]);
	} else {
		put(l, '"');
		for (size_t i = 0; i < len; i++) {
			unsigned char c = (unsigned char)s[i];

			if (c == '"' || c == '\\') {
				put(l, '\\');
				put(l, (char)c);
			} else if (c < ' ' || c == 0x7f) {
				put_str(l, "\\x");
				put(l, hex[c >> 4]);
				put(l, hex[c & 15]);
			} else {
				put(l, (char)c);
			}
		}
		put(l, '"');
	}
	if (cut)
		put_str(l, "...");
}

static void
put_time(struct line *l)
{
	struct clock_utc t;
	char text[64];

	clock_utc(clock_wall_us(), &t);
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
	    t.year, t.month, t.day, t.hour, t.minute, t.second, t.usec);
	put_str(l, "ts=");
	put_str(l, text);
}

void
log_write(const char *rid, enum log_event_id id, const struct log_kv *kv)
{
	int saved = errno;
	struct line l = { .len = 0 };
	ssize_t n;

	if (events[id].level < log_to.level)
		return;
	put_time(&l);
	put_str(&l, " lvl=");
	put_str(&l, level_names[events[id].level]);
	put_str(&l, " prog=");
	put_str(&l, log_to.prog[0] == '\0' ? "anvil" : log_to.prog);
	put_str(&l, " pid=");
	put_int(&l, getpid());
	put_str(&l, " ev=");
	put_str(&l, events[id].name);
	if (rid != NULL) {
		put_str(&l, " rid=");
		put_value(&l, rid, strlen(rid));
	}
	for (; kv->key != NULL; kv++) {
		put(&l, ' ');
		put_str(&l, kv->key);
		put(&l, '=');
		if (kv->type == LOG_KV_INT)
			put_int(&l, kv->n);
		else if (kv->s == NULL)
			put(&l, '-');
		else
			put_value(&l, kv->s,
			    kv->type == LOG_KV_SPAN ? (size_t)kv->n : strlen(kv->s));
	}
	l.buf[l.len++] = '\n'; /* put() always leaves room for it */
	do
		n = write(atomic_load(&log_to.fd), l.buf, l.len);
	while (n < 0 && errno == EINTR);
	errno = saved;
}

static int
open_file(void)
{
	return open(log_to.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

int
log_open(const char *prog, enum log_level level, const char *path)
{
	int fd;

	snprintf(log_to.prog, sizeof(log_to.prog), "%s", prog);
	log_to.level = level;
	if (path == NULL || path[0] == '\0')
		return 0;
	if (snprintf(log_to.path, sizeof(log_to.path), "%s", path) >=
	    (int)sizeof(log_to.path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open_file();
	if (fd < 0)
		return -1;
	atomic_store(&log_to.fd, fd);
	return 0;
}

void
log_reopen(void)
{
	int fd, target = atomic_load(&log_to.fd);

	if (log_to.path[0] == '\0' || target == STDERR_FILENO)
		return;
	fd = open_file();
	if (fd < 0)
		return; /* going on with the old file beats silence */
	/* dup2 swaps the file under the number that other threads may be writing to. */
	dup2(fd, target);
	close(fd);
}

void
assert_failed(const char *cond, const char *file, int line)
{
	log_event(NULL, EV_ASSERT, LS("condition", cond), LS("file", file), LI("line", line));
	abort();
}
