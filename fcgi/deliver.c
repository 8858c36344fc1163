/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/deliver.c - delivers buckets' events to webhooks, beside the threads that serve.
 *
 * Owns:       its threads; each an arena, a connection to a webhook, and what it knows of the webhooks that it called last.
 * Called by:  worker.c.
 * Blocks:     on the databases and on webhooks; no request waits for it, and it holds no connection while it calls.
 * Invariant:  who has a queue has it for longer than a call takes, so two do not call one webhook at a time. Events go
 *             only once they were taken; who dies between leaves them, and they are told again.
 */
#include "fcgi/deliver.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/thread.h"
#include "fcgi/webhook_call.h"
#include "fcgi/worker.h"
#include "meta/notify.h"
#include "meta/registry.h"
#include "s3/notification.h"

#define BATCH 100                      /* events in a call */
#define KNOWN_MAX 64                   /* webhooks */
#define KNOWN_BYTES ((size_t)64 * 1024)
#define KNOWN_FOR_US (5 * US_PER_S)    /* before it is asked for again */
#define ARENA_BYTES ((size_t)32 * 1024 * 1024)
#define LOOK_EVERY_US US_PER_S
#define TRIM_EVERY_US (60 * US_PER_S)
#define COUNT_EVERY_US (5 * US_PER_S)
#define WAIT_MAX_S 300                 /* between two tries */
#define PUT_OFF_MS 5000                /* for one that is disabled */
#define HOLD_MORE_MS 2000              /* what a hold lasts beyond a call and its statements */
#define TEST_EVENT "TestEvent"

struct known {
	struct arena *arena; /* its own; NULL: nothing is known here */
	struct webhook webhook;
	int64_t asked_us;    /* monotonic */
};
struct deliverer {
	struct deliverers *all;
	struct meta_thread *meta;
	struct arena *arena;       /* of a call */
	struct known known[KNOWN_MAX];
	int64_t trim_us, count_us; /* when: monotonic; 0: never */
	struct uuid holder;
	void *curl;
	pthread_t id;
	bool running, first;
};
struct deliverers {
	struct arena *arena;
	struct worker *w;
	pthread_mutex_t lock;
	pthread_cond_t woken;             /* by the monotonic clock */
	bool news;                        /* under the lock */
	bool stop;                        /* atomic */
	struct deliverer *v;
	int n;
};

static bool
stopped(const struct deliverers *d)
{
	return __atomic_load_n(&d->stop, __ATOMIC_ACQUIRE);
}

/* ---- the webhooks ---- */

/* What is known of one of that name, or the place of what was asked for longest ago. */
static struct known *
place_of(struct deliverer *d, const char *name)
{
	struct known *oldest = &d->known[0];

	for (size_t i = 0; i < ARRAY_LEN(d->known); i++) {
		struct known *k = &d->known[i];

		if (k->arena != NULL && strcmp(k->webhook.name, name) == 0)
			return k;
		if (k->asked_us < oldest->asked_us)
			oldest = k;
	}
	arena_free(oldest->arena);
	*oldest = (struct known){ 0 };
	return oldest;
}

/* 0 with *out, NULL: there is none. As it was when it cannot be asked: who has the databases apart goes on delivering. */
static int
find_webhook(struct deliverer *d, const char *name, const struct webhook **out, struct err *err)
{
	struct known *k = place_of(d, name);
	struct webhook w;
	struct arena *a;

	*out = k->arena == NULL ? NULL : &k->webhook;
	if (*out != NULL && clock_mono_us() - k->asked_us < KNOWN_FOR_US)
		return 0;
	a = arena_new(KNOWN_BYTES);
	if (registry_webhook_find(d->meta, a, name, &w, err) == 0) {
		arena_free(k->arena);
		*k = (struct known){ a, w, clock_mono_us() };
		*out = &k->webhook;
		return 0;
	}
	arena_free(a);
	if (err->code != ERR_NOT_FOUND && *out == NULL)
		return -1;
	if (err->code == ERR_NOT_FOUND) {
		arena_free(k->arena);
		*k = (struct known){ 0 };
		*out = NULL;
	}
	err_clear(err);
	return 0;
}

/* ---- one call ---- */

struct call {
	const char *webhook;
	int64_t asked_us;          /* for the queue, by the monotonic clock: the hold is no older */
	int failures;              /* in a row, before */
	struct notification *v;    /* what the queue begins with, and is dealt with by this call */
	size_t n, n_dropped;       /* dropped: of buckets that may not send there */
	const char *id, *body;     /* body NULL: nothing is left to send */
	bool put_off;              /* the webhook is disabled: not called */
};

/* false: the arena is full. */
static bool
event_of(const struct deliverer *d, const struct notification *x, struct notification_event *out)
{
	size_t id = strcspn(x->request_id, " "); /* see notify_request() */
	const char *host = x->request_id + id;

	*out = (struct notification_event){ x->event, x->config_id, d->all->w->settings->region, x->bucket, x->owner_id, x->principal,
		x->address, arena_strndup(d->arena, x->request_id, id), *host == '\0' ? host : host + 1, x->at_us, x->n, x->key,
		x->version, x->has_object ? x->etag : NULL, x->size };
	return out->request_id != NULL;
}

/* Whoever may put a bucket's configuration may name any webhook unvalidated: here it is looked at what is another tenant's. */
static bool
may_have(const struct webhook *w, const struct notification *x)
{
	return w->owner_id == NULL || strcmp(w->owner_id, x->owner_id) == 0;
}

/* A test event goes alone, in its own form. */
static int
make_body(struct deliverer *d, const struct webhook *w, struct call *c, struct err *err)
{
	struct notification_event *e = arena_array(d->arena, c->n + 1, sizeof(*e));
	size_t n = 0, i = 0;
	bool test = false;

	if (e == NULL)
		return FAIL(err, ERR_LIMIT, "events do not fit in memory");
	for (; i < c->n && !test; i++) {
		if (!may_have(w, &c->v[i])) {
			c->n_dropped++;
			continue;
		}
		test = strcmp(c->v[i].event, TEST_EVENT) == 0;
		if (test && n > 0) {
			test = false;
			break; /* behind those before it */
		}
		if (!event_of(d, &c->v[i], &e[n++]))
			return FAIL(err, ERR_LIMIT, "events do not fit in memory");
	}
	c->n = i;
	if (n == 0)
		return 0;
	c->id = arena_printf(d->arena, "%s-%" PRIx64 "-%zu", d->all->w->settings->region, (uint64_t)e[0].number, n);
	c->body = test ? notification_test_json(d->arena, e) : notification_json(d->arena, e, n);
	return c->id != NULL && c->body != NULL ? 0 : FAIL(err, ERR_INTERNAL, "events could not be written as JSON");
}

static bool
call_webhook(struct deliverer *d, const struct webhook *w, const struct call *c, char why[WEBHOOK_WHY_SIZE])
{
	uint8_t key[WEBHOOK_KEY_MAX];
	struct webhook_call call = { .settings = d->all->w->settings, .url = w->url, .id = c->id, .body = c->body, .key = key,
		.now_us = clock_wall_us(), .stop = &d->all->stop };
	struct err err = { 0 };
	bool taken;

	if (webhook_key(call.settings, w, key, &call.key_len, &err) != 0) {
		snprintf(why, WEBHOOK_WHY_SIZE, "its secret does not open with this region's master key");
		return false;
	}
	fault_point(FAULT_POINT_notify_before_call);
	taken = webhook_call(&d->curl, d->arena, &call, why);
	crypto_wipe(key, sizeof(key));
	return taken;
}

/* true: what c->n and the rest say can go from the queue. */
static bool
deliver(struct deliverer *d, struct call *c, char why[WEBHOOK_WHY_SIZE])
{
	const struct webhook *w;
	struct err err = { 0 };

	if (find_webhook(d, c->webhook, &w, &err) != 0) {
		snprintf(why, WEBHOOK_WHY_SIZE, "the database that has the webhooks cannot be asked");
		return false;
	}
	if (w == NULL) {
		snprintf(why, WEBHOOK_WHY_SIZE, "there is no such webhook");
		return false;
	}
	c->put_off = !w->enabled;
	if (c->put_off)
		return false;
	/* What was refused may be one event's fault: the others come to their turn when it is dropped. */
	if (meta_queue_next(d->meta, d->arena, c->webhook, c->failures > 0 ? 1 : BATCH, &c->v, &c->n, &err) != 0 ||
	    make_body(d, w, c, &err) != 0) {
		snprintf(why, WEBHOOK_WHY_SIZE, "%.*s", WEBHOOK_WHY_SIZE - 1, err.detail);
		return false;
	}
	/* What is left of the hold must be enough for the call. */
	if (clock_mono_us() - c->asked_us > (d->all->w->settings->db_timeout_ms + HOLD_MORE_MS / 2) * US_PER_MS) {
		snprintf(why, WEBHOOK_WHY_SIZE, "the databases were too slow to call it in time");
		return false;
	}
	return c->body == NULL || call_webhook(d, w, c, why);
}

static int64_t
wait_ms(int failures)
{
	int64_t s = failures < 9 ? INT64_C(1) << failures : WAIT_MAX_S;

	return (s < WAIT_MAX_S ? s : WAIT_MAX_S) * 1000;
}

static void
say_dropped(const char *webhook, int64_t n, const char *why)
{
	metric_add(M_NOTIFICATIONS_DROPPED, n);
	log_event(NULL, EV_WEBHOOK_DROPPED, LS("webhook", webhook), LI("events", n), LS("reason", why));
}

static void
finish(struct deliverer *d, const struct call *c, bool taken, const char *why, struct err *err)
{
	if (c->put_off) {
		if (meta_queue_failed(d->meta, d->arena, c->webhook, &d->holder, PUT_OFF_MS, NULL, err) != 0)
			log_event(NULL, EV_WEBHOOK_FAILED, LS("webhook", c->webhook), LS("reason", err->detail), LI("failures", c->failures));
		return; /* the hold ends by itself */
	}
	if (!taken && !stopped(d->all)) {
		metric_add(M_WEBHOOK_FAILURES, 1);
		log_event(NULL, EV_WEBHOOK_FAILED, LS("webhook", c->webhook), LS("reason", why), LI("failures", c->failures + 1));
		if (meta_queue_failed(d->meta, d->arena, c->webhook, &d->holder, wait_ms(c->failures), why, err) != 0)
			return; /* the hold ends by itself */
		return;
	}
	/* A call that was given up since we stop is nobody's failure: the queue is given back as it is. */
	if (meta_queue_done(d->meta, d->arena, c->webhook, &d->holder, c->v, taken ? c->n : 0, taken ? c->n_dropped : 0, err) != 0 ||
	    !taken)
		return;
	metric_add(M_NOTIFICATIONS_DELIVERED, (int64_t)(c->n - c->n_dropped));
	if (c->n_dropped > 0)
		say_dropped(c->webhook, (int64_t)c->n_dropped, "it is another tenant's webhook");
	if (c->failures > 0)
		log_event(NULL, EV_WEBHOOK_UP, LS("webhook", c->webhook), LI("failures", c->failures));
}

/* ---- a thread ---- */

/* 1 a queue was dealt with, 0 none is due, -1 failed. */
static int
take_one(struct deliverer *d, struct err *err)
{
	const struct settings *s = d->all->w->settings;
	char why[WEBHOOK_WHY_SIZE] = "";
	struct call c = { .asked_us = clock_mono_us() };
	int rc = meta_queue_take(d->meta, d->arena, &d->holder, s->webhook_timeout_ms + s->db_timeout_ms + HOLD_MORE_MS, &c.webhook,
	    &c.failures, err);

	if (rc == 1) {
		bool taken = deliver(d, &c, why);

		finish(d, &c, taken, why, err);
	}
	return rc;
}

/* Too old, too many; and how many wait. Every process does so: it is the same whoever does it. */
static void
keep_house(struct deliverer *d, struct err *err)
{
	const struct settings *s = d->all->w->settings;
	int64_t now = clock_mono_us(), waiting, oldest_us;
	struct queue_dropped *list;
	size_t n;

	if (!d->first)
		return;
	if (d->trim_us == 0 || now - d->trim_us > TRIM_EVERY_US) {
		d->trim_us = now;
		if (meta_queues_trim(d->meta, d->arena, s->webhook_keep_days, s->webhook_queue_max, &list, &n, err) == 0)
			for (size_t i = 0; i < n; i++)
				say_dropped(list[i].webhook, list[i].n, "too old, or too many");
	}
	if (d->count_us == 0 || now - d->count_us > COUNT_EVERY_US) {
		d->count_us = now;
		if (meta_queues_waiting(d->meta, d->arena, &waiting, &oldest_us, err) == 0) {
			metric_set(M_NOTIFICATIONS_WAITING, waiting);
			metric_set(M_NOTIFICATIONS_OLDEST, oldest_us / US_PER_S);
		}
	}
}

static void
wait_for_news(struct deliverers *all)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LOOK_EVERY_US / US_PER_S;
	pthread_mutex_lock(&all->lock);
	if (!all->news && !stopped(all))
		(void)pthread_cond_timedwait(&all->woken, &all->lock, &until);
	all->news = false;
	pthread_mutex_unlock(&all->lock);
}

static void *
deliverer_main(void *arg)
{
	struct deliverer *d = arg;

	while (!stopped(d->all)) {
		struct err err = { 0 };
		int rc;

		arena_reset(d->arena);
		rc = take_one(d, &err);
		if (rc != 1)
			wait_for_news(d->all);
		keep_house(d, &err);
	}
	return NULL;
}

static int
start_one(struct deliverers *all, struct deliverer *d, bool first, struct err *err)
{
	*d = (struct deliverer){ .all = all, .first = first, .arena = arena_new(ARENA_BYTES) };
	uuid_random(&d->holder);
	if (meta_thread_new(all->w->meta, &d->meta, err) != 0)
		return -1;
	d->running = thread_start_small(&d->id, deliverer_main, d, err) == 0;
	return d->running ? 0 : -1;
}

int
deliver_start(struct worker *w, struct deliverers **out, struct err *err)
{
	struct arena *a;
	struct deliverers *d;

	*out = NULL;
	if (w->settings->webhook_threads == 0)
		return 0;
	a = arena_new(1 << 20);
	d = ARENA_NEW(a, struct deliverers);
	ASSERT(d != NULL);
	*d = (struct deliverers){ .arena = a, .w = w, .n = (int)w->settings->webhook_threads };
	d->v = arena_zalloc(a, (size_t)d->n * sizeof(*d->v));
	ASSERT(d->v != NULL);
	(void)pthread_mutex_init(&d->lock, NULL);
	clock_cond_init(&d->woken);
	*out = d;
	for (int i = 0; i < d->n; i++)
		if (start_one(d, &d->v[i], i == 0, err) != 0)
			return -1;
	return 0;
}

void
deliver_wake(struct deliverers *d)
{
	if (d == NULL)
		return;
	pthread_mutex_lock(&d->lock);
	d->news = true;
	pthread_cond_signal(&d->woken);
	pthread_mutex_unlock(&d->lock);
}

void
deliver_stop(struct deliverers *d)
{
	if (d == NULL)
		return;
	__atomic_store_n(&d->stop, true, __ATOMIC_RELEASE);
	pthread_mutex_lock(&d->lock);
	pthread_cond_broadcast(&d->woken);
	pthread_mutex_unlock(&d->lock);
	for (int i = 0; i < d->n; i++) {
		if (d->v[i].running)
			(void)pthread_join(d->v[i].id, NULL);
		webhook_close(d->v[i].curl);
		meta_thread_free(d->v[i].meta);
		arena_free(d->v[i].arena);
		for (size_t k = 0; k < KNOWN_MAX; k++)
			arena_free(d->v[i].known[k].arena);
	}
	(void)pthread_cond_destroy(&d->woken);
	(void)pthread_mutex_destroy(&d->lock);
	arena_free(d->arena);
}
