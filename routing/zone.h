/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing/zone.h - zone lines that send BUCKET.DOMAIN straight to the endpoint
 * of the bucket's home, so that virtual-host clients need neither relay nor
 * redirect. Master file format, RFC 1035 section 5, to be included in the zone
 * of DOMAIN. Pure.
 */
#ifndef ANVIL_ROUTING_ZONE_H
#define ANVIL_ROUTING_ZONE_H

#include "base/strbuf.h"

/* $ORIGIN, $TTL, and a line for every other name: the region that writes answers for buckets that are not (yet) known. */
void zone_begin(struct strbuf *sb, const char *domain, int ttl_s, const char *endpoint);
/* One bucket. endpoint: "https://host[:port]"; an address becomes A or AAAA, a name CNAME. */
void zone_line(struct strbuf *sb, const char *bucket, const char *endpoint);

#endif
