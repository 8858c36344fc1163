/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/multipart.c - CreateMultipartUpload, UploadPart, AbortMultipartUpload.
 *
 * Owns:       a blob writer while a part comes in (put_body).
 * Called by:  dispatch.c; UploadPartCopy through multipart.h.
 * Blocks:     UploadPart on the client first, with no database connection held;
 *             then on the disk and on one statement.
 * Invariant:  as for PutObject, a part's row is written after the last verification
 *             and after its blob is durable. Sealed bytes of a part are never in a
 *             row: only one run of bytes of an object may be.
 */
#include "fcgi/ops/multipart.h"

#include "fcgi/ops/ops.h"
#include "fcgi/ops/put.h"

static int
no_such_upload(struct req *r, const struct multipart *m)
{
	return req_refuse(r, S3_NoSuchUpload, NULL, "UploadId", m->id_text);
}

int
multipart_refused(struct req *r, const struct multipart *m, enum upload_did did)
{
	switch (did) {
	case UPLOAD_NOT_THERE:
		return no_such_upload(r, m);
	case UPLOAD_FENCE_CLOSED:
		return req_refuse(r, S3_NoSuchBucket, NULL, "BucketName", span_of(r->bucket_name));
	case UPLOAD_OTHER_PARTS:
		return req_refuse(r, S3_InvalidPart, NULL, "UploadId", m->id_text);
	case UPLOAD_NO_KEY:
		return req_refuse(r, S3_NoSuchKey, NULL, "Key", r->key);
	case UPLOAD_PRECONDITION:
		return req_refuse(r, S3_PreconditionFailed, NULL, "Condition",
		    span_of(req_header(r, "if-match").p != NULL ? "If-Match" : "If-None-Match"));
	case UPLOAD_DONE:
		break;
	}
	return FAIL(&r->err, ERR_INTERNAL, "a change of an upload has an unknown outcome");
}

int
multipart_id(struct req *r, struct multipart *m)
{
	*m = (struct multipart){ .id_text = req_param(r, "uploadId") };
	return upload_id_parse(m->id_text, &m->id) ? 0 : no_such_upload(r, m);
}

int
multipart_look(struct req *r, struct multipart *m)
{
	int found = meta_upload_find(r->thread->meta, r->arena, r->bucket, r->key, &m->id, &m->upload, &r->err);

	if (found == 1 && !multipart_sum_decode(m->upload.checksums, &m->sum))
		return FAIL(&r->err, ERR_INTERNAL, "an upload's stored checksum algorithm cannot be read");
	return found;
}

int
multipart_find(struct req *r, struct multipart *m)
{
	int found = multipart_look(r, m);

	return found == 0 ? no_such_upload(r, m) : found < 0 ? -1 : 0;
}

/* ---- beginning and giving up ---- */

/* Everything of the object but its bytes. */
static int
describe(struct req *r, const struct identity *who, struct object *o, struct multipart_sum *sum, struct sse **sse)
{
	struct object_meta meta;
	struct strbuf checksums;

	if (object_meta_parse(r->arena, &r->headers, &meta, &r->problem) != 0 ||
	    multipart_sum_parse(r->arena, &r->headers, sum, &r->problem) != 0)
		return req_refused(r, "the upload's headers are refused");
	if (ops_object_lock(r, who, o) != 0 || ops_tags(r, who, o) != 0 || ops_acl(r, who, o) != 0)
		return -1;
	strbuf_init(&checksums, r->arena, 256);
	multipart_sum_encode(&checksums, sum);
	o->checksums = (struct span){ checksums.buf, checksums.len };
	if (!strbuf_ok(&checksums))
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	return sse_for_write(r, sse) != 0 ? -1 : put_describe(r, &meta, *sse, o);
}

static int
answer_created(struct req *r, const struct uuid *id, const struct multipart_sum *sum, const struct sse *sse)
{
	char text[UPLOAD_ID_TEXT_LEN + 1];
	struct strbuf xml;
	struct reply rp;

	upload_id_text(id, text);
	strbuf_init(&xml, r->arena, 2 * OPS_LOCATION_MAX);
	multipart_created_xml(&xml, span_of(r->bucket_name), r->key, text);
	if (!strbuf_ok(&xml))
		return FAIL(&r->err, ERR_LIMIT, "the answer is too long");
	reply_begin(&rp, r, 200);
	if (sum->asked) {
		reply_str(&rp, "x-amz-checksum-algorithm", checksum_table[sum->algo].name);
		reply_str(&rp, "x-amz-checksum-type", checksum_type_name(sum->type));
	}
	sse_reply(&rp, sse);
	return reply_body(&rp, "application/xml", (struct span){ xml.buf, xml.len });
}

int
op_create_multipart_upload(struct req *r, const struct identity *who)
{
	struct object o = { .size = 0 };
	struct multipart_sum sum;
	enum upload_did did;
	struct uuid id;
	struct sse *sse;

	if (ops_check_headers(r) != 0 || describe(r, who, &o, &sum, &sse) != 0)
		return -1;
	if (meta_upload_create(r->thread->meta, r->arena, r->bucket, &o, &id, &did, &r->err) != 0)
		return -1;
	if (did != UPLOAD_DONE)
		return multipart_refused(r, &(struct multipart){ .number = 0 }, did);
	return answer_created(r, &id, &sum, sse);
}

int
op_abort_multipart_upload(struct req *r, const struct identity *who)
{
	struct multipart m;
	enum upload_did did;
	struct reply rp;

	(void)who;
	if (multipart_id(r, &m) != 0 ||
	    meta_upload_abort(r->thread->meta, r->arena, &r->bucket->id, r->key, &m.id, &did, &r->err) != 0)
		return -1;
	if (did != UPLOAD_DONE)
		return multipart_refused(r, &m, did);
	reply_begin(&rp, r, 204);
	return reply_empty(&rp);
}

/* ---- parts ---- */

int
multipart_part(struct req *r, struct multipart *m)
{
	if (multipart_id(r, m) != 0)
		return -1;
	if (multipart_number_parse(req_param(r, "partNumber"), &m->number, &r->problem) != 0)
		return req_refused(r, "no part's number");
	return multipart_find(r, m) != 0 ? -1 : sse_for_part(r, m->upload.sse, &m->sse);
}

unsigned
multipart_compute(const struct multipart *m)
{
	return CHECKSUM_MD5_BIT | CHECKSUM_BIT(m->sum.algo);
}

int
multipart_store(struct req *r, const struct multipart *m, const struct checksum_values *got, struct object *o,
    int64_t *mtime_us)
{
	struct checksum_stored stored = { .algo = m->sum.algo, .type = CHECKSUM_FULL_OBJECT };
	struct strbuf checksums;
	enum upload_did did;

	ASSERT((multipart_compute(m) & ~got->set) == 0);
	ASSERT(m->sse == NULL || o->has_blob);
	memcpy(stored.value, got->v[stored.algo], sizeof(stored.value));
	strbuf_init(&checksums, r->arena, 256);
	checksum_encode(&checksums, &stored);
	o->checksums = (struct span){ checksums.buf, checksums.len };
	o->etag = sse_etag(r, m->sse, got->md5);
	if (!strbuf_ok(&checksums) || o->etag == NULL) {
		put_drop_blob(r, o);
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	}
	if (meta_upload_part(r->thread->meta, r->arena, r->bucket, r->key, &m->id, m->number, o, mtime_us, &did, &r->err) != 0) {
		if (r->err.code == ERR_QUOTA) /* else it may have been written */
			put_drop_blob(r, o);
		return -1;
	}
	if (did == UPLOAD_DONE)
		return 0;
	put_drop_blob(r, o);
	return multipart_refused(r, m, did);
}

static int
open_part_body(struct req *r, const struct identity *who, const struct multipart *m, struct body *b)
{
	int64_t max = r->thread->settings->max_object_bytes;

	if (body_open(r, who, max < MULTIPART_PART_MAX ? max : MULTIPART_PART_MAX, b) != 0)
		return -1;
	if (multipart_sum_check(r->arena, &m->sum, b->want.algo, false, &r->problem) != 0)
		return req_refused(r, "the part has another checksum than the upload");
	return body_compute(b, multipart_compute(m));
}

int
op_upload_part(struct req *r, const struct identity *who)
{
	struct checksum_stored sum = { .type = CHECKSUM_FULL_OBJECT };
	char text[CHECKSUM_TEXT_SIZE];
	struct object o = { .size = 0 };
	struct multipart m;
	int64_t mtime_us;
	struct reply rp;
	struct body b;

	if (ops_check_headers(r) != 0 || multipart_part(r, &m) != 0 || open_part_body(r, who, &m, &b) != 0 ||
	    put_body(r, &b, m.sse, m.sse != NULL ? PUT_IN_BLOB : PUT_IN_ROW, &o) != 0)
		return -1;
	o.size = b.decoded;
	if (multipart_store(r, &m, &b.got, &o, &mtime_us) != 0)
		return -1;
	/* What the client sent is what it hears of. */
	sum.algo = b.want.algo != CHECKSUM_NONE ? b.want.algo : m.sum.algo;
	memcpy(sum.value, b.got.v[sum.algo], sizeof(sum.value));
	checksum_text(&sum, text);
	reply_begin(&rp, r, 200);
	reply_etag(&rp, o.etag);
	reply_str(&rp, checksum_table[sum.algo].header, text);
	sse_reply(&rp, m.sse);
	return reply_empty(&rp);
}
