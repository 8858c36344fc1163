/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/sts.h - what is different about requests of the Security Token Service, which
 * come to the endpoint itself: they are signed for another service, over the body as
 * it is, and have error documents of their own.
 */
#ifndef ANVIL_FCGI_STS_H
#define ANVIL_FCGI_STS_H

#include "fcgi/req.h"

#define STS_NS "https://sts.amazonaws.com/doc/2011-06-15/"

static inline bool
sts_is(const struct req *r)
{
	return r->op == OP_SecurityToken || r->op == OP_SecurityTokenQuery;
}
/* Reads parameters (r->sts) and what the signature must cover, before it is checked. -1: the body is too long, or malformed. */
MUST_CHECK int sts_read(struct req *r);
/* The error document of r->problem as STS writes it. */
void sts_error_xml(struct req *r, struct strbuf *xml);

#endif
