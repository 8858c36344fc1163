/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/notify.h - what the bucket's notification configuration wants told of a request's
 * changes. Between the two, whatever the handler writes is told as it is written.
 */
#ifndef ANVIL_FCGI_NOTIFY_H
#define ANVIL_FCGI_NOTIFY_H

#include "fcgi/req.h"

/* Before a handler. 0, or -1: it cannot be known whom to tell, and nothing may be written. */
MUST_CHECK int notify_begin(struct req *r);
void notify_end(struct req *r);
/* What an event says of its request: "ID HOST-ID", from x-amz-request-id and x-amz-id-2. NULL: the arena is full. */
const char *notify_request(const struct req *r);

#endif
