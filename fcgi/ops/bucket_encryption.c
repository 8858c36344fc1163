/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/bucket_encryption.c - a bucket's default encryption: Get, Put and
 * DeleteBucketEncryption. fcgi/sse.c is who heeds it.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c, in whichever region is asked: the document is metadata.
 * Blocks:     Put and Delete on the global database and until every region knows;
 *             Get on the cache.
 * Invariant:  what is stored is our own writing of what was asked, so that a later
 *             reader finds nothing that it does not know.
 */
#include "fcgi/ops/ops.h"

#include "fcgi/body.h"
#include "fcgi/respond.h"
#include "s3/sse.h"

#define BODY_MAX 65536
#define XML_MAX 1024

/* `kind` SSE_NONE: a rule that asks for nothing. */
static const char *
document_of(struct req *r, enum sse_kind kind)
{
	struct strbuf xml;

	strbuf_init(&xml, r->arena, XML_MAX);
	xml_begin(&xml, "ServerSideEncryptionConfiguration");
	xml_open(&xml, "Rule");
	if (kind == SSE_S3) {
		xml_open(&xml, "ApplyServerSideEncryptionByDefault");
		xml_str(&xml, "SSEAlgorithm", SSE_ALGORITHM);
		xml_close(&xml, "ApplyServerSideEncryptionByDefault");
	}
	xml_bool(&xml, "BucketKeyEnabled", false);
	xml_close(&xml, "Rule");
	xml_close(&xml, "ServerSideEncryptionConfiguration");
	return strbuf_ok(&xml) ? strbuf_cstr(&xml) : NULL;
}

/* Stores or removes (NULL) it; every region knows when this returns. */
static int
store(struct req *r, const char *document, int status)
{
	enum config_done done;
	struct reply rp;

	if (meta_bucket_set_config(r->thread->meta, r->arena, &r->bucket->id, "encryption", document, &done, &r->err) != 0)
		return -1;
	if (done == CONFIG_NO_BUCKET)
		return req_refuse(r, S3_NoSuchBucket, NULL, "BucketName", span_of(r->bucket_name));
	reply_begin(&rp, r, status);
	return reply_empty(&rp);
}

int
op_get_bucket_encryption(struct req *r, const struct identity *who)
{
	const char *document;
	struct reply rp;

	(void)who;
	if (meta_bucket_config(r->thread->meta, r->arena, r->bucket, CONFIG_KIND_ENCRYPTION, &document, &r->err) != 0)
		return -1;
	if (document == NULL)
		return req_refuse(r, S3_ServerSideEncryptionConfigurationNotFoundError, NULL, "BucketName", span_of(r->bucket_name));
	reply_begin(&rp, r, 200);
	return reply_body(&rp, "application/xml", span_of(document));
}

int
op_put_bucket_encryption(struct req *r, const struct identity *who)
{
	enum sse_kind kind;
	const char *document;
	struct span given;
	struct body b;

	if (body_open(r, who, BODY_MAX, &b) != 0 || body_all(&b, &given) != 0)
		return -1;
	if (sse_config_parse(r->arena, given, &kind, &r->problem) != 0)
		return req_refused(r, "the default encryption is refused");
	document = document_of(r, kind);
	return document == NULL ? FAIL(&r->err, ERR_LIMIT, "arena is full") : store(r, document, 200);
}

int
op_delete_bucket_encryption(struct req *r, const struct identity *who)
{
	(void)who;
	return store(r, NULL, 204);
}
