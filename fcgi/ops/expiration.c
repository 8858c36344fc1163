/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/expiration.c - x-amz-expiration: when a lifecycle rule ends an object.
 *
 * Owns:       nothing.
 * Called by:  the handlers that answer about a current version.
 * Blocks:     on the cache, where the bucket has rules.
 * Invariant:  what is told is what admin/lifecycle.c does: both ask s3/lifecycle.c.
 */
#include "fcgi/ops/ops.h"

#include "fcgi/respond.h"
#include "s3/lifecycle.h"

#define HEADER_MAX 2048

void
ops_expiration(struct reply *rp, int64_t size, struct span tags, int64_t mtime_us)
{
	struct req *r = rp->r;
	struct s3_problem ignored = { 0 };
	struct s3_tags read = { NULL, 0 };
	struct err why = { 0 };
	struct lifecycle lc;
	struct strbuf sb;
	const char *rules;

	if (!bucket_has_config(r->bucket, CONFIG_KIND_LIFECYCLE) ||
	    meta_bucket_config(r->thread->meta, r->arena, r->bucket, CONFIG_KIND_LIFECYCLE, &rules, &why) != 0)
		return;
	lifecycle_read(r->arena, rules, &lc);
	if (lifecycle_wants_tags(&lc) && tags.len > 0 && s3_tags_from_text(r->arena, tags, &read, &ignored) != 0)
		return;
	strbuf_init(&sb, r->arena, HEADER_MAX);
	if (lifecycle_header(&sb, &lc, r->key, size, &read, mtime_us))
		reply_str(rp, "x-amz-expiration", strbuf_cstr(&sb));
}
