/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/respond.c - the header block, error documents, whole bodies.
 *
 * Owns:       nothing; the block lives in the request's arena.
 * Called by:  dispatch.c, service.c, the handlers, and copies under way.
 * Blocks:     yes, on the web server.
 * Invariant:  an answer of 200 that is not an object says "Accept-Ranges: none":
 *             lighttpd cuts any dynamic 200 answer to the request's Range else.
 */
#include "fcgi/respond.h"

#include "base/clock.h"
#include "fcgi/sts.h"
#include "fcgi/website.h"
#include "fcgi/worker.h"
#include "s3/date.h"
#include "s3/xml.h"

#define ERROR_XML_MAX 65536

const char *
reply_reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 201: return "Created";
	case 204: return "No Content";
	case 206: return "Partial Content";
	case 301: return "Moved Permanently";
	case 302: return "Found";
	case 303: return "See Other";
	case 304: return "Not Modified";
	case 307: return "Temporary Redirect";
	case 308: return "Permanent Redirect";
	case 400: return "Bad Request";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 409: return "Conflict";
	case 411: return "Length Required";
	case 412: return "Precondition Failed";
	case 416: return "Requested Range Not Satisfiable";
	case 500: return "Internal Server Error";
	case 501: return "Not Implemented";
	case 503: return "Service Unavailable";
	default:  return "Status";
	}
}

void
reply_begin(struct reply *rp, struct req *r, int status)
{
	char line[4];

	rp->r = r;
	r->status = r->kept_us != 0 ? 200 : status;
	strbuf_init(&rp->head, r->arena, REPLY_HEAD_MAX);
	line[0] = (char)('0' + status / 100);
	line[1] = (char)('0' + status / 10 % 10);
	line[2] = (char)('0' + status % 10);
	line[3] = ' ';
	strbuf_span(&rp->head, SPAN("Status: "));
	strbuf_add(&rp->head, line, sizeof(line));
	strbuf_str(&rp->head, reply_reason(status));
	strbuf_span(&rp->head, SPAN("\r\nx-amz-request-id: "));
	strbuf_add(&rp->head, r->id, REQ_ID_LEN);
	strbuf_span(&rp->head, SPAN("\r\nx-amz-id-2: "));
	strbuf_str(&rp->head, r->thread->worker->host_id);
	strbuf_span(&rp->head, SPAN("\r\n"));
	if (r->bucket != NULL)
		reply_str(rp, "x-amz-bucket-region", r->bucket->region);
	if (r->cors_headers != NULL)
		strbuf_str(&rp->head, r->cors_headers);
}

void
reply_header(struct reply *rp, const char *name, struct span value)
{
	size_t at;

	strbuf_str(&rp->head, name);
	strbuf_span(&rp->head, SPAN(": "));
	at = rp->head.len;
	strbuf_span(&rp->head, value);
	for (; at < rp->head.len; at++) {
		unsigned char c = (unsigned char)rp->head.buf[at];

		if (c < ' ' || c == 0x7f)
			rp->head.buf[at] = ' ';
	}
	strbuf_span(&rp->head, SPAN("\r\n"));
}

void
reply_str(struct reply *rp, const char *name, const char *value)
{
	reply_header(rp, name, span_of(value));
}

void
reply_i64(struct reply *rp, const char *name, int64_t value)
{
	strbuf_printf(&rp->head, "%s: %" PRId64 "\r\n", name, value);
}

void
reply_date(struct reply *rp, const char *name, int64_t wall_us)
{
	char date[DATE_HTTP_SIZE];

	date_http(wall_us, date);
	reply_str(rp, name, date);
}

void
reply_etag(struct reply *rp, const char *etag)
{
	strbuf_span(&rp->head, SPAN("ETag: \""));
	strbuf_str(&rp->head, etag);
	strbuf_span(&rp->head, SPAN("\"\r\n"));
}

int
reply_head(struct reply *rp)
{
	struct req *r = rp->r;

	strbuf_span(&rp->head, SPAN("\r\n"));
	if (r->kept_us != 0)
		return FAIL(&r->err, ERR_INTERNAL, "an answer that has begun ends without a document");
	if (!strbuf_ok(&rp->head))
		return FAIL(&r->err, ERR_LIMIT, "the answer's headers are too long");
	if (http_begin(r->http, rp->head.buf, rp->head.len) != 0)
		return FAIL(&r->err, ERR_CLOSED, "the client went away");
	return 0;
}

int
reply_empty(struct reply *rp)
{
	if (rp->r->status != 204 && rp->r->status != 304)
		strbuf_span(&rp->head, SPAN("Content-Length: 0\r\n"));
	return reply_head(rp);
}

static int
write_body(struct req *r, struct span body)
{
	if (body.len > 0 && http_write(r->http, body.p, body.len) != 0)
		return FAIL(&r->err, ERR_CLOSED, "the client went away");
	return 0;
}

int
reply_keep_alive(struct req *r)
{
	int64_t now_us = clock_mono_us(), since_us = now_us - (r->kept_us != 0 ? r->kept_us : r->start_us);
	struct span more = SPAN(" ");
	struct reply rp;

	if (since_us < r->thread->settings->copy_keep_alive_ms * US_PER_MS)
		return 0;
	if (r->kept_us == 0) {
		reply_begin(&rp, r, 200);
		strbuf_span(&rp.head, SPAN("Content-Type: application/xml\r\nAccept-Ranges: none\r\n"));
		if (reply_head(&rp) != 0)
			return -1;
		more = SPAN(XML_DECLARATION);
	}
	r->kept_us = now_us;
	if (write_body(r, more) != 0)
		return -1;
	return http_flush(r->http) == 0 ? 0 : FAIL(&r->err, ERR_CLOSED, "the client went away");
}

/* The answer's end: its document, whose declaration is there already. */
static int
end_kept(struct req *r, struct span body)
{
	const struct span declaration = SPAN(XML_DECLARATION);

	if (body.len >= declaration.len && memcmp(body.p, declaration.p, declaration.len) == 0) {
		body.p += declaration.len;
		body.len -= declaration.len;
	}
	return write_body(r, body);
}

int
reply_body(struct reply *rp, const char *content_type, struct span body)
{
	struct req *r = rp->r;

	if (r->kept_us != 0)
		return end_kept(r, body);
	reply_str(rp, "Content-Type", content_type);
	reply_i64(rp, "Content-Length", (int64_t)body.len);
	if (r->status == 200)
		strbuf_span(&rp->head, SPAN("Accept-Ranges: none\r\n"));
	if (reply_head(rp) != 0)
		return -1;
	return r->is_head ? 0 : write_body(r, body);
}

int
reply_xml(struct req *r, const struct strbuf *xml)
{
	struct reply rp;

	if (!strbuf_ok(xml))
		return FAIL(&r->err, ERR_LIMIT, "the answer is too long");
	reply_begin(&rp, r, 200);
	return reply_body(&rp, "application/xml", (struct span){ xml->buf, xml->len });
}

bool
reply_error_xml(struct req *r, struct strbuf *xml)
{
	strbuf_init(xml, r->arena, ERROR_XML_MAX);
	if (sts_is(r))
		sts_error_xml(r, xml);
	else
		s3_error_xml(xml, &r->problem, r->uri.path, r->id, r->thread->worker->host_id);
	return strbuf_ok(xml);
}

static bool
is_about_marker(const struct s3_problem *pr)
{
	for (size_t i = 0; i < pr->n_extra; i++)
		if (span_eq(pr->extra[i].value, SPAN("DeleteMarker")))
			return true;
	return false;
}

/* What some codes add to the header block. */
static void
error_headers(struct reply *rp)
{
	const struct s3_problem *pr = &rp->r->problem;

	if (rp->r->more_headers != NULL)
		strbuf_str(&rp->head, rp->r->more_headers);
	if (s3_code_is_transient(pr->code))
		reply_str(rp, "Retry-After", "1");
	if (pr->code == S3_MethodNotAllowed) {
		struct s3_match m = req_match(rp->r);

		/* RFC 9110 15.5.6: what is allowed instead */
		strbuf_span(&rp->head, SPAN("Allow: "));
		if (is_about_marker(pr))
			strbuf_span(&rp->head, SPAN("DELETE"));
		else
			s3_operation_allow(&rp->head, &m);
		strbuf_span(&rp->head, SPAN("\r\n"));
	}
	if (pr->code != S3_InvalidRange)
		return;
	for (size_t i = 0; i < pr->n_extra; i++)
		if (strcmp(pr->extra[i].name, "ActualObjectSize") == 0)
			strbuf_printf(&rp->head, "Content-Range: bytes */%.*s\r\n", (int)pr->extra[i].value.len,
			    pr->extra[i].value.p);
}

void
reply_error(struct req *r)
{
	const struct s3_error *e;
	struct strbuf xml;
	struct reply rp;
	int rc;

	if (r->problem.code == 0)
		s3_problem_from_err(&r->problem, &r->err);
	if (r->website) {
		if (website_error(r) != 0 && !r->http->started)
			r->http->broken = true;
		return;
	}
	e = s3_error_find(r->problem.code);
	reply_begin(&rp, r, e->status);
	error_headers(&rp);
	if (r->is_head) {
		/* No length: that of a body which is not sent would be the object's to a client. */
		reply_str(&rp, "Content-Type", "application/xml");
		rc = reply_head(&rp);
	} else if (e->status != 304 && reply_error_xml(r, &xml))
		rc = reply_body(&rp, "application/xml", (struct span){ xml.buf, xml.len });
	else
		rc = reply_empty(&rp);
	if (rc != 0 && r->kept_us != 0)
		http_abort(r->http);
	else if (rc != 0 && !r->http->started)
		r->http->broken = true;
}
