/* SPDX-License-Identifier: Apache-2.0 */
/* fcgi/custom_domain.h - buckets under hosts of their own names. */
#ifndef ANVIL_FCGI_CUSTOM_DOMAIN_H
#define ANVIL_FCGI_CUSTOM_DOMAIN_H

#include "fcgi/req.h"

/*
 * Customers point a name of theirs at an endpoint (a CNAME) and call a bucket by
 * it. Sets r->custom_domain when the host is such a bucket. Asked only where the
 * operator told which names are the region's own: else every host would be
 * strange. The region that relays a request has looked already. Sets r->website
 * for a host under website_domains, and for who visits a custom domain whose bucket
 * has a website.
 */
MUST_CHECK int custom_domain(struct req *r);

#endif
