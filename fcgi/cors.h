/* SPDX-License-Identifier: Apache-2.0 */
/* fcgi/cors.h - what a browser is told about requests of other origins' pages. */
#ifndef ANVIL_FCGI_CORS_H
#define ANVIL_FCGI_CORS_H

#include "fcgi/req.h"

/*
 * r->cors_headers, when the request comes from a page (Origin) and its bucket has a rule for it: what
 * every answer carries, errors too, as a page is shown no other answers. A rule that cannot be read is none.
 */
void cors_look_up(struct req *r);

#endif
