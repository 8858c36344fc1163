/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/delete.c - DeleteObject and DeleteObjects.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c.
 * Blocks:     on the regional database: one statement, and one for all of many.
 * Invariant:  each key of many is authorised, conditioned and locked on its own; what
 *             fails in one does not keep the others.
 */
#include "fcgi/ops/ops.h"

#include "fcgi/authorize.h"
#include "fcgi/body.h"
#include "fcgi/respond.h"
#include "meta/version.h"
#include "s3/condition.h"
#include "s3/delete_objects.h"
#include "s3/xml.h"

#define LOCKED "Access Denied because object protected by object lock."
#define RESULT_XML_MAX (8 * 1024 * 1024)
#define DOCUMENT_MAX (2 * 1024 * 1024)

bool
ops_bypasses_governance(const struct req *r, const struct identity *who, struct span key)
{
	return s3_ieq(req_header(r, "x-amz-bypass-governance-retention"), SPAN("true")) &&
	    allowed(r, who, "s3:BypassGovernanceRetention", key);
}

/* Whose a delete marker is. */
static const char *
marker_owner(const struct identity *who)
{
	return who->app != NULL ? who->app->owner_id : NULL;
}

static int
read_conditions(struct req *r, struct object_removal *what)
{
	struct condition_write cw;

	if (condition_write_parse(&r->headers, true, &cw, &r->problem) != 0)
		return req_refused(r, "a condition that cannot be had");
	if (cw.kind != CONDITION_MATCH)
		return 0;
	if (what->version != NULL) /* S3 asks it of the current version alone */
		return req_refuse(r, S3_NotImplemented, NULL, "Header", SPAN("If-Match"));
	what->etag = arena_strndup(r->arena, cw.etag.p, cw.etag.len);
	return what->etag != NULL ? 0 : FAIL(&r->err, ERR_LIMIT, "arena is full");
}

/* What a delete that was not done is called; 0: it was done. */
static int
code_of(enum object_wrote wrote, const char **message)
{
	*message = NULL;
	switch (wrote) {
	case OBJECT_FENCE_CLOSED:
		return S3_NoSuchBucket;
	case OBJECT_PRECONDITION:
		return S3_PreconditionFailed;
	case OBJECT_NOT_THERE:
		return S3_NoSuchKey;
	case OBJECT_LOCKED:
		*message = LOCKED;
		return S3_AccessDenied;
	case OBJECT_IS_MARKER:
	case OBJECT_WROTE:
		break;
	}
	return 0;
}

static int
not_deleted(struct req *r, int code, const char *message)
{
	if (code == S3_NoSuchBucket)
		return req_refuse(r, S3_NoSuchBucket, NULL, "BucketName", span_of(r->bucket_name));
	if (code == S3_NoSuchKey)
		return req_refuse(r, S3_NoSuchKey, NULL, "Key", r->key);
	if (code == S3_PreconditionFailed)
		return req_refuse(r, S3_PreconditionFailed, NULL, "Condition", SPAN("If-Match"));
	return req_refuse(r, (enum s3_code)code, message, NULL, SPAN(""));
}

int
op_delete_object(struct req *r, const struct identity *who)
{
	struct object_removal what = { .key = r->key };
	struct object_removed done;
	struct version_id buf;
	const char *message;
	struct reply rp;
	int code;

	if (ops_version_of(r, req_param(r, "versionId"), &buf, &what.version) != 0 || read_conditions(r, &what) != 0)
		return -1;
	what.bypass = what.version != NULL && ops_bypasses_governance(r, who, r->key);
	if (meta_object_delete(r->thread->meta, r->arena, r->bucket, &what, marker_owner(who), &done, &r->err) != 0)
		return -1;
	code = code_of(done.wrote, &message);
	if (code != 0)
		return not_deleted(r, code, message);
	reply_begin(&rp, r, 204);
	if (done.version != NULL)
		reply_str(&rp, "x-amz-version-id", done.version);
	else if (what.version != NULL) /* one that was not there is told back */
		reply_header(&rp, "x-amz-version-id", req_param(r, "versionId"));
	if (done.is_marker)
		reply_str(&rp, "x-amz-delete-marker", "true");
	return reply_empty(&rp);
}

/* ---- many ---- */

struct many {
	struct delete_objects asked;
	struct object_removal *what;  /* of those that may be tried */
	struct version_id *version;   /* beside each item */
	struct object_removed *done;  /* beside each of what */
	size_t *place;                /* item -> its place in what; SIZE_MAX: refused */
	int *code;                    /* of a refused item */
	struct deleted_key *told;     /* beside each item, for the bucket's access log; NULL: it has none */
	size_t n;                     /* of what */
};

static int
make_room(struct req *r, struct many *m)
{
	size_t n = m->asked.n;

	m->what = arena_array(r->arena, n, sizeof(*m->what));
	m->version = arena_array(r->arena, n, sizeof(*m->version));
	m->done = arena_array(r->arena, n, sizeof(*m->done));
	m->place = arena_array(r->arena, n, sizeof(*m->place));
	m->code = arena_array(r->arena, n, sizeof(*m->code));
	if (m->what == NULL || m->version == NULL || m->done == NULL || m->place == NULL || m->code == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (!bucket_has_config(r->bucket, CONFIG_KIND_LOGGING))
		return 0;
	m->told = arena_array(r->arena, n, sizeof(*m->told));
	return m->told != NULL ? 0 : FAIL(&r->err, ERR_LIMIT, "arena is full");
}

/* Is it to be tried? Else the code of its refusal. */
static int
prepare(struct req *r, const struct identity *who, const struct delete_item *it, struct version_id *v, struct object_removal *what)
{
	bool named = it->version.p != NULL;

	*what = (struct object_removal){ .key = it->key, .has_mtime = it->has_mtime, .has_size = it->has_size,
		.mtime_us = it->mtime_us, .size = it->size };
	if (!allowed(r, who, named ? "s3:DeleteObjectVersion" : "s3:DeleteObject", it->key))
		return S3_AccessDenied;
	if (it->key.len > S3_KEY_MAX)
		return S3_KeyTooLongError;
	if (named && !version_parse(it->version, v))
		return S3_NoSuchVersion;
	what->version = named ? v : NULL;
	what->etag = it->etag.p == NULL ? NULL : arena_strndup(r->arena, it->etag.p, it->etag.len);
	what->bypass = named && ops_bypasses_governance(r, who, it->key);
	return 0;
}

static void
write_item(struct strbuf *sb, const struct many *m, size_t i)
{
	const struct delete_item *it = &m->asked.items[i];
	struct delete_done d = { 0 };
	const struct object_removed *done;
	const char *message;
	int code;

	if (m->place[i] == SIZE_MAX) {
		delete_objects_error(sb, it, m->code[i], NULL);
		return;
	}
	done = &m->done[m->place[i]];
	code = code_of(done->wrote, &message);
	if (code != 0) {
		delete_objects_error(sb, it, code, message);
		return;
	}
	if (m->asked.quiet)
		return;
	d.marker = done->is_marker;
	d.marker_version = done->version;
	delete_objects_deleted(sb, it, &d);
}

/* For the bucket's access log: one line a key, refused ones too. */
static void
remember(struct req *r, const struct many *m)
{
	const char *message;

	if (m->told == NULL)
		return;
	for (size_t i = 0; i < m->asked.n; i++)
		m->told[i] = (struct deleted_key){ m->asked.items[i].key, m->asked.items[i].version,
			m->place[i] == SIZE_MAX ? m->code[i] : code_of(m->done[m->place[i]].wrote, &message) };
	r->deleted = m->told;
	r->n_deleted = m->asked.n;
}

/* S3 wants to know that the list came whole before it deletes: any one digest does. */
static int
check_digest(struct req *r, const struct body *b)
{
	if (b->want.has_md5 || b->want.algo != CHECKSUM_NONE)
		return 0;
	return req_refuse(r, S3_InvalidRequest, "Missing required header for this request: Content-MD5 OR x-amz-checksum-*", NULL,
	    SPAN(""));
}

int
op_delete_objects(struct req *r, const struct identity *who)
{
	struct many m = { .n = 0 };
	struct span document;
	struct strbuf xml;
	struct body b;

	if (body_open(r, who, DOCUMENT_MAX, &b) != 0 || check_digest(r, &b) != 0 || body_all(&b, &document) != 0)
		return -1;
	if (delete_objects_parse(r->arena, document, r->now_us, &m.asked, &r->problem) != 0)
		return req_refused(r, "the list of what is to be deleted is refused");
	if (make_room(r, &m) != 0)
		return -1;
	for (size_t i = 0; i < m.asked.n; i++) {
		m.code[i] = prepare(r, who, &m.asked.items[i], &m.version[i], &m.what[m.n]);
		m.place[i] = m.code[i] == 0 ? m.n++ : SIZE_MAX;
	}
	if (meta_object_delete_many(r->thread->meta, r->arena, r->bucket, m.what, m.n, marker_owner(who), m.done, &r->err) != 0)
		return -1;
	remember(r, &m);
	strbuf_init(&xml, r->arena, RESULT_XML_MAX);
	xml_begin(&xml, "DeleteResult");
	for (size_t i = 0; i < m.asked.n; i++)
		write_item(&xml, &m, i);
	xml_close(&xml, "DeleteResult");
	return reply_xml(r, &xml);
}
