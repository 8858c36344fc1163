/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/respond.h - answers. The header block is built in the arena and leaves in
 * one piece; every answer carries x-amz-request-id and x-amz-id-2, and one about
 * a bucket x-amz-bucket-region. Date and Server are the web server's.
 */
#ifndef ANVIL_FCGI_RESPOND_H
#define ANVIL_FCGI_RESPOND_H

#include "fcgi/req.h"

#define REPLY_HEAD_MAX 32768

struct reply {
	struct req *r;
	struct strbuf head;
};

/* The status line and the headers that every answer has. */
void reply_begin(struct reply *rp, struct req *r, int status);
/* One header. Control bytes in the value become blanks, so that none can end a line. */
void reply_header(struct reply *rp, const char *name, struct span value);
void reply_str(struct reply *rp, const char *name, const char *value);
void reply_i64(struct reply *rp, const char *name, int64_t value);
void reply_date(struct reply *rp, const char *name, int64_t wall_us);
void reply_etag(struct reply *rp, const char *etag); /* adds the quotes */

/*
 * The header block ends and leaves; body pieces may follow with http_write.
 * All of these: 0, or -1 with r->err (also when the client went away).
 */
MUST_CHECK int reply_head(struct reply *rp);
/* Without a body: Content-Length 0, but not for 204 and 304. */
MUST_CHECK int reply_empty(struct reply *rp);
/* With a whole body; a HEAD request gets its length alone. */
MUST_CHECK int reply_body(struct reply *rp, const char *content_type, struct span body);
/* 200 and an XML document. */
MUST_CHECK int reply_xml(struct req *r, const struct strbuf *xml);

/*
 * For work that may take longer than anybody waits in silence, called all the while: begins an answer of 200 when
 * copy_keep_alive_ms have passed, and goes on with blanks. What reply_xml, reply_body or reply_error say afterwards ends
 * that answer: their headers are lost, an error is a document in it. -1: the client went away.
 * Source: S3 API Reference, CopyObject, "Response and special errors".
 */
MUST_CHECK int reply_keep_alive(struct req *r);

/* "OK", "Not Found" ... */
const char *reply_reason(int status);
/* The error document of r->problem; false past the arena's cap. */
bool reply_error_xml(struct req *r, struct strbuf *xml);
/* What r->err and r->problem say, as the error document. Nothing must have been sent yet. */
void reply_error(struct req *r);

#endif
