/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/copy_remote.h - a copy whose source lives in another region. The
 * destination's home sends the source's home a GetObject, signed anew as the one
 * who copies (docs: ARCHITECTURE.md, "Copies between regions"), and gets the
 * source's row before its bytes.
 */
#ifndef ANVIL_FCGI_COPY_REMOTE_H
#define ANVIL_FCGI_COPY_REMOTE_H

#include "fcgi/copy.h"

/* Asked: "all", or "bytes=first-last"; answered: the version of the form. Of a client's own nothing is passed on. */
#define COPY_ASK_HEADER "x-anvil-copy"

/* As copy_run, in the destination's home. */
MUST_CHECK int copy_ask(struct req *r, const struct identity *who, struct copy_source *s, const struct copy_to *to);
/* In the source's home: is this GetObject, authorised as ever, another region's for a copy? Then copy_send answers it. */
bool copy_is_asked(const struct req *r);
MUST_CHECK int copy_send(struct req *r, const struct identity *who, const struct object *o, const struct sse *sse);

#endif
