/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/bucket_logging.c - where access logs may go: to a bucket of the same owner
 * and home. That owner's word, in PutBucketLogging, is leave enough to store there: the
 * target's policy need not let logging.s3.amazonaws.com in. And to whom the delivered
 * objects may be granted: to tenants that are there, where the target's lists count.
 *
 * Owns:       nothing.
 * Called by:  bucket_config.c.
 * Blocks:     on the cache; on a miss on the global database.
 * Invariant:  what is delivered is decided again at each delivery (admin/access_log.c).
 */
#include "fcgi/ops/acl.h"
#include "fcgi/ops/bucket_config.h"
#include "s3/access_log.h"

static int
bad_target(struct req *r, const char *message, const struct access_logging *l)
{
	return req_refuse(r, S3_InvalidTargetBucketForLogging, message, "TargetBucket", l->bucket);
}

/* Source: S3 API Reference, PutBucketLogging, TargetGrants; the words are S3's. */
static int
check_grants(struct req *r, const struct identity *who, const struct bucket *target, const struct acl *grants)
{
	struct acl *named = ARENA_NEW(r->arena, struct acl);
	const char *doc;

	if (named == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (meta_bucket_config(r->thread->meta, r->arena, target, CONFIG_KIND_OWNERSHIP, &doc, &r->err) != 0)
		return -1;
	if (s3_ownership_read(r->arena, doc) == S3_OWNER_ENFORCED)
		return req_refuse(r, S3_AccessControlListNotSupported, "Target grants not allowed for bucket owner enforced buckets", NULL, SPAN(""));
	*named = *grants;
	return acl_name_grantees(r, who, named);
}

int
logging_may_be_put(struct req *r, const struct identity *who, const char *stored)
{
	struct access_logging l;
	struct meta_found found;
	const char *name;

	if (stored == NULL)
		return 0;
	if (!access_logging_read(r->arena, stored, &l))
		return FAIL(&r->err, ERR_INTERNAL, "a logging document that was checked cannot be read");
	name = arena_strndup(r->arena, l.bucket.p, l.bucket.len);
	if (name == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (meta_find(r->thread->meta, r->arena, NULL, name, &found, &r->err) != 0)
		return -1;
	if (!found.has_bucket || strcmp(found.bucket.status, "active") != 0)
		return bad_target(r, "The target bucket for logging does not exist", &l);
	if (memcmp(&found.bucket.tenant_id, &r->bucket->tenant_id, sizeof(struct uuid)) != 0)
		return bad_target(r, "The owner for the bucket to be logged and the target bucket must be the same.", &l);
	if (strcmp(found.bucket.region, r->bucket->region) != 0) {
		(void)s3_problem_set(&r->problem, S3_CrossLocationLoggingProhibitted, NULL);
		s3_problem_extra(&r->problem, "SourceBucketLocation", span_of(r->bucket->region));
		s3_problem_extra(&r->problem, "TargetBucketLocation", span_of(found.bucket.region));
		return req_refused(r, "the target of logging is another region's");
	}
	return l.grants == NULL ? 0 : check_grants(r, who, &found.bucket, l.grants);
}
