/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/rename_object.c - RenameObject: another key for an object of the same bucket, in one step.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c.
 * Blocks:     on two statements on the regional database.
 * Invariant:  no bytes move, and no reader sees both keys, or neither.
 * Source:     S3 API Reference, RenameObject. S3 has it for directory buckets; here any bucket that never had versions
 *             will do. x-amz-client-token is not heeded: who asks again after it was done is told NoSuchKey.
 */
#include "fcgi/ops/ops.h"

#include "fcgi/authorize.h"
#include "fcgi/ops/put.h"
#include "s3/copy_source.h"

#define SOURCE_HEADER "x-amz-rename-source"
#define TRIES 8 /* the source was written anew after we looked at it */

static int
find_source(struct req *r, const struct identity *who, struct span key, struct object *out)
{
	struct condition_object co;
	int found = meta_object_get(r->thread->meta, r->arena, r->bucket, key, NULL, false, out, &r->err);

	if (found < 0)
		return -1;
	if (found == 0 || out->is_marker)
		return ops_no_such_key(r, r, who, key);
	co = (struct condition_object){ span_of(out->etag), out->mtime_us };
	if (copy_condition(&r->headers, SOURCE_HEADER, &co, r->now_us, &r->problem) != 0)
		return req_refused(r, "a condition on the source does not hold");
	return 0;
}

/* 1: look again. */
static int
outcome(struct req *r, enum object_renamed is, const struct object_cond *cond)
{
	switch (is) {
	case RENAME_DONE:
		return 0;
	case RENAME_CHANGED:
		return 1;
	case RENAME_FENCE_CLOSED:
		return req_refuse(r, S3_NoSuchBucket, NULL, "BucketName", span_of(r->bucket_name));
	case RENAME_PRECONDITION:
		return put_condition_failed(r, cond);
	case RENAME_NO_DESTINATION:
		return req_refuse(r, S3_NoSuchKey, NULL, "Key", r->key);
	case RENAME_HAS_VERSIONS:
		break;
	}
	return req_refuse(r, S3_InvalidBucketState, "Objects cannot be renamed in a bucket that has or had versioning.", NULL, SPAN(""));
}

static int
move(struct req *r, const struct identity *who, struct span from, const struct object_cond *cond)
{
	enum object_renamed is;
	struct object o;
	int rc = 1;

	for (int i = 0; i < TRIES && rc == 1; i++) {
		if (find_source(r, who, from, &o) != 0 ||
		    meta_object_rename(r->thread->meta, r->arena, r->bucket, &o, r->key, cond, &is, &r->err) != 0)
			return -1;
		rc = outcome(r, is, cond);
	}
	return rc == 1 ? req_refuse(r, S3_OperationAborted, NULL, NULL, SPAN("")) : rc;
}

int
op_rename_object(struct req *r, const struct identity *who)
{
	struct span header = req_header(r, SOURCE_HEADER), from;
	struct object_cond cond;
	struct reply rp;

	if (rename_source_parse(r->arena, header, &from, &r->problem) != 0)
		return req_refused(r, "the source's key is wrong in form");
	if (span_eq(from, r->key))
		return req_refuse(r, S3_InvalidRequest, "An object cannot be renamed to itself.", NULL, SPAN(""));
	if (!allowed(r, who, "s3:GetObject", from) || !allowed(r, who, "s3:DeleteObject", from))
		return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
	if (put_condition(r, &cond) != 0 || move(r, who, from, &cond) != 0)
		return -1;
	reply_begin(&rp, r, 200);
	return reply_empty(&rp);
}
