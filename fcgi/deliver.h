/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/deliver.h - threads of a worker process that deliver buckets' events to webhooks.
 *
 * At least once: an event is taken from its queue only after the webhook took it. One
 * thread of the region at a time calls a webhook, with its oldest events first; so what
 * happens to a key is told in its order.
 */
#ifndef ANVIL_FCGI_DELIVER_H
#define ANVIL_FCGI_DELIVER_H

#include "base/err.h"

struct worker;
struct deliverers;

/* webhook_threads of them; *out NULL when these are none. */
MUST_CHECK int deliver_start(struct worker *w, struct deliverers **out, struct err *err);
/* There is something to deliver; without it they look each second. NULL is fine. */
void deliver_wake(struct deliverers *d);
/* Ends a call under way, which will be made again, and waits for the threads. NULL is fine. */
void deliver_stop(struct deliverers *d);

#endif
