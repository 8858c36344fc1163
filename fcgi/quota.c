/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/quota.c - requests and the quotas of buckets.
 *
 * Owns:       nothing.
 * Called by:  blob_out.c, dispatch.c.
 * Blocks:     admitting: on one statement on the regional database.
 * Invariant:  a quota is told to the global database, perhaps in another region, which evicts the bucket's cached
 *             value here. So it is known at the next request, which had to read the bucket from there; and that a
 *             quota is gone or higher, when a write is refused by the old one.
 */
#include "fcgi/quota.h"

#include "base/metrics.h"
#include "base/parse.h"
#include "fcgi/tally.h"
#include "fcgi/worker.h"
#include "meta/quota.h"
#include "meta/upload.h"

int
quota_admit(struct req *r, int64_t size)
{
	struct usage_add add = { .bucket_id = &r->bucket->id, .key = r->key, .size = size };
	struct span upload = req_param(r, "uploadId"), part = req_param(r, "partNumber");
	bool fits = true;
	struct uuid id;
	int64_t n;

	if (size < 0 || !bucket_has_config(r->bucket, CONFIG_KIND_QUOTA))
		return 0;
	if (upload.p != NULL && upload_id_parse(upload, &id) && parse_i64(part, 1, UPLOAD_PARTS_MAX, &n)) {
		add.upload_id = &id;
		add.part = (int)n;
	}
	if (meta_usage_fits(r->thread->meta, r->arena, &add, &fits, &r->err) != 0)
		return -1;
	return fits ? 0 : FAIL(&r->err, ERR_QUOTA, "the bucket has no room for %" PRId64 " bytes", size);
}

void
quota_watch(struct req *r)
{
	const struct worker *w = r->thread->worker;
	bool refused = r->err.code == ERR_QUOTA;

	if (refused)
		metric_add(M_QUOTA_REFUSED, 1);
	if (r->bucket == NULL || strcmp(r->bucket->region, w->settings->region) != 0)
		return;
	if (refused || (bucket_has_config(r->bucket, CONFIG_KIND_QUOTA) && meta_spent(r->thread->meta)->global_queries > 0))
		tally_settle(w->tally, &r->bucket->id);
}
