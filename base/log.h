/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/log.h - one line an event: ts, level, event, request id, then key=value.
 * Values are escaped here and nowhere else. Events are rows of base/events.def.
 * Thread-safe; a line is one write(2). Keeps errno.
 */
#ifndef ANVIL_BASE_LOG_H
#define ANVIL_BASE_LOG_H

#include "base/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

enum log_event_id {
#define EVENT(id, level, name, doc) EV_##id,
#include "base/events.def"
#undef EVENT
	EV_COUNT
};

struct log_kv {
	const char *key; /* NULL ends the list */
	enum { LOG_KV_STR, LOG_KV_SPAN, LOG_KV_INT } type;
	const char *s;
	int64_t n; /* the number, or the span's length */
};
#define LS(k, v) ((struct log_kv){ (k), LOG_KV_STR, (v), 0 })
#define LSPAN(k, v) ((struct log_kv){ (k), LOG_KV_SPAN, (v).p, (int64_t)(v).len })
#define LI(k, v) ((struct log_kv){ (k), LOG_KV_INT, NULL, (int64_t)(v) })

/* log_event(rid or NULL, EV_X, LS("bucket", name), LI("size", n)); at least one pair. */
#define log_event(rid, id, ...)                                                \
	log_write((rid), (id), (const struct log_kv[]){ __VA_ARGS__, { NULL, LOG_KV_STR, NULL, 0 } })
void log_write(const char *rid, enum log_event_id id, const struct log_kv *kv);

/* Lines of `prog` at least of `level` go to `path` (appended), or to standard error when NULL or "". */
MUST_CHECK int log_open(const char *prog, enum log_level level, const char *path);
/* After SIGHUP: open the path anew, for log rotation. */
void log_reopen(void);

#endif
