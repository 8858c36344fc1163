/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/custom_domain.c - a host that is none of ours and has a bucket's name, and hosts of websites.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c, between the headers and the target.
 * Blocks:     on memcached or the global database, for strange hosts only.
 */
#include "fcgi/custom_domain.h"

#include "meta/meta.h"

/* He reads, and signs nothing. */
static bool
is_visitor(const struct req *r)
{
	static const char signs[] = "X-Amz-Algorithm=";

	return (r->is_head || span_eq(r->method, SPAN("GET"))) && req_header(r, "authorization").p == NULL &&
	    memmem(r->target.p, r->target.len, signs, sizeof(signs) - 1) == NULL;
}

int
custom_domain(struct req *r)
{
	const char *const *domains = r->thread->settings->domains;
	struct meta_found found;
	struct span bucket;
	const char *name;

	if (r->hop_from != NULL)
		return 0;
	if (s3_host_is_website(r->arena, r->host, domains, r->thread->settings->website_domains)) {
		r->website = true;
		return 0;
	}
	if (domains == NULL || domains[0] == NULL ||
	    !s3_host_is_custom(r->arena, r->host, domains, &bucket))
		return 0;
	name = arena_strndup(r->arena, bucket.p, bucket.len);
	if (name == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (meta_find(r->thread->meta, r->arena, NULL, name, &found, &r->err) != 0)
		return -1;
	r->custom_domain = found.has_bucket == 1;
	r->website = r->custom_domain && bucket_has_config(&found.bucket, CONFIG_KIND_WEBSITE) && is_visitor(r);
	return 0;
}
