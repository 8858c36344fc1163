/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/list_versions.c - ListObjectVersions.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c.
 * Blocks:     on one statement a page; on the client.
 * Invariant:  no page needs a buffer of its size (fcgi/pieces.h).
 */
#include "fcgi/ops/ops.h"

#include "fcgi/pieces.h"
#include "meta/version.h"
#include "s3/checksum.h"
#include "s3/list_versions.h"

static void
item_of(const struct req *r, const struct list_entry *e, struct version_item *v)
{
	struct checksum_stored stored;

	*v = (struct version_item){ .item = { .is_prefix = e->is_prefix, .key = e->obj.key } };
	if (e->is_prefix)
		return;
	v->version = e->obj.version;
	v->is_latest = e->obj.is_latest;
	v->is_marker = e->obj.is_marker;
	v->item.mtime_us = e->obj.mtime_us;
	v->item.owner_id = r->bucket->owner_id;
	v->item.owner_name = r->bucket->owner_name;
	v->item.size = e->obj.size;
	v->item.etag = e->obj.etag;
	v->item.storage_class = e->obj.storage_class;
	if (checksum_decode(e->obj.checksums, &stored) && stored.algo != CHECKSUM_NONE) {
		v->item.checksum_algorithm = checksum_table[stored.algo].name;
		v->item.checksum_type = checksum_type_name(stored.type);
	}
}

int
op_list_object_versions(struct req *r, const struct identity *who)
{
	struct list_versions_params lp;
	struct list_versions_end end = { 0 };
	struct version_query q;
	struct version_id buf;
	struct list_entry *entries;
	struct pieces p;
	size_t n;

	(void)who;
	if (list_versions_params_parse(r->arena, &r->uri.query, &lp, &r->problem) != 0)
		return req_refused(r, "the list's parameters are refused");
	q = (struct version_query){ .prefix = lp.list.prefix, .delimiter = lp.list.delimiter, .after = lp.key_marker,
		.max = lp.list.max_keys };
	if (q.after.p == NULL)
		q.after = SPAN("");
	if (lp.version_marker.len > 0 && ops_version_of(r, lp.version_marker, &buf, &q.after_version) != 0)
		return -1;
	if (meta_object_list_versions(r->thread->meta, r->arena, r->bucket, &q, &entries, &n, &end.truncated, &r->err) != 0)
		return -1;
	if (end.truncated) {
		end.key = entries[n - 1].obj.key;
		end.version = entries[n - 1].obj.version;
	}
	pieces_init(&p, r);
	list_versions_xml_begin(&p.sb, &lp, span_of(r->bucket_name), &end);
	for (size_t i = 0; i < n; i++) {
		struct version_item v;

		item_of(r, &entries[i], &v);
		list_versions_xml_item(&p.sb, &lp, &v);
		if (pieces_step(&p) != 0)
			return -1;
	}
	list_versions_xml_end(&p.sb);
	return pieces_end(&p);
}
