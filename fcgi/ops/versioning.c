/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/versioning.c - GetBucketVersioning, PutBucketVersioning,
 * GetObjectLockConfiguration, PutObjectLockConfiguration.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c; Puts in the bucket's home region, where its fence is.
 * Blocks:     Puts on both databases and until every region knows.
 * Invariant:  a bucket with object lock has versions, and keeps both.
 */
#include "fcgi/ops/ops.h"

#include "fcgi/body.h"
#include "fcgi/respond.h"
#include "s3/object_lock.h"

#define DOCUMENT_MAX 65536

int
op_get_bucket_versioning(struct req *r, const struct identity *who)
{
	struct strbuf xml;

	(void)who;
	strbuf_init(&xml, r->arena, 1024);
	versioning_xml(&xml, r->bucket->versioning);
	return reply_xml(r, &xml);
}

static int
set(struct req *r, const char *versioning, const char *lock, const char *refusal)
{
	enum config_done done;
	struct reply rp;

	if (meta_bucket_set_versioning(r->thread->meta, r->arena, r->bucket, versioning, lock, &done, &r->err) != 0)
		return -1;
	if (done == CONFIG_NO_BUCKET)
		return req_refuse(r, S3_NoSuchBucket, NULL, "BucketName", span_of(r->bucket_name));
	if (done == CONFIG_REFUSED)
		return req_refuse(r, S3_InvalidBucketState, refusal, NULL, SPAN(""));
	reply_begin(&rp, r, 200);
	return reply_empty(&rp);
}

int
op_put_bucket_versioning(struct req *r, const struct identity *who)
{
	const char *status;
	struct span document;
	struct body b;

	if (body_open(r, who, DOCUMENT_MAX, &b) != 0 || body_all(&b, &document) != 0)
		return -1;
	if (versioning_parse(r->arena, document, &status, &r->problem) != 0)
		return req_refused(r, "the document is refused");
	return set(r, status, NULL,
	    "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.");
}

int
op_get_object_lock_configuration(struct req *r, const struct identity *who)
{
	struct strbuf xml;

	(void)who;
	if (r->bucket->object_lock[0] == '\0')
		return req_refuse(r, S3_ObjectLockConfigurationNotFoundError, NULL, "BucketName", span_of(r->bucket_name));
	strbuf_init(&xml, r->arena, 1024);
	object_lock_config_xml(&xml, r->bucket->object_lock);
	return reply_xml(r, &xml);
}

int
op_put_object_lock_configuration(struct req *r, const struct identity *who)
{
	char lock[OBJECT_LOCK_TEXT_SIZE];
	struct span document;
	struct body b;

	if (body_open(r, who, DOCUMENT_MAX, &b) != 0 || body_all(&b, &document) != 0)
		return -1;
	if (object_lock_config_parse(r->arena, document, lock, &r->problem) != 0)
		return req_refused(r, "the document is refused");
	return set(r, NULL, lock, "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration");
}
