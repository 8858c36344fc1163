/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing/location.c - URLs at another region's endpoint.
 *
 * Owns:   nothing; strings are the arena's.
 * Blocks: no.
 * The raw path and query are passed on as they came: decoding and encoding them
 * again could change what a presigned URL was signed for.
 */
#include "routing/location.h"

#include "base/parse.h"

bool
location_of(struct arena *a, const struct location_in *in, struct location *out)
{
	const struct region *r = in->home;
	const char *host = address_authority(r->endpoint).p;
	int scheme_len = (int)(host - r->endpoint);
	const char *port = strrchr(host, ':');
	const char *path_prefix = "";

	if (port != NULL && strchr(port, ']') != NULL)
		port = NULL; /* the colon belongs to an IPv6 address */
	if (in->vhost && !in->custom_domain && r->domains[0] != NULL) {
		out->base = arena_printf(a, "%.*s%s.%s%s", scheme_len, r->endpoint,
		    in->bucket, r->domains[0], port == NULL ? "" : port);
	} else {
		out->base = r->endpoint;
		if (in->vhost)
			path_prefix = arena_printf(a, "/%s", in->bucket);
	}
	if (out->base == NULL || path_prefix == NULL)
		return false;
	out->path = arena_printf(a, "%s%.*s", path_prefix, (int)in->raw_path.len, in->raw_path.p);
	if (out->path == NULL)
		return false;
	out->url = arena_printf(a, "%s%s%s%.*s", out->base, out->path,
	    in->raw_query.len == 0 ? "" : "?", (int)in->raw_query.len,
	    in->raw_query.len == 0 ? "" : in->raw_query.p);
	out->endpoint = address_authority(out->base).p;
	return out->url != NULL;
}
