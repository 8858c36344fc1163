/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/access.c - a bucket's public access block and object ownership.
 *
 * Owns:       nothing.
 * Called by:  authorize.c, handlers.
 * Blocks:     on the cache; on a miss on the global database.
 * Invariant:  a document that cannot be read refuses public access.
 */
#include "fcgi/access.h"

int
access_block(struct req *r, struct s3_access_block *out)
{
	const char *document;

	if (meta_bucket_config(r->thread->meta, r->arena, r->bucket, CONFIG_KIND_PUBLIC_ACCESS_BLOCK, &document, &r->err) != 0)
		return -1;
	s3_access_block_read(r->arena, document, out);
	return 0;
}

bool
access_is_restricted(const struct req *r)
{
	struct s3_access_block block;
	const char *document;
	struct err why = { 0 };

	if (meta_bucket_config(r->thread->meta, r->arena, r->bucket, CONFIG_KIND_PUBLIC_ACCESS_BLOCK, &document, &why) != 0)
		return true;
	s3_access_block_read(r->arena, document, &block);
	return block.restrict_buckets;
}
