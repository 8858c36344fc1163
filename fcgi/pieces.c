/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/pieces.c - an XML document that leaves in pieces once it is longer than one.
 *
 * Owns:       nothing; the buffer is the request's arena's.
 * Called by:  the handlers of lists.
 * Blocks:     on the client.
 */
#include "fcgi/pieces.h"

#define PIECE_BYTES (56 * 1024)

void
pieces_init(struct pieces *p, struct req *r)
{
	p->r = r;
	strbuf_init(&p->sb, r->arena, PIECE_BYTES + 2 * PIECE_ITEM_MAX);
}

static int
pieces_send(struct pieces *p)
{
	struct req *r = p->r;
	struct reply rp;

	if (!strbuf_ok(&p->sb))
		return FAIL(&r->err, ERR_LIMIT, "the answer is too long");
	if (!r->http->started) {
		reply_begin(&rp, r, 200);
		reply_str(&rp, "Content-Type", "application/xml");
		reply_str(&rp, "Accept-Ranges", "none");
		if (reply_head(&rp) != 0)
			return -1;
	}
	if (http_write(r->http, p->sb.buf, p->sb.len) != 0)
		return FAIL(&r->err, ERR_CLOSED, "the client went away");
	strbuf_clear(&p->sb);
	return 0;
}

int
pieces_step(struct pieces *p)
{
	return p->sb.len < PIECE_BYTES ? 0 : pieces_send(p);
}

int
pieces_end(struct pieces *p)
{
	return p->r->http->started ? pieces_send(p) : reply_xml(p->r, &p->sb);
}
