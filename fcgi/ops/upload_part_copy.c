/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/upload_part_copy.c - UploadPartCopy: a part of an upload from an object, or from a range of it.
 *
 * Owns:       a sink of bytes while the source's come.
 * Called by:  dispatch.c, in the destination's home.
 * Blocks:     on the source (fcgi/copy.h), on the store, and on the regional database.
 * Invariant:  as CopyObject's and UploadPart's.
 */
#include "fcgi/ops/ops.h"

#include "fcgi/copy_sink.h"
#include "fcgi/ops/multipart.h"
#include "fcgi/respond.h"
#include "s3/xml.h"

struct part_copy {
	struct req *r;
	struct copy_source source;
	struct multipart m;
	struct copy_sink sink;
};

static int
begin(void *arg, const struct copy_source *s)
{
	struct part_copy *c = arg;

	/* Sealed bytes of a part are never in a row. */
	return copy_sink_open(c->r, s, c->m.sse, c->m.sse == NULL, multipart_compute(&c->m), &c->sink);
}

static int
take(void *arg, const void *p, size_t len)
{
	struct part_copy *c = arg;

	return copy_sink_take(&c->sink, &c->source, p, len);
}

static int
read_range(struct req *r, struct copy_source *s)
{
	struct span range = req_header(r, COPY_SOURCE_HEADER "-range");

	if (range.p != NULL && copy_range_parse(range, &s->first, &s->last, &r->problem) != 0)
		return req_refused(r, "the range is wrong in form");
	return 0;
}

static int
answer(const struct part_copy *c, const struct checksum_values *got, const struct object *o, int64_t mtime_us)
{
	struct checksum_stored sum = { .algo = c->m.sum.algo, .type = CHECKSUM_FULL_OBJECT };
	char text[CHECKSUM_TEXT_SIZE];
	struct strbuf xml;
	struct reply rp;

	memcpy(sum.value, got->v[sum.algo], sizeof(sum.value));
	checksum_text(&sum, text);
	strbuf_init(&xml, c->r->arena, 4096);
	xml_begin(&xml, "CopyPartResult");
	xml_time(&xml, "LastModified", mtime_us);
	xml_etag(&xml, "ETag", o->etag);
	xml_str(&xml, checksum_table[sum.algo].xml, text);
	xml_close(&xml, "CopyPartResult");
	if (!strbuf_ok(&xml))
		return FAIL(&c->r->err, ERR_LIMIT, "the answer is too long");
	reply_begin(&rp, c->r, 200);
	if (c->source.bucket->versioning[0] != '\0' && !c->source.o.is_null)
		reply_str(&rp, "x-amz-copy-source-version-id", c->source.o.version);
	sse_reply(&rp, c->m.sse);
	return reply_body(&rp, "application/xml", (struct span){ xml.buf, xml.len });
}

int
op_upload_part_copy(struct req *r, const struct identity *who)
{
	struct part_copy *c = ARENA_NEW(r->arena, struct part_copy);
	struct copy_to to = { c, begin, take };
	struct object o = { .size = 0 };
	struct checksum_values got;
	int64_t mtime_us;
	int rc;

	if (c == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	c->r = r;
	if (ops_check_headers(r) != 0 || multipart_part(r, &c->m) != 0 || copy_find(r, &c->source) != 0 ||
	    read_range(r, &c->source) != 0)
		return -1;
	rc = copy_run(r, who, &c->source, &to);
	if (rc == 0)
		rc = copy_sink_end(&c->sink, &c->source, &got, &o);
	copy_sink_abort(&c->sink);
	if (rc != 0 || multipart_store(r, &c->m, &got, &o, &mtime_us) != 0)
		return -1;
	return answer(c, &got, &o, mtime_us);
}
