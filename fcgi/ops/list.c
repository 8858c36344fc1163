/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/list.c - ListBuckets, ListObjects, ListObjectsV2.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c.
 * Blocks:     on one statement a page; on the client.
 * Invariant:  no page needs a buffer of its size (fcgi/pieces.h).
 */
#include "fcgi/ops/ops.h"

#include "fcgi/pieces.h"
#include "meta/object.h"
#include "s3/checksum.h"
#include "s3/listing.h"

#define BUCKETS_A_QUERY 1000

static void
item_of(const struct req *r, const struct list_params *lp, const struct list_entry *e, struct list_item *it)
{
	struct checksum_stored stored;

	*it = (struct list_item){ .is_prefix = e->is_prefix, .key = e->obj.key };
	if (e->is_prefix)
		return;
	it->size = e->obj.size;
	it->mtime_us = e->obj.mtime_us;
	it->etag = e->obj.etag;
	it->storage_class = e->obj.storage_class;
	if (checksum_decode(e->obj.checksums, &stored) && stored.algo != CHECKSUM_NONE) {
		it->checksum_algorithm = checksum_table[stored.algo].name;
		it->checksum_type = checksum_type_name(stored.type);
	}
	if (lp->fetch_owner) {
		it->owner_id = r->bucket->owner_id;
		it->owner_name = r->bucket->owner_name;
	}
}

static int
list(struct req *r, bool v2)
{
	struct list_params lp;
	struct list_query q;
	struct list_entry *entries;
	struct list_end end = { 0 };
	struct pieces p;
	size_t n;

	if (list_params_parse(r->arena, &r->uri.query, v2, &lp, &r->problem) != 0)
		return req_refused(r, "the list's parameters are refused");
	q = (struct list_query){ .prefix = lp.prefix, .delimiter = lp.delimiter, .after = lp.after, .max = lp.max_keys };
	if (meta_object_list(r->thread->meta, r->arena, r->bucket, &q, &entries, &n, &end.truncated, &end.next, &r->err) != 0)
		return -1;
	end.count = (int)n;
	pieces_init(&p, r);
	list_xml_begin(&p.sb, &lp, span_of(r->bucket_name), &end);
	for (size_t i = 0; i < n; i++) {
		struct list_item it;

		item_of(r, &lp, &entries[i], &it);
		list_xml_item(&p.sb, &lp, &it);
		if (pieces_step(&p) != 0)
			return -1;
	}
	list_xml_end(&p.sb);
	return pieces_end(&p);
}

int
op_list_objects(struct req *r, const struct identity *who)
{
	(void)who;
	return list(r, false);
}

int
op_list_objects_v2(struct req *r, const struct identity *who)
{
	(void)who;
	return list(r, true);
}

/* NUL-terminated copy; "" for none. NULL past the arena's cap. */
static const char *
text_of(struct req *r, struct span s)
{
	return s.p == NULL ? "" : arena_strndup(r->arena, s.p, s.len);
}

int
op_list_buckets(struct req *r, const struct identity *who)
{
	struct list_buckets_params lp;
	const char *prefix, *after, *region;
	struct pieces p;
	bool more = true;
	int left;

	if (who->app == NULL)
		return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
	if (list_buckets_params_parse(r->arena, &r->uri.query, &lp, &r->problem) != 0)
		return req_refused(r, "the list's parameters are refused");
	prefix = text_of(r, lp.prefix);
	after = text_of(r, lp.after);
	region = lp.region.p == NULL || lp.region.len == 0 ? NULL : text_of(r, lp.region);
	if (prefix == NULL || after == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	pieces_init(&p, r);
	list_buckets_xml_begin(&p.sb, who->app->owner_id, who->app->tenant_name);
	left = lp.max_buckets > 0 ? lp.max_buckets : INT_MAX;
	while (more && left > 0) {
		/* one more than is wanted tells whether there are more */
		int want = left < BUCKETS_A_QUERY ? left : BUCKETS_A_QUERY;
		struct bucket *b;
		size_t n;

		if (meta_bucket_list(r->thread->meta, r->arena, &who->app->tenant_id, prefix, after, region, want + 1, &b, &n,
			&r->err) != 0)
			return -1;
		more = n > (size_t)want;
		for (size_t i = 0; i < n && i < (size_t)want; i++, left--) {
			list_buckets_xml_item(&p.sb, b[i].name, b[i].created_us, b[i].region);
			after = b[i].name;
			if (pieces_step(&p) != 0)
				return -1;
		}
	}
	list_buckets_xml_end(&p.sb, &lp, more ? span_of(after) : (struct span){ NULL, 0 });
	return pieces_end(&p);
}
