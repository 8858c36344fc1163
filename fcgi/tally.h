/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/tally.h - a thread of a worker process that counts what the region's metrics tell
 * of its database: unfinished uploads, their parts and bytes, and the oldest of them; and
 * buckets with quotas. It also settles quotas that changed.
 *
 * All processes of a region count into the same metrics, and one of them does so at a
 * time: while they are few each 5 seconds, else each minute.
 */
#ifndef ANVIL_FCGI_TALLY_H
#define ANVIL_FCGI_TALLY_H

#include "base/err.h"

struct uuid;
struct worker;
struct tally;

MUST_CHECK int tally_start(struct worker *w, struct tally **out, struct err *err);
/* Soon does here what the primary says of the bucket's quota (meta_quota_settle). Does not wait; NULL t is fine. Thread-safe. */
void tally_settle(struct tally *t, const struct uuid *bucket);
/* Waits for a statement under way. NULL is fine. */
void tally_stop(struct tally *t);

#endif
