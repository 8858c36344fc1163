/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/website.h - a bucket as a website: whoever asks is a visitor with a browser.
 * He signs nothing, gets pages and redirects, and errors as HTML.
 */
#ifndef ANVIL_FCGI_WEBSITE_H
#define ANVIL_FCGI_WEBSITE_H

#include "fcgi/identity.h"

/* A visitor reads and does nothing else: is -1, MethodNotAllowed. */
int website_refuse_method(struct req *r);
/* In the bucket's home. As a handler (fcgi/ops/ops.h). */
MUST_CHECK int website_serve(struct req *r, const struct identity *who);
/* The object itself says that it is elsewhere (x-amz-website-redirect-location). */
MUST_CHECK int website_moved(struct req *r, struct span location);
/* The page of r->problem. */
MUST_CHECK int website_error(struct req *r);

#endif
