/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/object_attributes.c - GetObjectAttributes.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c.
 * Blocks:     on two statements at most.
 * Invariant:  who may not read the object learns nothing of it, whatever else he may.
 */
#include "fcgi/ops/ops.h"

#include "fcgi/authorize.h"
#include "fcgi/sse.h"
#include "meta/upload.h"
#include "s3/multipart.h"
#include "s3/xml.h"

#define XML_MAX (512 * 1024) /* 1,000 parts with the longest checksums are less */

static int
parts_xml(struct req *r, struct strbuf *sb, const struct object *o, const struct list_parts_params *p)
{
	struct upload_part *parts;
	size_t n;
	bool more;

	if (!o->has_parts)
		return 0;
	if (meta_upload_parts(r->thread->meta, r->arena, r->bucket, &o->parts_id, p->marker, p->max, &parts, &n, &more, &r->err) != 0)
		return -1;
	object_parts_xml_begin(sb, p, more, n > 0 ? parts[n - 1].number : 0);
	for (size_t i = 0; i < n; i++) {
		struct part_item it = { .number = parts[i].number, .size = parts[i].size };

		if (!checksum_decode(parts[i].checksums, &it.sum))
			it.sum.algo = CHECKSUM_NONE;
		object_parts_xml_item(sb, &it);
	}
	object_parts_xml_end(sb, o->parts_count);
	return 0;
}

static int
document(struct req *r, struct strbuf *sb, const struct object *o, const struct attributes_params *p)
{
	struct checksum_stored sum;

	xml_begin(sb, "GetObjectAttributesResponse");
	if (p->set & ATTRIBUTE_ETAG)
		xml_str(sb, "ETag", o->etag); /* without quotes, here alone */
	if (p->set & ATTRIBUTE_CHECKSUM && checksum_decode(o->checksums, &sum))
		object_checksum_xml(sb, &sum);
	if (p->set & ATTRIBUTE_PARTS && parts_xml(r, sb, o, &p->parts) != 0)
		return -1;
	if (p->set & ATTRIBUTE_CLASS)
		xml_str(sb, "StorageClass", o->storage_class);
	if (p->set & ATTRIBUTE_SIZE)
		xml_int(sb, "ObjectSize", o->size);
	xml_close(sb, "GetObjectAttributesResponse");
	return strbuf_ok(sb) ? 0 : FAIL(&r->err, ERR_LIMIT, "the answer is too long");
}

int
op_get_object_attributes(struct req *r, const struct identity *who)
{
	struct attributes_params p;
	struct strbuf xml;
	struct object o;
	struct reply rp;
	struct sse *sse;

	if (!allowed(r, who, req_param(r, "versionId").p != NULL ? "s3:GetObjectVersion" : "s3:GetObject", r->key))
		return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
	if (attributes_params_parse(&r->headers, &p, &r->problem) != 0)
		return req_refused(r, "the attributes asked for are refused");
	if (ops_find_object(r, who, false, &o) != 0 || sse_for_read(r, o.sse, SSE_OF_OBJECT, &sse) != 0)
		return -1;
	strbuf_init(&xml, r->arena, XML_MAX);
	if (document(r, &xml, &o, &p) != 0)
		return -1;
	reply_begin(&rp, r, 200);
	reply_date(&rp, "Last-Modified", o.mtime_us);
	if (r->bucket->versioning[0] != '\0')
		reply_str(&rp, "x-amz-version-id", o.version);
	return reply_body(&rp, "application/xml", (struct span){ xml.buf, xml.len });
}
