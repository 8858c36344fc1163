/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/pieces.h - an XML document of any length. A short one has its length and
 * leaves whole; a long one leaves piece by piece, so that no list needs a buffer
 * of its size. Write to p->sb, and step after each item.
 */
#ifndef ANVIL_FCGI_PIECES_H
#define ANVIL_FCGI_PIECES_H

#include "fcgi/respond.h"

#define PIECE_ITEM_MAX 8192 /* what one item may add */

struct pieces {
	struct req *r;
	struct strbuf sb;
};

void pieces_init(struct pieces *p, struct req *r);
/* 0, or -1 with r->err (also when the client went away). */
MUST_CHECK int pieces_step(struct pieces *p);
MUST_CHECK int pieces_end(struct pieces *p);

#endif
