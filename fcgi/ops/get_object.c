/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/get_object.c - GetObject and HeadObject.
 *
 * Owns:       a reader of the object's bytes while it streams.
 * Called by:  dispatch.c.
 * Blocks:     on the regional database (one statement), the store, the client.
 * Invariant:  Content-Length is the truth, or the connection is broken off: a
 *             client never takes part of an object for the whole.
 */
#include "fcgi/ops/ops.h"

#include "fcgi/authorize.h"
#include "fcgi/copy_remote.h"
#include "fcgi/object_bytes.h"
#include "fcgi/respond.h"
#include "fcgi/sendfile.h"
#include "fcgi/website.h"
#include "meta/upload.h"
#include "s3/checksum.h"
#include "s3/condition.h"
#include "s3/date.h"
#include "s3/multipart.h"
#include "s3/object_lock.h"
#include "s3/tagging.h"

#define FIND_TRIES 5 /* an object is replaced while its parts are looked up so often in a row at most */

struct got {
	struct object o;
	struct object_meta meta;
	struct range range;
	int part;        /* partNumber of the request; 0: none */
	struct upload_part in_parts; /* with part, of an object of parts */
	struct sse *sse; /* NULL: plain bytes */
};

/* The stored headers with the request's response-* over them. */
static int
read_meta(struct req *r, const struct identity *who, struct got *g)
{
	if (!object_meta_decode(r->arena, g->o.headers, &g->meta))
		return FAIL(&r->err, ERR_INTERNAL, "an object's stored headers cannot be read");
	if (object_meta_override(&r->uri.query, who->app == NULL, &g->meta, &r->problem) != 0)
		return req_refused(r, "the response headers asked for are refused");
	return 0;
}

static bool
is_whole(const struct got *g)
{
	return g->range.first == 0 && g->range.len == g->o.size;
}

/* Of the object, or of the one part of it that is answered; its type is the object's in either case. */
static void
checksum_headers(struct reply *rp, const struct got *g)
{
	struct checksum_stored stored, of_part;
	char text[CHECKSUM_TEXT_SIZE];

	if (!checksum_decode(g->o.checksums, &stored) || stored.algo == CHECKSUM_NONE)
		return;
	checksum_text(&stored, text);
	/* S3 tells a part's own where the object's is made of them; else the object's, of a part that is all of it. */
	if (g->in_parts.number > 0 && (stored.type == CHECKSUM_COMPOSITE || !is_whole(g))) {
		if (stored.type == CHECKSUM_FULL_OBJECT || !checksum_decode(g->in_parts.checksums, &of_part) || of_part.algo == CHECKSUM_NONE)
			return;
		checksum_text(&of_part, text);
		stored.algo = of_part.algo;
	}
	reply_str(rp, checksum_table[stored.algo].header, text);
	reply_str(rp, "x-amz-checksum-type", checksum_type_name(stored.type));
}

/* To those who may ask for it by itself. */
static void
lock_headers(struct reply *rp, const struct identity *who, const struct object *o)
{
	struct req *r = rp->r;
	char until[DATE_ISO_SIZE];

	if (o->lock_mode != '\0' && allowed(r, who, "s3:GetObjectRetention", r->key)) {
		date_iso_ms(o->retain_until_us, until);
		reply_str(rp, "x-amz-object-lock-mode", object_lock_mode_name(o->lock_mode));
		reply_str(rp, "x-amz-object-lock-retain-until-date", until);
	}
	if (o->legal_hold && allowed(r, who, "s3:GetObjectLegalHold", r->key))
		reply_str(rp, "x-amz-object-lock-legal-hold", "ON");
}

/* To those who may read them, too. */
static void
tagging_header(struct reply *rp, const struct identity *who, const struct object *o)
{
	struct req *r = rp->r;
	bool named = req_param(r, "versionId").p != NULL;
	struct s3_problem ignored = { 0 };
	struct s3_tags tags;

	if (o->tags.len > 0 && s3_tags_from_text(r->arena, o->tags, &tags, &ignored) == 0 &&
	    allowed(r, who, named ? "s3:GetObjectVersionTagging" : "s3:GetObjectTagging", r->key))
		reply_i64(rp, "x-amz-tagging-count", (int64_t)tags.n);
}

/* What 200, 206 and 304 tell of the object. */
static void
object_headers(struct reply *rp, const struct got *g)
{
	const struct object *o = &g->o;

	reply_date(rp, "Last-Modified", o->mtime_us);
	reply_etag(rp, o->etag);
	if (rp->r->bucket->versioning[0] != '\0')
		reply_str(rp, "x-amz-version-id", o->version);
}

static int
not_modified(struct req *r, const struct got *g)
{
	struct reply rp;

	reply_begin(&rp, r, 304);
	object_headers(&rp, g);
	if (g->meta.cache_control.p != NULL)
		reply_header(&rp, "Cache-Control", g->meta.cache_control);
	if (g->meta.expires.p != NULL)
		reply_header(&rp, "Expires", g->meta.expires);
	return reply_empty(&rp);
}

/* Which bytes partNumber means: an object that was not uploaded in parts is its own first one. */
static int
part_range(struct req *r, struct got *g)
{
	struct upload_part *part;
	const char *count;
	bool more;
	size_t n;

	if (g->o.has_parts) {
		if (meta_upload_parts(r->thread->meta, r->arena, r->bucket, &g->o.parts_id, g->part - 1, 1, &part, &n, &more,
		        &r->err) != 0)
			return -1;
		if (n == 1 && part->number == g->part) {
			g->in_parts = *part;
			g->range = (struct range){ part->size > 0, part->first, part->size };
			return 0;
		}
		if (meta_upload_parts(r->thread->meta, r->arena, r->bucket, &g->o.parts_id, 0, 1, &part, &n, &more, &r->err) != 0)
			return -1;
		if (n == 0)
			return FAIL(&r->err, ERR_CONFLICT, "the object was replaced before its parts were read");
	} else if (g->part == 1) {
		g->range = (struct range){ g->o.size > 0, 0, g->o.size };
		return 0;
	}
	count = arena_printf(r->arena, "%d", g->o.has_parts ? g->o.parts_count : 1);
	if (count == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	(void)s3_problem_set(&r->problem, S3_InvalidPartNumber, NULL);
	s3_problem_extra(&r->problem, "PartNumberRequested", req_param(r, "partNumber"));
	s3_problem_extra(&r->problem, "ActualPartCount", span_of(count));
	return req_refused(r, "the object has no such part");
}

static int
read_part_number(struct req *r, struct got *g)
{
	struct span text = req_param(r, "partNumber");

	g->part = 0;
	g->in_parts = (struct upload_part){ .number = 0 };
	if (text.p == NULL)
		return 0;
	if (multipart_number_parse(text, &g->part, &r->problem) != 0)
		return req_refused(r, "no part's number");
	if (req_header(r, "range").p != NULL)
		return req_refuse(r, S3_InvalidRequest, "Cannot specify both Range header and partNumber query parameter", NULL,
		    SPAN(""));
	return 0;
}

/* 0: go on. 1: answered (304). -1: refused. */
static int
check_conditions(struct req *r, struct got *g)
{
	struct condition_object co = { .etag = span_of(g->o.etag), .mtime_us = g->o.mtime_us };
	struct span range = req_header(r, "range");

	/* What they ask for is another page, which there is none of. */
	if (r->website_status != 0) {
		g->range = (struct range){ false, 0, g->o.size };
		return 0;
	}
	if (condition_read(&r->headers, &co, r->now_us, &r->problem) != 0) {
		if (r->problem.code != S3_NotModified)
			return req_refused(r, "a condition does not hold");
		return not_modified(r, g) == 0 ? 1 : -1;
	}
	if (g->part > 0)
		return 0;
	if (range.p != NULL && !condition_range(&r->headers, &co, r->now_us))
		range.p = NULL;
	if (range_parse(r->arena, range, g->o.size, &g->range, &r->problem) != 0)
		return req_refused(r, "the range lies outside the object");
	return 0;
}

static void
begin(struct reply *rp, struct req *r, const struct identity *who, const struct got *g)
{
	char text[RANGE_TEXT_SIZE];
	struct span mode = req_header(r, "x-amz-checksum-mode");

	reply_begin(rp, r, r->website_status != 0 ? r->website_status : g->range.partial ? 206 : 200);
	if (r->website_status != 0)
		strbuf_str(&rp->head, r->more_headers);
	object_headers(rp, g);
	lock_headers(rp, who, &g->o);
	tagging_header(rp, who, &g->o);
	if (g->o.is_latest)
		ops_expiration(rp, g->o.size, g->o.tags, g->o.mtime_us);
	strbuf_span(&rp->head, SPAN("Accept-Ranges: bytes\r\n"));
	object_meta_headers(&rp->head, &g->meta);
	if (g->o.storage_class != NULL && strcmp(g->o.storage_class, "STANDARD") != 0)
		reply_str(rp, "x-amz-storage-class", g->o.storage_class);
	sse_reply(rp, g->sse);
	if (g->range.partial) {
		range_text(&g->range, g->o.size, text);
		reply_str(rp, "Content-Range", text);
	}
	if (g->part > 0 && g->o.has_parts)
		reply_i64(rp, "x-amz-mp-parts-count", g->o.parts_count);
	/* Of less nobody keeps one. */
	if ((is_whole(g) || g->part > 0) && mode.p != NULL && s3_ieq(mode, SPAN("ENABLED")))
		checksum_headers(rp, g);
}

static int
send_bytes(struct reply *rp, const struct got *g)
{
	struct req *r = rp->r;
	struct object_bytes *bytes = NULL;
	struct span run;
	int rc = -1, more;

	/* Web servers know no 206 that answers no Range, and send a file with 200 or 206 alone. */
	if (g->part == 0 && r->website_status == 0 && sendfile_reply(rp, &g->o, &g->meta, &g->range))
		return reply_head(rp);
	/* Opened before the status goes out, so that a lost blob is a 500 and not half an answer. */
	if (object_bytes_open(r, r->bucket, &g->o, g->sse, g->range.first, g->range.len, &bytes) != 0)
		goto out;
	reply_i64(rp, "Content-Length", g->range.len);
	if (reply_head(rp) != 0)
		goto out;
	while ((more = object_bytes_next(bytes, &run)) == 1)
		if (http_write(r->http, run.p, run.len) != 0) {
			FAIL(&r->err, ERR_CLOSED, "the client went away");
			goto out;
		}
	rc = more;
out:
	object_bytes_close(bytes);
	return rc;
}

static int
get(struct req *r, const struct identity *who)
{
	struct got g;
	struct reply rp;
	int rc;

	if (read_part_number(r, &g) != 0 || ops_find_object(r, who, !r->is_head, &g.o) != 0 || read_meta(r, who, &g) != 0 ||
	    (g.part > 0 && part_range(r, &g) != 0) ||
	    sse_for_read(r, g.o.sse, SSE_OF_OBJECT, &g.sse) != 0)
		return -1;
	if (r->website && r->website_status == 0 && g.meta.website_redirect.p != NULL)
		return website_moved(r, g.meta.website_redirect);
	rc = check_conditions(r, &g);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (copy_is_asked(r))
		return copy_send(r, who, &g.o, g.sse);
	r->object_size = g.o.size;
	begin(&rp, r, who, &g);
	if (r->is_head) {
		reply_i64(&rp, "Content-Length", g.range.len);
		return reply_head(&rp);
	}
	return send_bytes(&rp, &g);
}

int
op_get_object(struct req *r, const struct identity *who)
{
	int tries = 0, rc;

	/* One whose parts went while they were looked up: another is there now, or none. Nothing was sent yet. */
	while ((rc = get(r, who)) != 0 && r->err.code == ERR_CONFLICT && ++tries < FIND_TRIES)
		err_clear(&r->err);
	return rc;
}

int
op_head_object(struct req *r, const struct identity *who)
{
	return op_get_object(r, who);
}
