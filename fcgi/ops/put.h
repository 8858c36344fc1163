/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/put.h - storing an object from a body: what PutObject, PostObject and UploadPart share.
 * First put_begin, which looks at the headers alone; then the caller opens the body;
 * then put_finish, which takes it and writes the row.
 */
#ifndef ANVIL_FCGI_OPS_PUT_H
#define ANVIL_FCGI_OPS_PUT_H

#include "fcgi/body.h"
#include "fcgi/respond.h"
#include "fcgi/sse.h"
#include "meta/object.h"
#include "s3/object_meta.h"

struct put {
	struct object_meta meta;  /* what the headers say of it */
	struct object_cond cond;
	struct sse *sse;          /* what its bytes are encrypted with; NULL: nothing */
	struct body body;         /* opened by the caller, between the two */
	struct object object;     /* as stored */
	struct checksum_stored stored;
	struct object_placed placed;
};

/* What r->headers ask for. -1 with r->err. */
MUST_CHECK int put_begin(struct req *r, struct put *p);
/* The body and then the row of r->key. 0: it is stored, durably. -1 with r->err: nothing is. */
MUST_CHECK int put_finish(struct req *r, const struct identity *who, struct put *p);
/*
 * For bytes that come from elsewhere: the row alone. The caller has set p->stored and of p->object what lies where, how
 * long it is, the etag, tags, lock and whose it is (ops_acl). When the row is refused its blob is gone, too.
 */
MUST_CHECK int put_row(struct req *r, struct put *p);
/* ETag and what else an answer says of what was stored. */
void put_headers(struct reply *rp, const struct put *p);

/* ---- pieces of it, for what else stores bytes ---- */

/* What the statement is asked to check, from what the headers say. -1 with r->err. */
MUST_CHECK int put_condition(struct req *r, struct object_cond *out);
/* Is -1: PreconditionFailed, with the condition's name. */
int put_condition_failed(struct req *r, const struct object_cond *cond);
/* Of a row: r's key, stored headers, storage class, and how its bytes are encrypted (sse NULL: not). -1 with r->err. */
MUST_CHECK int put_describe(struct req *r, const struct object_meta *m, const struct sse *sse, struct object *o);
/* A body of a size that was told, into o: to a blob, or small ones into the row if they may be. -1 with r->err. */
enum put_where { PUT_IN_ROW, PUT_IN_BLOB };
MUST_CHECK int put_body(struct req *r, struct body *b, const struct sse *sse, enum put_where where, struct object *o);
/* A blob whose row was refused: nobody knows its id yet. When this fails it is an orphan, for maintain. */
void put_drop_blob(struct req *r, const struct object *o);

#endif
