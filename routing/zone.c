/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing/zone.c - lines of a DNS zone.
 *
 * Owns:   nothing.
 * Blocks: no.
 * Names need no quoting: those of buckets are letters, digits, '-' and '.', and
 * endpoints and domains were checked when they were set.
 */
#include "routing/zone.h"

#include <arpa/inet.h>

#include "base/parse.h"

void
zone_line(struct strbuf *sb, const char *bucket, const char *endpoint)
{
	struct span host = address_host(endpoint);
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;
	bool v4, v6;

	snprintf(text, sizeof(text), "%.*s", (int)host.len, host.p);
	v4 = host.len < sizeof(text) && inet_pton(AF_INET, text, &addr) == 1;
	v6 = host.len < sizeof(text) && inet_pton(AF_INET6, text, &addr) == 1;
	strbuf_printf(sb, "%s\tIN\t%s\t%.*s%s\n", bucket, v4 ? "A" : v6 ? "AAAA" : "CNAME",
	    (int)host.len, host.p, v4 || v6 ? "" : ".");
}

void
zone_begin(struct strbuf *sb, const char *domain, int ttl_s, const char *endpoint)
{
	strbuf_printf(sb, "; written by anvil-admin dns zone\n$ORIGIN %s.\n$TTL %d\n", domain, ttl_s);
	zone_line(sb, "*", endpoint);
}
