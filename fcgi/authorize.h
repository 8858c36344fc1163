/* SPDX-License-Identifier: Apache-2.0 */
/* fcgi/authorize.h - may the one who asks do it. */
#ifndef ANVIL_FCGI_AUTHORIZE_H
#define ANVIL_FCGI_AUTHORIZE_H

#include "fcgi/identity.h"

/* Is the bucket of his tenant? The service is everybody's own. */
bool is_owner(const struct req *r, const struct identity *who);
/* May `who` do this request's operation? 0, or -1 with AccessDenied. */
MUST_CHECK int authorize(struct req *r, const struct identity *who);
/* The same by the row's action alone, for a handler that had to read the body first (r->request_tags). */
MUST_CHECK int authorize_read(struct req *r, const struct identity *who);
/* May he do another action in the same bucket? For handlers whose row does not say all. */
bool allowed(const struct req *r, const struct identity *who, const char *action, struct span key);

#endif
