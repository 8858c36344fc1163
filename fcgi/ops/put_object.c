/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/put_object.c - PutObject.
 *
 * Owns:       a blob writer while the body comes in.
 * Called by:  dispatch.c.
 * Blocks:     on the client first, with no database connection held; then on the
 *             disk (commit) and on the regional database (one statement).
 * Invariant:  the row is written after the last verification and after the blob is
 *             durable. A failure before it leaves nothing; one after it an orphan
 *             blob at most, which maintain reaps.
 */
#include "fcgi/ops/put.h"

#include "base/log.h"
#include "fcgi/blob_out.h"
#include "fcgi/ops/ops.h"
#include "s3/condition.h"

int
put_condition(struct req *r, struct object_cond *out)
{
	struct condition_write cw;

	*out = (struct object_cond){ .kind = COND_NONE };
	if (condition_write_parse(&r->headers, false, &cw, &r->problem) != 0)
		return req_refused(r, "a condition that cannot be had");
	if (cw.kind == CONDITION_ABSENT)
		out->kind = COND_IF_NONE_MATCH_ANY;
	if (cw.kind == CONDITION_MATCH) {
		out->kind = COND_IF_MATCH;
		out->etag = arena_strndup(r->arena, cw.etag.p, cw.etag.len);
		if (out->etag == NULL)
			return FAIL(&r->err, ERR_LIMIT, "arena is full");
	}
	return 0;
}

int
put_condition_failed(struct req *r, const struct object_cond *cond)
{
	return req_refuse(r, S3_PreconditionFailed, NULL, "Condition",
	    span_of(cond->kind == COND_IF_MATCH ? "If-Match" : "If-None-Match"));
}

/* The outcome of a write that was not done. */
static int
not_written(struct req *r, enum object_wrote wrote, const struct object_cond *cond)
{
	switch (wrote) {
	case OBJECT_FENCE_CLOSED:
		return req_refuse(r, S3_NoSuchBucket, NULL, "BucketName", span_of(r->bucket_name));
	case OBJECT_PRECONDITION:
		return put_condition_failed(r, cond);
	case OBJECT_NOT_THERE:
		return req_refuse(r, S3_NoSuchKey, NULL, "Key", r->key);
	case OBJECT_WROTE:
	case OBJECT_LOCKED: /* what is put is a version of its own */
	case OBJECT_IS_MARKER:
		break;
	}
	return FAIL(&r->err, ERR_INTERNAL, "a write has an unknown outcome");
}

/* `first` and then the rest of the body into a new blob, durable when this returns 0. */
static int
body_to_blob(struct req *r, struct body *b, struct span first, const struct sse *sse, struct object *o)
{
	struct span run = first;
	struct blob_out out;
	int rc = -1, more = 1;

	if (blob_out_open(r, sse, b->size, &out) != 0)
		goto done;
	do {
		if (run.len > 0 && blob_out_write(&out, run.p, run.len) != 0)
			goto done;
	} while ((more = body_next(b, &run)) == 1);
	if (more < 0)
		goto done;
	rc = blob_out_commit(&out, &o->blob_id);
	o->has_blob = true;
done:
	blob_out_abort(&out);
	if (rc != 0 && r->problem.code == 0 && r->err.code != ERR_QUOTA)
		log_event(r->id, EV_STORE_FAILED, LS("detail", r->err.detail));
	return rc;
}

/* A form's file does not tell its size before: what outgrows the row goes to a blob. */
static int
unsized_body(struct req *r, struct body *b, const struct sse *sse, struct object *o)
{
	size_t max = (size_t)r->thread->settings->inline_max_bytes, n = 0;
	char *data = arena_alloc(r->arena, max + r->thread->buf_size);
	struct span run;
	int more;

	if (data == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	while (n <= max && (more = body_next(b, &run)) == 1) {
		memcpy(data + n, run.p, run.len); /* a run is no longer than the thread's buffer */
		n += run.len;
	}
	o->inline_data = (struct span){ data, n };
	if (n <= max)
		return more;
	o->inline_data.len = 0;
	return body_to_blob(r, b, (struct span){ data, n }, sse, o);
}

static int
take_body(struct req *r, struct body *b, const struct sse *sse, struct object *o)
{
	int rc;

	if (b->size >= 0)
		return put_body(r, b, sse, PUT_IN_ROW, o);
	rc = unsized_body(r, b, sse, o);
	return rc != 0 || o->has_blob ? rc : sse_seal_inline(r, sse, &o->inline_data);
}

int
put_body(struct req *r, struct body *b, const struct sse *sse, enum put_where where, struct object *o)
{
	if (where == PUT_IN_BLOB || b->size > r->thread->settings->inline_max_bytes)
		return body_to_blob(r, b, SPAN(""), sse, o);
	return body_all(b, &o->inline_data) != 0 ? -1 : sse_seal_inline(r, sse, &o->inline_data);
}

void
put_drop_blob(struct req *r, const struct object *o)
{
	struct blob_id id;
	struct err err = { 0 };

	if (!o->has_blob)
		return;
	memcpy(id.b, o->blob_id.b, sizeof(id.b));
	if (store_remove(r->thread->store, &id, &err) != 0)
		log_event(r->id, EV_STORE_FAILED, LS("detail", err.detail));
}

int
put_describe(struct req *r, const struct object_meta *m, const struct sse *sse, struct object *o)
{
	struct strbuf headers;

	strbuf_init(&headers, r->arena, OBJECT_HEADERS_MAX);
	object_meta_encode(&headers, m);
	o->key = r->key;
	if (sse != NULL)
		o->sse = sse->envelope;
	o->headers = (struct span){ headers.buf, headers.len };
	o->storage_class = arena_strndup(r->arena, m->storage_class.p, m->storage_class.len);
	if (!strbuf_ok(&headers) || o->storage_class == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	return 0;
}

/* Everything of the row but the bytes. */
static int
describe(struct req *r, struct put *p)
{
	struct object *o = &p->object;
	struct strbuf checksums;

	strbuf_init(&checksums, r->arena, 256);
	checksum_encode(&checksums, &p->stored);
	o->checksums = (struct span){ checksums.buf, checksums.len };
	if (!strbuf_ok(&checksums) || o->etag == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	return put_describe(r, &p->meta, p->sse, o);
}

void
put_headers(struct reply *rp, const struct put *p)
{
	char text[CHECKSUM_TEXT_SIZE];

	checksum_text(&p->stored, text);
	reply_etag(rp, p->object.etag);
	reply_str(rp, checksum_table[p->stored.algo].header, text);
	reply_str(rp, "x-amz-checksum-type", checksum_type_name(p->stored.type));
	sse_reply(rp, p->sse);
	if (p->placed.versioned)
		reply_str(rp, "x-amz-version-id", p->placed.version);
	ops_expiration(rp, p->object.size, p->object.tags, p->placed.mtime_us);
}

int
put_begin(struct req *r, struct put *p)
{
	*p = (struct put){ 0 };
	if (ops_check_headers(r) != 0)
		return -1;
	if (object_meta_parse(r->arena, &r->headers, &p->meta, &r->problem) != 0)
		return req_refused(r, "the object's headers are refused");
	return put_condition(r, &p->cond) != 0 ? -1 : sse_for_write(r, &p->sse);
}

int
put_row(struct req *r, struct put *p)
{
	enum object_wrote wrote;

	if (describe(r, p) != 0 ||
	    meta_object_put(r->thread->meta, r->arena, r->bucket, &p->object, &p->cond, &wrote, &p->placed, &r->err) != 0) {
		if (r->err.code == ERR_QUOTA) /* else it may have been written */
			put_drop_blob(r, &p->object);
		return -1;
	}
	if (wrote == OBJECT_WROTE)
		return 0;
	put_drop_blob(r, &p->object);
	return not_written(r, wrote, &p->cond);
}

int
put_finish(struct req *r, const struct identity *who, struct put *p)
{
	struct object *o = &p->object;
	const struct body *b = &p->body;

	if (ops_object_lock(r, who, o) != 0 || ops_tags(r, who, o) != 0 || ops_acl(r, who, o) != 0)
		return -1;
	if (take_body(r, &p->body, p->sse, o) != 0)
		return -1;
	p->stored = (struct checksum_stored){ .algo = b->want.store, .type = CHECKSUM_FULL_OBJECT };
	memcpy(p->stored.value, b->got.v[b->want.store], sizeof(p->stored.value));
	o->size = r->object_size = b->decoded;
	o->etag = sse_etag(r, p->sse, b->got.md5);
	return put_row(r, p);
}

int
op_put_object(struct req *r, const struct identity *who)
{
	struct reply rp;
	struct put p;

	if (put_begin(r, &p) != 0 || body_open(r, who, r->thread->settings->max_object_bytes, &p.body) != 0 ||
	    put_finish(r, who, &p) != 0)
		return -1;
	reply_begin(&rp, r, 200);
	put_headers(&rp, &p);
	return reply_empty(&rp);
}
