/* SPDX-License-Identifier: Apache-2.0 */
/* fcgi/webhook_call.h - one call of a webhook: a POST of JSON, signed as Standard Webhooks has it (docs/notifications.md). */
#ifndef ANVIL_FCGI_WEBHOOK_CALL_H
#define ANVIL_FCGI_WEBHOOK_CALL_H

#include "base/arena.h"
#include "base/settings.h"

#define WEBHOOK_WHY_SIZE 200

struct webhook_call {
	const struct settings *settings;
	const char *url, *id, *body; /* id: of this message, the same when it is sent again */
	const uint8_t *key;          /* that signs */
	size_t key_len;
	int64_t now_us;
	const bool *stop;            /* atomic: gives it up */
};
/* The value of webhook-signature; NULL: the arena is full. */
const char *webhook_signature(struct arena *a, const struct webhook_call *c);
/* A connection is kept for the next call: *curl is NULL at first, webhook_close ends it. true: it was taken; else why. */
bool webhook_call(void **curl, struct arena *a, const struct webhook_call *c, char why[WEBHOOK_WHY_SIZE]);
void webhook_close(void *curl);

#endif
