/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing/relay.h - a request passed on to another region and its answer passed
 * back, both streamed. The home region verifies the client's own signature; what
 * is added is the hop header alone. An early answer reaches the client early; a
 * client that leaves ends the relay. Bounded memory: one buffer of libcurl's each way.
 */
#ifndef ANVIL_ROUTING_RELAY_H
#define ANVIL_ROUTING_RELAY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/settings.h"
#include "meta/meta.h"
#include "routing/breaker.h"

/* What is known of the regions' health; one a process, thread-safe. */
struct relays;
struct relays *relays_new(const struct settings *s);
void relays_free(struct relays *r);
/* May one more relay go to this region now? As breaker_ask. */
enum breaker_verdict relays_ask(struct relays *r, const char *region);
/* As breaker_list: this process's view. */
size_t relays_list(struct relays *r, struct breaker_state *out, size_t max);

/* A thread's connections to other regions, kept alive between requests. */
struct relay_thread;
struct relay_thread *relay_thread_new(struct relays *r);
void relay_thread_free(struct relay_thread *t);

struct relay_header {
	struct span name, value;
};
struct relay_request {
	const struct region *home;
	const char *method;
	struct span target;             /* raw, as the client sent it */
	const char *host;               /* the client's Host, kept */
	const struct relay_header *headers;
	size_t n_headers;
	int64_t content_length;         /* -1 = not announced */
	bool has_body;                  /* true with length -1: chunked */
	const char *hop;                /* value of the hop header */
	const char *request_id;         /* for the log */
};

#define RELAY_STALLED (-2)
/*
 * The client's side. Each that returns a number returns -1 when the client went away. write may say 1: enough, the rest
 * of the answer is not wanted, and the relay ends well.
 */
struct relay_io {
	void *arg;
	int fd;                         /* becomes readable when more of the body comes; -1 = never waited for */
	bool (*ready)(void *arg);       /* read would return at once */
	bool (*gone)(void *arg);        /* has the client left? Asked twice a second, once the body is at its end */
	/* Up to len bytes of the body; waits for at least one; 0 = its end; RELAY_STALLED = none came for relay_idle_ms. */
	ssize_t (*read)(void *arg, void *p, size_t len);
	/* Once: the status and the block "name: value\r\n..." (no empty line at its end). */
	int (*begin)(void *arg, int status, struct span headers);
	int (*write)(void *arg, const void *p, size_t len);
	int (*flush)(void *arg);        /* what was written leaves now, since more is waited for; NULL: it does anyhow */
};

/* For requests that have no body: nothing is ever read. */
bool relay_no_body_ready(void *arg);
ssize_t relay_no_body_read(void *arg, void *p, size_t len);

/*
 * Blocks until the answer has been passed on. Returns 0 then; -1 with err:
 * ERR_UNAVAILABLE (nothing was passed on: answer 503), ERR_CLOSED (the client or the
 * home broke off in the middle: the connection must be closed, no answer can follow; or the
 * client sent nothing for relay_idle_ms: where nothing was passed on, he may be told).
 */
MUST_CHECK int relay_run(struct relay_thread *t, struct arena *a, const struct relay_request *rq,
    const struct relay_io *io, int *status, struct err *err);

#endif
