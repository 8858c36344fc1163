/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/multipart_complete.c - CompleteMultipartUpload.
 *
 * Owns:       an arena while the document is read: 10,000 parts are more than a
 *             request's own should hold.
 * Called by:  dispatch.c.
 * Blocks:     on three statements on the regional database.
 * Invariant:  ETag and checksums are computed from rows read before; the statement
 *             that makes the object checks that the parts still are those.
 */
#include "fcgi/ops/multipart.h"

#include "fcgi/ops/ops.h"
#include "fcgi/ops/put.h"

/* The parts as the client lists them, beside those that are there. */
struct completion {
	struct multipart m;
	struct multipart_part *asked;
	size_t n;
	const struct upload_part *there;
	size_t n_there;
	struct object_cond cond;
	/* of the object */
	int64_t size;
	char etag[MULTIPART_ETAG_SIZE];
	struct checksum_stored sum;
};

static void
free_arena(void *arg)
{
	arena_free(arg);
}

/* x-amz-checksum-* are about the object here, not about the document. */
static int
open_document(struct req *r, const struct identity *who, struct body *b)
{
	struct s3_headers all = r->headers;
	struct s3_header *kept = arena_array(r->arena, all.n + 1, sizeof(*kept));
	size_t n = 0;
	int rc;

	if (kept == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	for (size_t i = 0; i < all.n; i++)
		if (!s3_istarts(all.h[i].name, "x-amz-checksum-"))
			kept[n++] = all.h[i];
	r->headers = (struct s3_headers){ kept, n };
	rc = body_open(r, who, MULTIPART_DOCUMENT_MAX, b);
	r->headers = all;
	return rc;
}

static int
read_document(struct req *r, const struct identity *who, struct completion *c)
{
	struct arena *tree;
	struct span document;
	struct body b;

	if (open_document(r, who, &b) != 0 || body_all(&b, &document) != 0)
		return -1;
	tree = arena_new(MULTIPART_TREE_MAX);
	if (!arena_on_reset(r->arena, free_arena, tree)) {
		arena_free(tree);
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	}
	if (multipart_complete_parse(tree, document, &c->asked, &c->n, &r->problem) == 0)
		return 0;
	if (r->problem.code == S3_InvalidPartOrder)
		s3_problem_extra(&r->problem, "UploadId", c->m.id_text);
	return req_refused(r, "the list of parts is refused");
}

/* ---- the parts ---- */

static int
invalid_part(struct req *r, const struct completion *c, const struct multipart_part *p)
{
	(void)s3_problem_set(&r->problem, S3_InvalidPart, NULL);
	s3_problem_extra(&r->problem, "UploadId", c->m.id_text);
	s3_problem_extra(&r->problem, "PartNumber", span_of(arena_printf(r->arena, "%d", p->number)));
	s3_problem_extra(&r->problem, "ETag", p->etag);
	return req_refused(r, "a listed part is not there, or is another");
}

static int
too_small(struct req *r, const struct upload_part *p)
{
	(void)s3_problem_set(&r->problem, S3_EntityTooSmall, NULL);
	s3_problem_extra(&r->problem, "ProposedSize", span_of(arena_printf(r->arena, "%" PRId64, p->size)));
	s3_problem_extra(&r->problem, "MinSizeAllowed", span_of(arena_printf(r->arena, "%d", MULTIPART_PART_MIN)));
	s3_problem_extra(&r->problem, "PartNumber", span_of(arena_printf(r->arena, "%d", p->number)));
	s3_problem_extra(&r->problem, "ETag", span_of(p->etag));
	return req_refused(r, "a part that is not the last is too small");
}

/*
 * Is the checksum that the client lists with a part the part's? `stored`: the part's. S3 refuses a composite one that is
 * left out; older SDKs leave it out, and others take that, too.
 */
static int
check_sum(struct req *r, const struct completion *c, const struct multipart_part *p, const struct checksum_stored *stored)
{
	uint8_t value[CHECKSUM_BYTES_MAX];

	if (stored->algo != c->m.sum.algo)
		return FAIL(&r->err, ERR_INTERNAL, "a part has another checksum than its upload");
	if (p->algo == CHECKSUM_NONE || (p->algo != stored->algo && !c->m.sum.asked))
		return 0;
	if (multipart_sum_check(r->arena, &c->m.sum, p->algo, false, &r->problem) != 0)
		return req_refused(r, "a listed part has another kind of checksum");
	return checksum_parse_value(p->algo, p->sum, value) && memcmp(value, stored->value, checksum_table[p->algo].len) == 0 ?
	    0 : invalid_part(r, c, p);
}

/* The part that is there for one that is listed; NULL: there is none. Both lists are in order, and *at goes along. */
static const struct upload_part *
match(const struct completion *c, const struct multipart_part *p, size_t *at)
{
	while (*at < c->n_there && c->there[*at].number < p->number)
		(*at)++;
	if (*at == c->n_there || c->there[*at].number != p->number || !span_eq(p->etag, span_of(c->there[*at].etag)))
		return NULL;
	return &c->there[*at];
}

static int
load_parts(struct req *r, struct completion *c)
{
	struct upload_part *parts;
	bool more;

	if (meta_upload_parts(r->thread->meta, r->arena, r->bucket, &c->m.id, 0, UPLOAD_PARTS_MAX, &parts, &c->n_there, &more,
	        &r->err) != 0)
		return -1;
	c->there = parts;
	return 0;
}

/* What the object is to be, and the texts that the statement takes. */
static int
add_up(struct req *r, struct completion *c, const char **numbers, const char **etags)
{
	struct multipart_whole whole;
	size_t at = 0;

	if (!multipart_whole_init(&whole, r->arena, &c->m.sum))
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	for (size_t i = 0; i < c->n; i++) {
		const struct upload_part *p = match(c, &c->asked[i], &at);
		struct checksum_stored stored;

		if (p == NULL)
			return invalid_part(r, c, &c->asked[i]);
		if (i + 1 < c->n && p->size < MULTIPART_PART_MIN)
			return too_small(r, p);
		if (!checksum_decode(p->checksums, &stored) || !multipart_whole_add(&whole, p->etag, stored.value, p->size))
			return FAIL(&r->err, ERR_INTERNAL, "a part's stored ETag or checksum cannot be read");
		if (check_sum(r, c, &c->asked[i], &stored) != 0)
			return -1;
		c->size += p->size;
		etags[i] = p->etag;
		numbers[i] = arena_printf(r->arena, "%d", p->number);
		if (numbers[i] == NULL)
			return FAIL(&r->err, ERR_LIMIT, "arena is full");
	}
	etags[c->n] = numbers[c->n] = NULL;
	multipart_whole_end(&whole, c->etag, &c->sum);
	if (multipart_whole_check(r->arena, &r->headers, &c->m.sum, &c->sum, c->size, &r->problem) != 0)
		return req_refused(r, "the object is not what the request says");
	return 0;
}

/* ---- the answer ---- */

static int
answer(struct req *r, const char *etag, const struct checksum_stored *sum, struct span envelope, const char *version)
{
	struct strbuf xml;
	struct reply rp;

	strbuf_init(&xml, r->arena, 4 * OPS_LOCATION_MAX);
	multipart_completed_xml(&xml, ops_location(r), span_of(r->bucket_name), r->key, etag, sum);
	if (!strbuf_ok(&xml))
		return FAIL(&r->err, ERR_LIMIT, "the answer is too long");
	reply_begin(&rp, r, 200);
	if (version != NULL)
		reply_str(&rp, "x-amz-version-id", version);
	sse_reply_envelope(&rp, envelope);
	return reply_body(&rp, "application/xml", (struct span){ xml.buf, xml.len });
}

/* A client that did not hear the answer asks again: the same list gets the same answer. */
static int
answer_again(struct req *r, struct completion *c)
{
	struct checksum_stored sum;
	struct object o;
	size_t at = 0;
	int found = meta_upload_completed(r->thread->meta, r->arena, r->bucket, r->key, &c->m.id, &o, &r->err);

	if (found < 0 || (found == 1 && load_parts(r, c) != 0))
		return -1;
	if (found == 0 || c->n != c->n_there)
		return multipart_refused(r, &c->m, UPLOAD_NOT_THERE);
	for (size_t i = 0; i < c->n; i++)
		if (match(c, &c->asked[i], &at) == NULL)
			return multipart_refused(r, &c->m, UPLOAD_NOT_THERE);
	if (!checksum_decode(o.checksums, &sum))
		sum.algo = CHECKSUM_NONE;
	return answer(r, o.etag, &sum, o.sse, o.is_null ? NULL : o.version);
}

/* A client's key that is given is the upload's; S3 asks for it where the upload has a checksum algorithm. */
static int
check_key(struct req *r, struct completion *c)
{
	if (sse_envelope_kind(c->m.upload.sse) != SSE_CUSTOMER ||
	    (!c->m.sum.asked && req_header(r, "x-amz-server-side-encryption-customer-key").p == NULL))
		return 0;
	return sse_for_part(r, c->m.upload.sse, &c->m.sse);
}

static int
complete(struct req *r, struct completion *c)
{
	const char **numbers = arena_array(r->arena, c->n + 1, sizeof(*numbers));
	const char **etags = arena_array(r->arena, c->n + 1, sizeof(*etags));
	struct object_placed placed;
	struct strbuf checksums;
	enum upload_did did;

	if (numbers == NULL || etags == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (check_key(r, c) != 0 || load_parts(r, c) != 0 || add_up(r, c, numbers, etags) != 0)
		return -1;
	strbuf_init(&checksums, r->arena, 256);
	checksum_encode(&checksums, &c->sum);
	if (!strbuf_ok(&checksums))
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (meta_upload_complete(r->thread->meta, r->arena, r->bucket, r->key, &c->m.id, numbers, etags, c->etag,
	        (struct span){ checksums.buf, checksums.len }, &c->cond, &did, &placed, &r->err) != 0)
		return -1;
	if (did == UPLOAD_NOT_THERE)
		return answer_again(r, c); /* the same request came twice, and the other was quicker */
	if (did != UPLOAD_DONE)
		return multipart_refused(r, &c->m, did);
	return answer(r, c->etag, &c->sum, c->m.upload.sse, placed.versioned ? placed.version : NULL);
}

int
op_complete_multipart_upload(struct req *r, const struct identity *who)
{
	struct completion c = { .n = 0 };
	int found;

	if (multipart_id(r, &c.m) != 0 || put_condition(r, &c.cond) != 0 || read_document(r, who, &c) != 0)
		return -1;
	found = multipart_look(r, &c.m);
	if (found < 0)
		return -1;
	return found == 0 ? answer_again(r, &c) : complete(r, &c);
}
