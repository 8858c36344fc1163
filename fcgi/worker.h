/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/worker.h - one worker process: its threads, and what they share.
 * Made after fork, so that no connection or NNG socket is shared by processes.
 */
#ifndef ANVIL_FCGI_WORKER_H
#define ANVIL_FCGI_WORKER_H

#include "base/settings.h"
#include "meta/meta.h"
#include "store/engine.h"

#include "fcgi/signing_keys.h"
#include "routing/relay.h"

#define STREAM_BUF_BYTES (128 * 1024)
#define HOST_ID_LEN 44

struct deliverers;
struct tally;

struct worker {
	const struct settings *settings;
	struct meta *meta;                /* has its own locks */
	struct store *store;              /* thread-safe */
	struct signing_keys *signing_keys; /* has its own lock */
	struct deliverers *deliverers;    /* of events to webhooks; NULL: this process has none */
	struct tally *tally;              /* counts for the metrics */
	struct relays *relays;            /* what is known of other regions; has its own lock */
	struct arena *arena;              /* what lives as long as the process; main thread only */
	char host_id[HOST_ID_LEN + 1];    /* x-amz-id-2: which process answered */
	bool stop;                        /* atomic; set once */
};

/* Opens what a worker's threads share. meta_flags: enum meta_flags. */
MUST_CHECK int worker_open(const struct settings *s, struct worker *w, int meta_flags, struct err *err);
void worker_close(struct worker *w);

/*
 * Serve FastCGI requests from the listening socket `fd` until SIGTERM or SIGINT;
 * then end the requests under way within `drain_s` seconds. SIGHUP reopens the
 * log. Returns the exit status.
 */
int worker_run(const struct settings *s, int fd);
/* One request as CGI. Returns the exit status. */
int worker_once(const struct settings *s, char **env);

#endif
