/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/multipart_list.c - ListParts, ListMultipartUploads.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c.
 * Blocks:     on two statements at most; on the client.
 * Invariant:  no page needs a buffer of its size (fcgi/pieces.h).
 */
#include "fcgi/ops/multipart.h"

#include "fcgi/ops/ops.h"
#include "fcgi/pieces.h"

#define NAMES_MAX 8

/* Names of accounts that a list has asked for: each once, few, and none when the first could not be had. */
struct names {
	struct multipart_owner v[NAMES_MAX];
	size_t n;
};

/* NULL: not known. A list without names is better than none. */
static const char *
name_of(struct req *r, const struct identity *who, struct names *names, const char *id)
{
	struct err err = { 0 };
	size_t i = 0;

	while (i < names->n && strcmp(names->v[i].id, id) != 0)
		i++;
	if (i == NAMES_MAX)
		return NULL;
	if (i == names->n)
		names->v[names->n++] = (struct multipart_owner){ id, ops_owner_name(r, who, id, &err) };
	if (err.code != 0 && err.code != ERR_NOT_FOUND) {
		for (; names->n < NAMES_MAX; names->n++)
			names->v[names->n] = names->v[i];
	}
	return names->v[i].name;
}

/* Whose the object will be (ops_acl): where ownership is enforced the bucket owner's, else his who began it. */
static void
owners(struct req *r, const struct identity *who, struct names *names, const struct upload *u, struct upload_item *it)
{
	it->initiator = (struct multipart_owner){ u->owner_id, name_of(r, who, names, u->owner_id) };
	it->owner = it->initiator;
}

static int
item_of(struct req *r, const struct identity *who, struct names *names, struct span key, const struct upload *u,
    struct upload_item *it)
{
	char id[UPLOAD_ID_TEXT_LEN + 1];

	upload_id_text(&u->id, id);
	*it = (struct upload_item){ .key = key, .id = arena_strndup(r->arena, id, UPLOAD_ID_TEXT_LEN),
		.storage_class = u->storage_class, .started_us = u->started_us };
	owners(r, who, names, u, it);
	if (it->id == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (!multipart_sum_decode(u->checksums, &it->sum))
		return FAIL(&r->err, ERR_INTERNAL, "an upload's stored checksum algorithm cannot be read");
	return 0;
}

int
op_list_parts(struct req *r, const struct identity *who)
{
	struct list_parts_params lp;
	struct upload_part *parts;
	struct upload_item u;
	struct names names = { .n = 0 };
	struct multipart m;
	struct pieces p;
	size_t n;
	bool more;

	if (multipart_id(r, &m) != 0)
		return -1;
	if (list_parts_params_parse(&r->uri.query, &lp, &r->problem) != 0)
		return req_refused(r, "the list's parameters are refused");
	if (multipart_find(r, &m) != 0 || item_of(r, who, &names, r->key, &m.upload, &u) != 0 ||
	    meta_upload_parts(r->thread->meta, r->arena, r->bucket, &m.id, lp.marker, lp.max, &parts, &n, &more, &r->err) != 0)
		return -1;
	pieces_init(&p, r);
	list_parts_xml_begin(&p.sb, &lp, span_of(r->bucket_name), &u, more, n > 0 ? parts[n - 1].number : 0);
	for (size_t i = 0; i < n; i++) {
		struct part_item it = { .number = parts[i].number, .size = parts[i].size, .mtime_us = parts[i].mtime_us,
			.etag = parts[i].etag };

		if (!checksum_decode(parts[i].checksums, &it.sum))
			it.sum.algo = CHECKSUM_NONE;
		list_parts_xml_item(&p.sb, &it);
		if (pieces_step(&p) != 0)
			return -1;
	}
	list_parts_xml_end(&p.sb, &u);
	return pieces_end(&p);
}

/* Behind which key and upload the page begins. */
static struct upload_query
query_of(const struct list_uploads_params *lp, struct uuid *id)
{
	struct upload_query q = { .prefix = lp->prefix, .delimiter = lp->delimiter, .after = lp->key_marker, .max = lp->max };

	if (q.after.p == NULL)
		q.after = SPAN("");
	/* What is no upload's id was never given out, and so is behind none. */
	if (lp->id_marker.len > 0 && upload_id_parse(lp->id_marker, id))
		q.after_id = id;
	return q;
}

int
op_list_multipart_uploads(struct req *r, const struct identity *who)
{
	struct list_uploads_params lp;
	struct list_uploads_end end = { 0 };
	struct upload_query q;
	struct upload_entry *entries;
	struct upload_item *items;
	struct names names = { .n = 0 };
	struct pieces p;
	struct uuid id;
	size_t n;

	if (list_uploads_params_parse(r->arena, &r->uri.query, &lp, &r->problem) != 0)
		return req_refused(r, "the list's parameters are refused");
	q = query_of(&lp, &id);
	if (meta_upload_list(r->thread->meta, r->arena, r->bucket, &q, &entries, &n, &end.truncated, &r->err) != 0)
		return -1;
	items = arena_array(r->arena, n + 1, sizeof(*items));
	if (items == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	for (size_t i = 0; i < n; i++) {
		items[i] = (struct upload_item){ .is_prefix = true, .key = entries[i].key };
		if (!entries[i].is_prefix && item_of(r, who, &names, entries[i].key, &entries[i].upload, &items[i]) != 0)
			return -1;
	}
	end.id = "";
	if (end.truncated || (n > 0 && !items[n - 1].is_prefix)) {
		end.key = items[n - 1].key;
		end.id = items[n - 1].id;
	}
	pieces_init(&p, r);
	list_uploads_xml_begin(&p.sb, &lp, span_of(r->bucket_name), &end);
	for (size_t i = 0; i < n; i++) {
		list_uploads_xml_item(&p.sb, &lp, &items[i]);
		if (pieces_step(&p) != 0)
			return -1;
	}
	list_uploads_xml_end(&p.sb);
	return pieces_end(&p);
}
