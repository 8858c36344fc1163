/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_upload.c - uploads in parts that are under way in this region, and what they hold.
 *
 * Owns:       nothing.
 * Called by:  admin/run.c through actions.def.
 * Blocks:     on the regional database, and on the global one for names.
 */
#include "admin/act.h"

#include "base/parse.h"
#include "meta/upload.h"

static const struct column upload_cols[] = {
	{ "started", "Begun", COL_TIME },
	{ "parts", "Parts", COL_INT },
	{ "bytes", "Bytes held", COL_SIZE },
	{ "bucket", "Bucket", COL_TEXT },
	{ "initiator", "By", COL_TEXT },
	{ "upload_id", "Upload id", COL_TEXT },
	{ "key", "Key", COL_TEXT },
};

/* Uploads of a page, and what their buckets and tenants are called. */
struct page {
	struct upload_held *v;
	size_t n;
	struct id_name *names;
	size_t n_names;
};

/* "MICROSECONDS.UPLOADID", as next_place() writes it. */
static int
read_place(const char *s, struct upload_held_query *q, struct err *err)
{
	const char *cur = s, *end = s + strlen(s);

	if (!parse_i64_prefix(&cur, end, 0, INT64_MAX, &q->after_us) || cur == end || *cur != '.' ||
	    !upload_id_parse(span_of(cur + 1), &q->after_id))
		return FAIL(err, ERR_INVALID, "after: \"%s\" is not where a page ended", s);
	return 0;
}

static const char *
id_text(const struct action_ctx *c, const struct uuid *id)
{
	char text[UPLOAD_ID_TEXT_LEN + 1];

	upload_id_text(id, text);
	return arena_strdup(c->arena, text);
}

static const char *
next_place(const struct action_ctx *c, const struct upload_held *last)
{
	return arena_printf(c->arena, "%" PRId64 ".%s", last->started_us, id_text(c, &last->id));
}

static int
find_names(struct action_ctx *c, struct page *p, struct err *err)
{
	struct uuid *buckets = arena_array(c->arena, p->n + 1, sizeof(*buckets));
	const char **owners = arena_array(c->arena, p->n + 1, sizeof(*owners));
	size_t n_owners = 0;

	if (buckets == NULL || owners == NULL)
		return FAIL(err, ERR_LIMIT, "the list does not fit in memory");
	for (size_t i = 0; i < p->n; i++) {
		buckets[i] = p->v[i].bucket_id;
		if (p->v[i].owner_id != NULL)
			owners[n_owners++] = p->v[i].owner_id;
	}
	owners[n_owners] = NULL;
	if (p->n == 0)
		return 0;
	return registry_names(c->thread, c->arena, buckets, p->n, owners, &p->names, &p->n_names, err);
}

static const struct id_name *
name_of(const struct page *p, const char *id)
{
	for (size_t i = 0; id != NULL && i < p->n_names; i++)
		if (strcmp(p->names[i].id, id) == 0)
			return &p->names[i];
	return NULL;
}

/* What has no name any more is shown by its id. */
static void
upload_row(struct action_ctx *c, struct table *t, const struct page *p, const struct upload_held *u)
{
	const char *bucket_id = act_uuid(c, &u->bucket_id);
	const struct id_name *bucket = name_of(p, bucket_id), *owner = name_of(p, u->owner_id);
	const char *by = owner != NULL ? owner->name : u->owner_id != NULL ? u->owner_id : bucket != NULL ? bucket->tenant : NULL;

	ROW(t, C_INT(u->started_us), C_INT(u->parts), C_INT(u->bytes), C_TEXT(bucket != NULL ? bucket->name : bucket_id), C_TEXT(by),
	    C_TEXT(id_text(c, &u->id)), C_TEXT(arena_strndup(c->arena, u->key.p, u->key.len)));
}

int
act_upload_list(struct action_ctx *c, struct err *err)
{
	int limit = list_limit(c);
	const char *name = arg_str(c, "bucket"), *after = arg_str(c, "after");
	struct upload_held_query q = { .older_s = arg_age(c, "older", 0), .max = limit + 1 };
	struct page p = { 0 };
	struct bucket b;
	struct table *t;
	size_t shown;

	if ((after != NULL && read_place(after, &q, err) != 0) || (name != NULL && act_bucket_here(c, name, &b, err) != 0))
		return -1;
	if (name != NULL)
		q.bucket_id = &b.id;
	if (meta_uploads_held(c->thread, c->arena, &q, &p.v, &p.n, err) != 0 || find_names(c, &p, err) != 0)
		return -1;
	shown = p.n > (size_t)limit ? (size_t)limit : p.n;
	t = RESULT_LIST(c->result, "uploads", upload_cols);
	for (size_t i = 0; i < shown; i++)
		upload_row(c, t, &p, &p.v[i]);
	if (p.n > shown)
		t->next = next_place(c, &p.v[shown - 1]);
	return 0;
}

int
act_upload_abort(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "bucket"), *key = arg_str(c, "key"), *text = arg_str(c, "upload-id");
	enum upload_did did = UPLOAD_NOT_THERE;
	struct bucket b;
	struct uuid id;

	c->audit_target = arena_printf(c->arena, "%s: %s", name, text);
	if (act_bucket_here(c, name, &b, err) != 0)
		return -1;
	if (upload_id_parse(span_of(text), &id) &&
	    meta_upload_abort(c->thread, c->arena, &b.id, span_of(key), &id, &did, err) != 0)
		return -1;
	if (did != UPLOAD_DONE)
		return FAIL(err, ERR_NOT_FOUND, "bucket \"%s\" has no such upload of that key: it never was, or is over", name);
	SAY(c, "the upload is over; maintain removes its files after dead_blob_grace_s");
	return 0;
}
