/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing/breaker.c - a circuit breaker for each other region.
 *
 * Owns:      what this process knows of the regions.
 * Blocks:    on its own short lock only.
 * Invariant: every begin has its end, so that running and waiting count relays
 *            that are under way; state changes are logged once.
 */
#include "routing/breaker.h"

#include <pthread.h>

#include "base/log.h"
#include "base/metrics.h"

#define REGIONS_MAX 64

struct region_state {
	char region[64];
	bool down;              /* told, and not yet reached again */
	int64_t retry_us;       /* while down or silent: nobody tries before */
	int64_t silent_us;      /* since when nothing was heard while some wait; 0 = nobody waits */
	int running, waiting;
	int leaving;            /* of those that run */
};
struct breaker {
	int share;
	pthread_mutex_t lock;   /* guards what follows */
	struct region_state region[REGIONS_MAX];
};

struct breaker *
breaker_new(int share)
{
	struct breaker *b = calloc(1, sizeof(*b)); /* process: what its threads share */

	if (b == NULL)
		abort();
	b->share = share;
	pthread_mutex_init(&b->lock, NULL);
	return b;
}

void
breaker_free(struct breaker *b)
{
	if (b == NULL)
		return;
	pthread_mutex_destroy(&b->lock);
	free(b);
}

/* The region's place, or a free one; -1 when all are taken (then it counts as up). */
static int
slot_of(struct breaker *b, const char *region)
{
	for (int i = 0; i < REGIONS_MAX; i++) {
		if (b->region[i].region[0] == '\0')
			snprintf(b->region[i].region, sizeof(b->region[i].region), "%s", region);
		if (strcmp(b->region[i].region, region) == 0)
			return i;
	}
	return -1;
}

/* Some wait, and nothing was heard for so long. */
static bool
silent_for(const struct region_state *s, int64_t now_us, int64_t long_us)
{
	return s->silent_us != 0 && now_us - s->silent_us > long_us;
}

static void
set_down(struct region_state *s, bool down, const char *why)
{
	if (s->down == down)
		return;
	s->down = down;
	if (down) {
		metric_add(M_RELAY_BREAKS, 1);
		log_event(NULL, EV_RELAY_DOWN, LS("region", s->region), LS("reason", why));
	} else {
		log_event(NULL, EV_RELAY_UP, LS("region", s->region));
	}
}

static enum breaker_verdict
ask(const struct breaker *b, struct region_state *s, int64_t now_us)
{
	if (s->waiting >= BREAKER_WAITING && silent_for(s, now_us, BREAKER_SILENT_US))
		set_down(s, true, "relays hear nothing");
	if (s->down) {
		if (now_us < s->retry_us)
			return BREAKER_DOWN;
		s->retry_us = now_us + BREAKER_RETRY_US; /* this one tries; the others wait for what it finds */
		return BREAKER_GO;
	}
	return s->running >= b->share && silent_for(s, now_us, BREAKER_SLOW_US) ? BREAKER_BUSY : BREAKER_GO;
}

enum breaker_verdict
breaker_ask(struct breaker *b, const char *region, int64_t now_us)
{
	enum breaker_verdict v = BREAKER_GO;
	int i;

	pthread_mutex_lock(&b->lock);
	i = slot_of(b, region);
	if (i >= 0)
		v = ask(b, &b->region[i], now_us);
	pthread_mutex_unlock(&b->lock);
	if (v != BREAKER_GO)
		metric_add(v == BREAKER_DOWN ? M_RELAY_REFUSED_DOWN : M_RELAY_REFUSED_BUSY, 1);
	return v;
}

void
breaker_begin(struct breaker *b, const char *region, struct breaker_pass *p)
{
	pthread_mutex_lock(&b->lock);
	*p = (struct breaker_pass){ .slot = slot_of(b, region) };
	if (p->slot >= 0) {
		b->region[p->slot].running++;
		p->tries = b->region[p->slot].down;
	}
	pthread_mutex_unlock(&b->lock);
	metric_add(M_RELAYS_ACTIVE, 1);
}

void
breaker_wait(struct breaker *b, struct breaker_pass *p, int64_t now_us)
{
	if (p->slot < 0 || p->waiting)
		return;
	pthread_mutex_lock(&b->lock);
	p->waiting = true;
	if (b->region[p->slot].waiting++ == 0)
		b->region[p->slot].silent_us = now_us;
	pthread_mutex_unlock(&b->lock);
}

/* The caller holds the lock. */
static void
no_longer_waiting(struct region_state *s, struct breaker_pass *p, bool heard, int64_t now_us)
{
	if (p->waiting)
		s->waiting--;
	p->waiting = false;
	if (s->waiting == 0)
		s->silent_us = 0;
	else if (heard)
		s->silent_us = now_us;
}

void
breaker_heard(struct breaker *b, struct breaker_pass *p, int64_t now_us)
{
	if (p->slot < 0)
		return;
	pthread_mutex_lock(&b->lock);
	no_longer_waiting(&b->region[p->slot], p, true, now_us);
	set_down(&b->region[p->slot], false, NULL);
	pthread_mutex_unlock(&b->lock);
}

bool
breaker_leave(struct breaker *b, struct breaker_pass *p, int64_t now_us)
{
	struct region_state *s;

	if (p->slot < 0 || !p->waiting || p->leaves)
		return false;
	pthread_mutex_lock(&b->lock);
	s = &b->region[p->slot];
	p->leaves = s->running - s->leaving > b->share && silent_for(s, now_us, BREAKER_SILENT_US);
	if (p->leaves)
		s->leaving++;
	pthread_mutex_unlock(&b->lock);
	return p->leaves;
}

void
breaker_end(struct breaker *b, struct breaker_pass *p, bool known, bool reached, int64_t now_us)
{
	struct region_state *s;

	metric_add(M_RELAYS_ACTIVE, -1);
	if (p->slot < 0)
		return;
	pthread_mutex_lock(&b->lock);
	s = &b->region[p->slot];
	s->running--;
	if (p->leaves)
		s->leaving--;
	no_longer_waiting(s, p, known && reached, now_us);
	if (known && !reached)
		s->retry_us = now_us + BREAKER_RETRY_US;
	if (known)
		set_down(s, !reached, "it could not be reached");
	pthread_mutex_unlock(&b->lock);
}

size_t
breaker_list(struct breaker *b, struct breaker_state *out, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&b->lock);
	for (; n < max && n < REGIONS_MAX && b->region[n].region[0] != '\0'; n++) {
		out[n] = (struct breaker_state){ .down = b->region[n].down, .running = b->region[n].running };
		memcpy(out[n].region, b->region[n].region, sizeof(out[n].region));
	}
	pthread_mutex_unlock(&b->lock);
	return n;
}
