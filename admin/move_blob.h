/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/move_blob.h - one blob on its way from another region (routing/move.h): its bytes go to the store as they come,
 * and are compared with what its row says of them and with what the source has sent.
 */
#ifndef ANVIL_ADMIN_MOVE_BLOB_H
#define ANVIL_ADMIN_MOVE_BLOB_H

#include "base/arena.h"
#include "base/settings.h"
#include "meta/meta.h"
#include "store/engine.h"

struct move_blob;
/* The arena's, which must be reset when it is over; borrows all. NULL past the arena's cap. One thread's. */
struct move_blob *move_blob_new(struct arena *a, const struct settings *s, struct store *st);
/* What of the answer comes next. On failure abort is still to be called. */
MUST_CHECK int move_blob_take(struct move_blob *b, const void *p, size_t len, struct err *err);
/*
 * All has come: it is durable as *id, and what it should be. ERR_UNAVAILABLE: it was changed on its way. ERR_INTERNAL: it is
 * not what its row says in the source, which is logged (EV_MOVE_DAMAGED). The blob is gone either way, as after abort.
 *
 * Plain bytes and those sealed with our own key are compared by MD5 and checksum; sealed chunks must open, too. Of what
 * is sealed with a client's key (SSE-C), and of a blob that no row names any more, there is the source's digest alone.
 */
MUST_CHECK int move_blob_end(struct move_blob *b, const struct region *source, const struct uuid *blob, struct blob_id *id,
    struct err *err);
void move_blob_abort(struct move_blob *b);
/* Stored bytes that have come. */
int64_t move_blob_bytes(const struct move_blob *b);

#endif
