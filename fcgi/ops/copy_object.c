/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/copy_object.c - CopyObject.
 *
 * Owns:       a sink of bytes while the source's come.
 * Called by:  dispatch.c, in the destination's home.
 * Blocks:     on the source (fcgi/copy.h), on the store, and on the regional database (one statement).
 * Invariant:  plain bytes of this region are not copied where the store can name them twice; all others are hashed on
 *             their way and compared with what the source's row says of them.
 * Source:     S3 API Reference, CopyObject; User Guide, "Checking object integrity" for the checksum of a copy.
 */
#include "fcgi/ops/ops.h"

#include "fcgi/authorize.h"
#include "fcgi/copy_sink.h"
#include "fcgi/ops/put.h"
#include "s3/xml.h"

struct copying {
	struct req *r;
	const struct identity *who;
	struct copy_source source;
	struct put p;
	bool replace_meta, replace_tags;
	enum checksum algo;             /* asked for; CHECKSUM_NONE: the source's */
	struct copy_sink sink;          /* not open: the bytes are not copied */
};

/* ---- what is asked for ---- */

static int
read_algorithm(struct copying *c)
{
	struct req *r = c->r;
	struct span name = s3_trim(req_header(r, "x-amz-checksum-algorithm"));

	c->algo = CHECKSUM_NONE;
	if (name.len > 0 && checksum_algorithm(r->arena, name, &c->algo, &r->problem) != 0)
		return req_refused(r, "an unknown checksum algorithm");
	return 0;
}

/* S3 takes a copy onto itself for a mistake unless it changes one of these. */
static bool
changes_something(const struct copying *c)
{
	static const char *const headers[] = { "x-amz-storage-class", "x-amz-website-redirect-location",
		"x-amz-server-side-encryption", "x-amz-server-side-encryption-customer-algorithm", "x-amz-checksum-algorithm" };

	if (c->replace_meta)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		if (req_header(c->r, headers[i]).p != NULL)
			return true;
	/* Then the copy is encrypted as the bucket is now. */
	return bucket_has_config(c->r->bucket, CONFIG_KIND_ENCRYPTION);
}

static int
check_itself(struct copying *c)
{
	const struct copy_source *s = &c->source;

	if (s->bucket != c->r->bucket || s->version != NULL || !span_eq(s->name.key, c->r->key) || changes_something(c))
		return 0;
	return req_refuse(c->r, S3_InvalidRequest,
	    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, "
	    "storage class, website redirect location or encryption attributes.", NULL, SPAN(""));
}

static int
read_request(struct copying *c)
{
	struct req *r = c->r;

	if (put_begin(r, &c->p) != 0)
		return -1;
	if (copy_directive(&r->headers, "x-amz-metadata-directive", &c->replace_meta, &r->problem) != 0 ||
	    copy_directive(&r->headers, "x-amz-tagging-directive", &c->replace_tags, &r->problem) != 0)
		return req_refused(r, "an unknown directive");
	if (read_algorithm(c) != 0 || copy_find(r, &c->source) != 0 || check_itself(c) != 0)
		return -1;
	return ops_object_lock(r, c->who, &c->p.object) != 0 || ops_acl(r, c->who, &c->p.object) != 0 ? -1 : 0;
}

/* ---- what comes of the source ---- */

/* The redirect and the storage class are never copied: they are this request's, or the default. */
static int
take_meta(struct copying *c, const struct copy_source *s)
{
	struct object_meta *m = &c->p.meta;
	struct span redirect = m->website_redirect, class = m->storage_class;

	if (c->replace_meta)
		return 0;
	if (!object_meta_decode(c->r->arena, s->o.headers, m))
		return FAIL(&c->r->err, ERR_INTERNAL, "an object's stored headers cannot be read");
	m->website_redirect = redirect;
	m->storage_class = class;
	return 0;
}

static int
take_tags(struct copying *c, const struct copy_source *s)
{
	struct req *r = c->r;

	if (c->replace_tags)
		return ops_tags(r, c->who, &c->p.object);
	if (!s->has_tags)
		return 0;
	if (!s->may_read_tags || !allowed(r, c->who, "s3:PutObjectTagging", r->key))
		return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
	c->p.object.tags = s->o.tags;
	return 0;
}

/* 1: the row or a second name of its blob will do, nothing needs to be read. */
static int
refer(struct copying *c, const struct copy_source *s, const struct checksum_stored *of_source)
{
	struct req *r = c->r;
	struct object *o = &c->p.object;
	struct blob_id from, to;
	int rc;

	if (!s->here || s->sealed != SSE_NONE || c->p.sse != NULL || s->o.has_parts || !copy_etag_is_md5(s) ||
	    of_source->type != CHECKSUM_FULL_OBJECT || of_source->algo != c->p.stored.algo)
		return 0;
	if (s->o.has_blob) {
		memcpy(from.b, s->o.blob_id.b, sizeof(from.b));
		rc = store_link(r->thread->store, &from, &to, &r->err);
		if (rc != 1)
			return rc;
		memcpy(o->blob_id.b, to.b, sizeof(to.b));
		o->has_blob = true;
	} else
		o->inline_data = s->o.inline_data;
	o->etag = s->o.etag;
	o->size = s->o.size;
	c->p.stored = *of_source;
	return 1;
}

/* ---- its bytes ---- */

static int
begin(void *arg, const struct copy_source *s)
{
	struct copying *c = arg;
	struct req *r = c->r;
	struct checksum_stored of_source;
	int rc;

	if (take_meta(c, s) != 0 || take_tags(c, s) != 0)
		return -1;
	if (!checksum_decode(s->o.checksums, &of_source))
		return FAIL(&r->err, ERR_INTERNAL, "an object's stored checksum cannot be read");
	/* The source's algorithm stays unless another is asked for; of parts it is computed anew, over the whole. */
	c->p.stored = (struct checksum_stored){ .algo = c->algo, .type = CHECKSUM_FULL_OBJECT };
	if (c->algo == CHECKSUM_NONE)
		c->p.stored.algo = of_source.algo != CHECKSUM_NONE ? of_source.algo : CHECKSUM_CRC64NVME;
	rc = refer(c, s, &of_source);
	if (rc != 0)
		return rc;
	return copy_sink_open(r, s, c->p.sse, true, CHECKSUM_MD5_BIT | CHECKSUM_BIT(c->p.stored.algo), &c->sink);
}

static int
take(void *arg, const void *p, size_t len)
{
	struct copying *c = arg;

	return copy_sink_take(&c->sink, &c->source, p, len);
}

static int
end_bytes(struct copying *c)
{
	struct checksum_values got;
	struct object *o = &c->p.object;

	if (c->sink.sums == NULL)
		return 0;
	if (copy_sink_end(&c->sink, &c->source, &got, o) != 0)
		return -1;
	memcpy(c->p.stored.value, got.v[c->p.stored.algo], sizeof(c->p.stored.value));
	o->etag = sse_etag(c->r, c->p.sse, got.md5);
	return 0;
}

/* ---- the answer ---- */

static int
answer(struct copying *c)
{
	const struct put *p = &c->p;
	char text[CHECKSUM_TEXT_SIZE];
	struct strbuf xml;
	struct reply rp;

	strbuf_init(&xml, c->r->arena, 4096);
	checksum_text(&p->stored, text);
	xml_begin(&xml, "CopyObjectResult");
	xml_time(&xml, "LastModified", p->placed.mtime_us);
	xml_etag(&xml, "ETag", p->object.etag);
	xml_str(&xml, "ChecksumType", checksum_type_name(p->stored.type));
	xml_str(&xml, checksum_table[p->stored.algo].xml, text);
	xml_close(&xml, "CopyObjectResult");
	if (!strbuf_ok(&xml))
		return FAIL(&c->r->err, ERR_LIMIT, "the answer is too long");
	reply_begin(&rp, c->r, 200);
	if (c->source.bucket->versioning[0] != '\0' && !c->source.o.is_null)
		reply_str(&rp, "x-amz-copy-source-version-id", c->source.o.version);
	/* A put into a suspended bucket is told of no version, a copy is. */
	if (c->r->bucket->versioning[0] != '\0')
		reply_str(&rp, "x-amz-version-id", p->placed.versioned ? p->placed.version : "null");
	sse_reply(&rp, p->sse);
	ops_expiration(&rp, p->object.size, p->object.tags, p->placed.mtime_us);
	return reply_body(&rp, "application/xml", (struct span){ xml.buf, xml.len });
}

int
op_copy_object(struct req *r, const struct identity *who)
{
	struct copying *c = ARENA_NEW(r->arena, struct copying);
	struct copy_to to = { c, begin, take };
	int rc;

	if (c == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	c->r = r;
	c->who = who;
	if (read_request(c) != 0)
		return -1;
	rc = copy_run(r, who, &c->source, &to);
	if (rc == 0)
		rc = end_bytes(c);
	copy_sink_abort(&c->sink);
	return rc != 0 || put_row(r, &c->p) != 0 ? -1 : answer(c);
}
