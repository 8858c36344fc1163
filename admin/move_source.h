/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/move_source.h - the region that a bucket leaves, as its mover sees it: questions (routing/move.h) and blobs, over
 * its public endpoint.
 */
#ifndef ANVIL_ADMIN_MOVE_SOURCE_H
#define ANVIL_ADMIN_MOVE_SOURCE_H

#include "base/codec.h"
#include "meta/meta.h"
#include "store/engine.h"

struct move_source;
/* Borrows all three. */
struct move_source *move_source_new(const struct settings *s, const struct region *home, struct store *st);
void move_source_free(struct move_source *src);

/*
 * One question: what is behind MOVE_PATH. The answer is the arena's, and read up to its version. ERR_UNAVAILABLE: later
 * perhaps. ERR_NOT_FOUND, ERR_CONFLICT: it does not know of the move, or not any more.
 */
MUST_CHECK int move_source_ask(struct move_source *src, struct arena *a, const char *question, struct dec *out, struct err *err);

/* Called about each second while blobs come; -1 with err ends it. */
typedef int (*move_tick_fn)(void *arg, struct err *err);
/*
 * Copies blobs into the store, several at once: ids[i] is blobs[i]. *missing: one that is not there any more, NULL = none. On
 * failure, or when one is missing, nothing of it is left in the store. *bytes is added to.
 */
MUST_CHECK int move_source_fetch(struct move_source *src, const struct uuid *blobs, struct uuid *ids, size_t n,
    const struct uuid **missing, int64_t *bytes, move_tick_fn tick, void *arg, struct err *err);

#endif
