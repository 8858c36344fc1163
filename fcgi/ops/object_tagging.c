/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/object_tagging.c - tags of a version, and of one that is to be written.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c, and the handlers that write objects.
 * Blocks:     on one statement on the regional database; Put on the client first.
 * Invariant:  a policy that asks for the tags of a request sees those that are stored.
 * Source:     S3 API Reference, PutObjectTagging; User Guide, "Categorizing your objects using tags".
 */
#include "fcgi/ops/ops.h"

#include "fcgi/authorize.h"
#include "fcgi/body.h"
#include "fcgi/respond.h"
#include "meta/version.h"
#include "s3/tagging.h"

#define DOCUMENT_MAX 65536
#define XML_MAX 131072 /* ten tags of the longest, all of it escaped */

int
ops_tags(struct req *r, const struct identity *who, struct object *o)
{
	struct span text = req_header(r, "x-amz-tagging");
	struct s3_tags tags;
	const char *stored;

	if (text.p == NULL)
		return 0;
	if (s3_tags_from_header(r->arena, text, &tags, &r->problem) != 0)
		return req_refused(r, "the tags are refused");
	if (tags.n == 0)
		return 0;
	if (!allowed(r, who, "s3:PutObjectTagging", r->key))
		return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
	stored = s3_tags_text(r->arena, &tags);
	if (stored == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	o->tags = span_of(stored);
	return 0;
}

static void
version_header(struct reply *rp, const char *version)
{
	if (rp->r->bucket->versioning[0] != '\0' && version != NULL)
		reply_str(rp, "x-amz-version-id", version);
}

int
op_get_object_tagging(struct req *r, const struct identity *who)
{
	struct s3_problem pr = { 0 };
	struct s3_tags tags;
	struct strbuf xml;
	struct reply rp;
	struct object o;

	if (ops_find_object(r, who, false, &o) != 0)
		return -1;
	if (s3_tags_from_text(r->arena, o.tags, &tags, &pr) != 0)
		return FAIL(&r->err, ERR_INTERNAL, "an object's stored tags cannot be read");
	strbuf_init(&xml, r->arena, XML_MAX);
	s3_tags_xml(&xml, &tags);
	if (!strbuf_ok(&xml))
		return FAIL(&r->err, ERR_LIMIT, "the answer is too long");
	reply_begin(&rp, r, 200);
	version_header(&rp, o.version);
	return reply_body(&rp, "application/xml", (struct span){ xml.buf, xml.len });
}

static int
change(struct req *r, struct span tags, int status)
{
	const struct version_id *version;
	enum object_wrote wrote;
	struct version_id buf;
	const char *tagged;
	struct reply rp;

	if (ops_version_of(r, req_param(r, "versionId"), &buf, &version) != 0 ||
	    meta_object_tag(r->thread->meta, r->arena, r->bucket, r->key, version, tags, &wrote, &tagged, &r->err) != 0 ||
	    ops_changed(r, wrote) != 0)
		return -1;
	reply_begin(&rp, r, status);
	version_header(&rp, tagged);
	return reply_empty(&rp);
}

int
op_put_object_tagging(struct req *r, const struct identity *who)
{
	struct s3_problem pr = { 0 };
	struct s3_tags tags;
	const char *stored;
	struct span doc;
	struct body b;

	if (body_open(r, who, DOCUMENT_MAX, &b) != 0 || body_all(&b, &doc) != 0)
		return -1;
	if (s3_tags_from_xml(r->arena, doc, S3_OBJECT_TAGS_MAX, &tags, &pr) != 0) {
		/* Who may not is told no more than that. */
		if (authorize_read(r, who) != 0)
			return -1;
		r->problem = pr;
		return req_refused(r, "the tags are refused");
	}
	stored = s3_tags_text(r->arena, &tags);
	if (stored == NULL && tags.n > 0)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	r->request_tags = stored == NULL ? SPAN("") : span_of(stored);
	/* Only now: a policy may ask for the tags that are to be put. */
	return authorize_read(r, who) != 0 ? -1 : change(r, r->request_tags, 200);
}

int
op_delete_object_tagging(struct req *r, const struct identity *who)
{
	(void)who;
	return change(r, SPAN(""), 204);
}
