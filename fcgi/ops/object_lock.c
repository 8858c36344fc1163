/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/object_lock.c - retention and legal hold of a version, and of one that is
 * to be written.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c, and the handlers that write objects.
 * Blocks:     on one statement on the regional database.
 * Invariant:  whether a lock may be changed is decided by the statement that does it.
 */
#include "fcgi/ops/ops.h"

#include "fcgi/authorize.h"
#include "fcgi/body.h"
#include "fcgi/respond.h"
#include "meta/version.h"
#include "s3/object_lock.h"

#define DOCUMENT_MAX 65536
#define NO_LOCK "Bucket is missing Object Lock Configuration"

int
ops_object_lock(struct req *r, const struct identity *who, struct object *o)
{
	struct object_lock lock;

	if (object_lock_headers(&r->headers, r->now_us, &lock, &r->problem) != 0)
		return req_refused(r, "the lock that is asked for is refused");
	if (r->bucket->object_lock[0] == '\0')
		return lock.says_retention || lock.says_hold ? req_refuse(r, S3_InvalidRequest, NO_LOCK, NULL, SPAN("")) : 0;
	if ((lock.says_retention && !allowed(r, who, "s3:PutObjectRetention", r->key)) ||
	    (lock.says_hold && !allowed(r, who, "s3:PutObjectLegalHold", r->key)))
		return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
	if (!lock.says_retention)
		object_lock_default(r->bucket->object_lock, r->now_us, &lock);
	o->lock_mode = lock.mode;
	o->retain_until_us = lock.until_us;
	o->legal_hold = lock.hold;
	return 0;
}

static int
needs_lock(struct req *r)
{
	return r->bucket->object_lock[0] != '\0' ? 0 : req_refuse(r, S3_InvalidRequest, NO_LOCK, NULL, SPAN(""));
}

int
op_get_object_retention(struct req *r, const struct identity *who)
{
	struct object o;
	struct strbuf xml;

	if (needs_lock(r) != 0 || ops_find_object(r, who, false, &o) != 0)
		return -1;
	if (o.lock_mode == '\0')
		return req_refuse(r, S3_NoSuchObjectLockConfiguration, NULL, NULL, SPAN(""));
	strbuf_init(&xml, r->arena, 1024);
	retention_xml(&xml, o.lock_mode, o.retain_until_us);
	return reply_xml(r, &xml);
}

int
op_get_object_legal_hold(struct req *r, const struct identity *who)
{
	struct object o;
	struct strbuf xml;

	if (needs_lock(r) != 0 || ops_find_object(r, who, false, &o) != 0)
		return -1;
	strbuf_init(&xml, r->arena, 1024);
	legal_hold_xml(&xml, o.legal_hold);
	return reply_xml(r, &xml);
}

/* The answer to a change of a lock. */
static int
changed(struct req *r, enum object_wrote wrote)
{
	struct reply rp;

	if (ops_changed(r, wrote) != 0)
		return -1;
	reply_begin(&rp, r, 200);
	return reply_empty(&rp);
}

/* What both Puts begin with. */
static int
open_change(struct req *r, const struct identity *who, struct span *document, struct version_id *buf,
    const struct version_id **version)
{
	struct body b;

	if (ops_version_of(r, req_param(r, "versionId"), buf, version) != 0)
		return -1;
	return body_open(r, who, DOCUMENT_MAX, &b) != 0 || body_all(&b, document) != 0 ? -1 : 0;
}

int
op_put_object_retention(struct req *r, const struct identity *who)
{
	const struct version_id *version;
	struct version_id buf;
	struct object_lock lock;
	enum object_wrote wrote;
	struct span document;

	if (open_change(r, who, &document, &buf, &version) != 0)
		return -1;
	if (retention_parse(r->arena, document, r->now_us, &lock, &r->problem) != 0)
		return req_refused(r, "the document is refused");
	if (needs_lock(r) != 0)
		return -1;
	if (meta_object_retain(r->thread->meta, r->arena, r->bucket, r->key, version, lock.mode, lock.until_us,
	        ops_bypasses_governance(r, who, r->key), &wrote, &r->err) != 0)
		return -1;
	return changed(r, wrote);
}

int
op_put_object_legal_hold(struct req *r, const struct identity *who)
{
	const struct version_id *version;
	struct version_id buf;
	enum object_wrote wrote;
	struct span document;
	bool hold;

	if (open_change(r, who, &document, &buf, &version) != 0)
		return -1;
	if (legal_hold_parse(r->arena, document, &hold, &r->problem) != 0)
		return req_refused(r, "the document is refused");
	if (needs_lock(r) != 0)
		return -1;
	if (meta_object_hold(r->thread->meta, r->arena, r->bucket, r->key, version, hold, &wrote, &r->err) != 0)
		return -1;
	return changed(r, wrote);
}
