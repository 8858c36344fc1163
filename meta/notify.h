/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/notify.h - what buckets tell webhooks: events written beside the change of an
 * object, in its transaction, and the queues that they wait in (sql/regional/0024).
 */
#ifndef ANVIL_META_NOTIFY_H
#define ANVIL_META_NOTIFY_H

#include "meta/meta.h"

/* ---- writing ---- */

enum notify_change { NOTIFY_WRITTEN, NOTIFY_REMOVED, NOTIFY_MARKED /* a delete marker was put */ };
struct notify_to {
	const char *webhook, *config_id, *event; /* event: "ObjectCreated:Put" */
	const char *principal;                   /* who does it */
};
struct notify {
	const struct bucket *bucket;
	const char *address, *request_id; /* request_id: what the request is known by, opaque here */
	/* Is anybody told of such a change of that key? Asked before the change and after it. Strings are the caller's arena's; NULL: it is full, and nothing is written. */
	bool (*whom)(const void *arg, enum notify_change change, struct span key, struct notify_to *out);
	const void *arg;
};
/*
 * From now on this thread's changes of objects are told as *n says; NULL: of nothing. Borrowed until then. What nobody is
 * told of costs what it does without; the rest one transaction of two statements.
 */
void meta_notify(struct meta_thread *t, const struct notify *n);
/* Was anything told since? */
bool meta_notified(const struct meta_thread *t);
/* The event that a new configuration begins with, to one webhook. */
MUST_CHECK int meta_notify_test(struct meta_thread *t, struct arena *a, const struct notify *n, const struct notify_to *to,
    struct err *err);

/* ---- delivering ---- */

struct notification {
	int64_t n, at_us;         /* n: its number, which grows */
	const char *event, *config_id, *bucket, *owner_id, *principal, *address, *request_id;
	struct span key;
	const char *version;      /* NULL: none */
	bool has_object;          /* size and etag are known */
	int64_t size;
	const char *etag;
};
/* A queue that is due, for `holder` alone for so long: 1 taken, 0 there is none. *failures: in a row, before. */
MUST_CHECK int meta_queue_take(struct meta_thread *t, struct arena *a, const struct uuid *holder, int64_t hold_ms,
    const char **webhook, int *failures, struct err *err);
/* Its oldest events: at most max. */
MUST_CHECK int meta_queue_next(struct meta_thread *t, struct arena *a, const char *webhook, int max, struct notification **out,
    size_t *n, struct err *err);
/* These go, and the queue is given back: so many delivered, so many that nobody may have. */
MUST_CHECK int meta_queue_done(struct meta_thread *t, struct arena *a, const char *webhook, const struct uuid *holder,
    const struct notification *v, size_t n, size_t dropped, struct err *err);
/* They stay, for wait_ms at least. why: at most 255 bytes of UTF-8; NULL: it was not called, and that is no failure. */
MUST_CHECK int meta_queue_failed(struct meta_thread *t, struct arena *a, const char *webhook, const struct uuid *holder,
    int64_t wait_ms, const char *why, struct err *err);
struct queue_dropped {
	const char *webhook;
	int64_t n;
};
/* Drops what is older than so many days, and the oldest of what is more than max; of which queues. */
MUST_CHECK int meta_queues_trim(struct meta_thread *t, struct arena *a, int64_t days, int64_t max, struct queue_dropped **out,
    size_t *n, struct err *err);

/* ---- looking ---- */

struct queue_status {
	bool known;                            /* no: this region never had an event for it */
	int64_t waiting, oldest_us;            /* 0 us: never, none */
	int failures;                          /* in a row */
	const char *last_error;                /* NULL: there was none */
	int64_t last_error_us, next_try_us, delivered_us;
	int64_t delivered, dropped;
};
/* Of so many webhooks, whose names end in NULL, by one statement. most: that are counted of those that wait; 0: all. */
MUST_CHECK int meta_queues_status(struct meta_thread *t, struct arena *a, const char *const *webhooks, size_t n, int64_t most,
    struct queue_status *out, struct err *err);
/* Of all queues: 100,000 at most are counted; *oldest_us 0: none waits. */
MUST_CHECK int meta_queues_waiting(struct meta_thread *t, struct arena *a, int64_t *waiting, int64_t *oldest_us, struct err *err);

#endif
