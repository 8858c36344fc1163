/* SPDX-License-Identifier: Apache-2.0 */
/* admin/move_row.h - what a row of a bucket that moves says of its bytes, and whether bytes that came with it are those. */
#ifndef ANVIL_ADMIN_MOVE_ROW_H
#define ANVIL_ADMIN_MOVE_ROW_H

#include "base/arena.h"
#include "base/chunk_seal.h"
#include "base/settings.h"
#include "meta/move.h"
#include "s3/checksum.h"

struct move_row {
	struct span key;
	int64_t part_no;           /* 0: it is no part's */
	int64_t size;
	const char *etag;
	struct checksum_stored known;
	struct span sse;
	struct uuid sealed_as;     /* the blob that its bytes were sealed as; zero: they are in the row */
};

/*
 * What is wrong with bytes that are stored of it, before any is looked at; NULL: nothing. *sums: what their plain bytes are
 * to be hashed with (the arena's), NULL when those cannot be known (SSE-C). *opener: what opens them, NULL when they are
 * plain or not to be opened; the caller frees it. -1: ERR_LIMIT.
 */
MUST_CHECK int move_row_begin(const struct move_row *r, const struct settings *s, struct arena *a, int64_t stored,
    struct checksums **sums, struct chunk_sealer **opener, const char **damage, struct err *err);
/* All plain bytes were hashed: what is wrong with them; NULL: nothing. */
const char *move_row_compare(const struct move_row *r, struct checksums *sums);
/* -1, with the key's beginning and a way out; blob "": the bytes are in the row. Logged (EV_MOVE_DAMAGED). */
int move_row_damaged(const struct move_row *r, const struct region *source, const char *blob, const char *damage, struct err *err);

#define MOVE_ROW_NOT_SEALED "its sealed bytes are not what was sealed"

/*
 * Are the bytes that come in these rows (struct moving_page) what the rows say? ERR_INTERNAL: they are not, which is
 * logged. As of a blob: length, MD5 and checksum, and what is sealed with our own key must open; of SSE-C the length alone.
 */
MUST_CHECK int move_rows_check(struct meta_thread *t, struct arena *a, const struct settings *s, const struct region *source,
    struct span items, struct err *err);

#endif
