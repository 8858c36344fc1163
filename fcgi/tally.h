/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/tally.h - a thread of a worker process that counts what the region's metrics tell
 * of its database: unfinished uploads, their parts and bytes, and the oldest of them.
 *
 * All processes of a region count into the same metrics, and one of them does so at a
 * time: while they are few each 5 seconds, else each minute.
 */
#ifndef ANVIL_FCGI_TALLY_H
#define ANVIL_FCGI_TALLY_H

#include "base/err.h"

struct worker;
struct tally;

MUST_CHECK int tally_start(struct worker *w, struct tally **out, struct err *err);
/* Waits for a statement under way. NULL is fine. */
void tally_stop(struct tally *t);

#endif
