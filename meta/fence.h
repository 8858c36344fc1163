/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/fence.h - the regional fence of a bucket: whether objects may be written
 * under its id (DESIGN.md, "The data"). A fence is opened by the bucket's first
 * write, closed once by DeleteBucket, and stays closed for ever: ids are never
 * used twice, so no late writer can bring a bucket back.
 */
#ifndef ANVIL_META_FENCE_H
#define ANVIL_META_FENCE_H

#include "meta/meta.h"

/*
 * Opens the fence when the PRIMARY's row says that this id is an active bucket
 * of this region; the cache's word is not enough. *open tells whether writes may
 * go on: false = the bucket is no more (or never was here), or is being deleted.
 */
MUST_CHECK int meta_fence_open(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, bool *open, struct err *err);
/* "Enabled" or "Suspended" from the next write on; waits for those under way. *open false: the fence is closed. */
MUST_CHECK int meta_fence_versioning(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, const char *versioning,
    bool *open, struct err *err);
/*
 * For DeleteBucket, in the home region: waits for the writes under way, proves
 * the bucket empty (no object in any version) and closes the fence, opened or not.
 * Uploads under way end with it. *closed false = not empty, nothing changed. Can be repeated.
 */
MUST_CHECK int meta_fence_close(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, bool *closed, struct err *err);
/* The global row is gone too: maintain need not look at this fence any more. Failure costs maintain a look only. */
MUST_CHECK int meta_fence_end(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, struct err *err);
/* Closed fences that were never ended: a DeleteBucket stopped half-way. At most max, oldest first. */
MUST_CHECK int meta_fences_half_done(struct meta_thread *t, struct arena *a, int max, struct uuid **out, size_t *n, struct err *err);
/*
 * Of the next page of this region's buckets after *after, which moves on, those that
 * were deleted to the end: a restore of the global database brought them back. *more:
 * there may be another page.
 */
MUST_CHECK int meta_fences_of_restored(struct meta_thread *t, struct arena *a, struct uuid *after, int max, struct uuid **out,
    size_t *n, bool *more, struct err *err);

#endif
