/* SPDX-License-Identifier: Apache-2.0 */
/* fcgi/route.h - carrying out what routing/ decides. */
#ifndef ANVIL_FCGI_ROUTE_H
#define ANVIL_FCGI_ROUTE_H

#include "fcgi/identity.h"

/* 1: this region serves it. 0: answered (relayed, redirected). -1: r->err says why not. */
MUST_CHECK int route(struct req *r, const struct identity *who);

#endif
