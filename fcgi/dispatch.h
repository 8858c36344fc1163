/* SPDX-License-Identifier: Apache-2.0 */
/* fcgi/dispatch.h - one request from its first byte to its log line. */
#ifndef ANVIL_FCGI_DISPATCH_H
#define ANVIL_FCGI_DISPATCH_H

#include "fcgi/req.h"

/* Serves it whole and answers always, unless the client went away. Resets nothing: the arena is the caller's. */
void serve(struct thread *t, struct http *h);
/* Names for metrics_print: the operations, then "Unknown". NULL past the last. */
const char *serve_op_name(int op);

#endif
