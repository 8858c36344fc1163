/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/put_object.c - PutObject and DeleteObject.
 *
 * Owns:       a blob writer while the body comes in.
 * Called by:  dispatch.c.
 * Blocks:     on the client first, with no database connection held; then on the
 *             disk (commit) and on the regional database (one statement).
 * Invariant:  the row is written after the last verification and after the blob is
 *             durable. A failure before it leaves nothing; one after it an orphan
 *             blob at most, which maintain reaps.
 */
#include "fcgi/ops/ops.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "fcgi/body.h"
#include "fcgi/respond.h"
#include "meta/object.h"
#include "s3/condition.h"
#include "s3/object_meta.h"

/* What the statement is asked to check, from what the headers say. */
static int
write_condition(struct req *r, bool is_delete, struct object_cond *out)
{
	struct condition_write cw;

	*out = (struct object_cond){ .kind = COND_NONE };
	if (condition_write_parse(&r->headers, is_delete, &cw, &r->problem) != 0)
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

/* The outcome of a write that was not done. */
static int
not_written(struct req *r, enum object_wrote wrote, const struct object_cond *cond)
{
	switch (wrote) {
	case OBJECT_FENCE_CLOSED:
		return req_refuse(r, S3_NoSuchBucket, NULL, "BucketName", span_of(r->bucket_name));
	case OBJECT_PRECONDITION:
		return req_refuse(r, S3_PreconditionFailed, NULL, "Condition",
		    span_of(cond->kind == COND_IF_MATCH ? "If-Match" : "If-None-Match"));
	case OBJECT_NOT_THERE:
		return req_refuse(r, S3_NoSuchKey, NULL, "Key", r->key);
	case OBJECT_WROTE:
		break;
	}
	return FAIL(&r->err, ERR_INTERNAL, "a write has an unknown outcome");
}

/* The body into a new blob, durable when this returns 0. */
static int
body_to_blob(struct req *r, struct body *b, struct object *o)
{
	struct blob_writer *w = NULL;
	struct blob_id id;
	struct span run;
	int64_t start = clock_mono_us();
	int rc = -1, more;

	if (store_create(r->thread->store, b->size, &w, &r->err) != 0)
		goto out;
	r->store_us += clock_mono_us() - start;
	while ((more = body_next(b, &run)) == 1) {
		start = clock_mono_us();
		if (blob_write(w, run.p, run.len, &r->err) != 0)
			goto out;
		r->store_us += clock_mono_us() - start;
	}
	if (more < 0)
		goto out;
	start = clock_mono_us();
	rc = blob_commit(w, &id, &r->err);
	w = NULL;
	r->store_us += clock_mono_us() - start;
	o->has_blob = true;
	memcpy(o->blob_id.b, id.b, sizeof(id.b));
out:
	blob_abort(w);
	if (rc != 0 && r->problem.code == 0)
		log_event(r->id, EV_STORE_FAILED, LS("detail", r->err.detail));
	return rc;
}

static int
take_body(struct req *r, struct body *b, struct object *o)
{
	if (b->size > r->thread->settings->inline_max_bytes)
		return body_to_blob(r, b, o);
	return body_all(b, &o->inline_data);
}

/* A blob whose row was refused: nobody knows its id yet. When this fails it is an orphan, for maintain. */
static void
drop_blob(struct req *r, const struct object *o)
{
	struct blob_id id;
	struct err err = { 0 };

	if (!o->has_blob)
		return;
	memcpy(id.b, o->blob_id.b, sizeof(id.b));
	if (store_remove(r->thread->store, &id, &err) != 0)
		log_event(r->id, EV_STORE_FAILED, LS("detail", err.detail));
}

/* Everything of the row but the bytes. */
static int
describe(struct req *r, const struct identity *who, const struct body *b, const struct object_meta *m, struct object *o)
{
	struct checksum_stored stored = { .algo = b->want.store, .type = CHECKSUM_FULL_OBJECT };
	struct strbuf headers, checksums;
	char md5[2 * MD5_LEN + 1];

	strbuf_init(&headers, r->arena, OBJECT_HEADERS_MAX);
	object_meta_encode(&headers, m);
	memcpy(stored.value, b->got.v[stored.algo], sizeof(stored.value));
	strbuf_init(&checksums, r->arena, 256);
	checksum_encode(&checksums, &stored);
	hex_encode(b->got.md5, MD5_LEN, md5);
	o->key = r->key;
	o->size = b->decoded;
	o->etag = arena_strdup(r->arena, md5);
	o->headers = (struct span){ headers.buf, headers.len };
	o->checksums = (struct span){ checksums.buf, checksums.len };
	o->storage_class = arena_strndup(r->arena, m->storage_class.p, m->storage_class.len);
	o->owner_id = who->app != NULL ? who->app->owner_id : r->bucket->owner_id;
	if (!strbuf_ok(&headers) || !strbuf_ok(&checksums) || o->etag == NULL || o->storage_class == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	return 0;
}

static int
answer_put(struct req *r, const struct body *b, const struct object *o)
{
	struct checksum_stored stored = { .algo = b->want.store, .type = CHECKSUM_FULL_OBJECT };
	char text[CHECKSUM_TEXT_SIZE];
	struct reply rp;

	memcpy(stored.value, b->got.v[stored.algo], sizeof(stored.value));
	checksum_text(&stored, text);
	reply_begin(&rp, r, 200);
	reply_etag(&rp, o->etag);
	reply_str(&rp, checksum_table[stored.algo].header, text);
	reply_str(&rp, "x-amz-checksum-type", checksum_type_name(stored.type));
	return reply_empty(&rp);
}

int
op_put_object(struct req *r, const struct identity *who)
{
	struct object o = { 0 };
	struct object_meta m;
	struct object_cond cond;
	struct body b;
	enum object_wrote wrote;
	struct object_placed placed;

	if (ops_check_headers(r) != 0)
		return -1;
	if (object_meta_parse(r->arena, &r->headers, &m, &r->problem) != 0)
		return req_refused(r, "the object's headers are refused");
	if (write_condition(r, false, &cond) != 0 || body_open(r, who, r->thread->settings->max_object_bytes, &b) != 0)
		return -1;
	if (take_body(r, &b, &o) != 0 || describe(r, who, &b, &m, &o) != 0)
		return -1;
	if (meta_object_put(r->thread->meta, r->arena, r->bucket, &o, &cond, &wrote, &placed, &r->err) != 0)
		return -1;
	if (wrote != OBJECT_WROTE) {
		drop_blob(r, &o);
		return not_written(r, wrote, &cond);
	}
	return answer_put(r, &b, &o);
}

int
op_delete_object(struct req *r, const struct identity *who)
{
	struct object_cond cond;
	enum object_wrote wrote;
	struct span version = req_param(r, "versionId");
	struct reply rp;
	bool was_there;

	(void)who;
	if (write_condition(r, true, &cond) != 0)
		return -1;
	/* Without versioning there is one version, "null"; deleting another changes nothing. */
	if (version.p == NULL || span_eq(version, SPAN("null"))) {
		if (meta_object_delete(r->thread->meta, r->arena, r->bucket, r->key, &cond, &wrote, &was_there, &r->err) != 0)
			return -1;
		if (wrote == OBJECT_FENCE_CLOSED || wrote == OBJECT_PRECONDITION ||
		    (wrote == OBJECT_NOT_THERE && cond.kind != COND_NONE))
			return not_written(r, wrote, &cond);
	}
	reply_begin(&rp, r, 204);
	return reply_empty(&rp);
}
