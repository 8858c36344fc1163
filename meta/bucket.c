/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/bucket.c - buckets: made from any region, ended in their own.
 *
 * Owns:       nothing; rows live in the caller's arena.
 * Called by:  fcgi/ops, admin/.
 * Blocks:     on the global database, and as meta_change() does.
 * Invariant:  a bucket's end is three steps, each of which can be repeated: the
 *             fence is closed, the global row goes, the fence is marked as done.
 *             What a crash leaves between is a bucket that takes no writes, and
 *             `anvil-admin maintain` ends it. While the primary is away none is begun.
 */
#include "meta/fence.h"
#include "meta/internal.h"

#include "base/fault.h"
#include "base/log.h"

#define CREATE_TRIES 3

static const char *const config_kinds[] = {
#define CONFIG_KIND(id, kind, doc) kind,
#include "meta/config_kinds.def"
#undef CONFIG_KIND
};

const char *
config_kind_name(enum config_kind kind)
{
	ASSERT((unsigned)kind < CONFIG_KIND_COUNT);
	return config_kinds[kind];
}

/* "policy,cors" to bits; kinds of a newer release are left out. */
static uint32_t
kinds_to_bits(struct span list)
{
	const char *p = list.p, *end = list.p + list.len;
	uint32_t bits = 0;

	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		struct span word = { p, (size_t)((comma == NULL ? end : comma) - p) };

		for (size_t i = 0; i < ARRAY_LEN(config_kinds); i++)
			if (span_eq(word, span_of(config_kinds[i])))
				bits |= UINT32_C(1) << i;
		p = word.p + word.len + 1;
	}
	return bits;
}

static bool
config_kind_known(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(config_kinds); i++)
		if (strcmp(kind, config_kinds[i]) == 0)
			return true;
	return false;
}

/* The columns of the view bucket_rows. */
void
bucket_from_row(const struct db_rows *r, size_t row, int col, struct bucket *out)
{
	memcpy(out->id.b, db_span(r, row, col).p, UUID_LEN);
	out->name = db_text(r, row, col + 1);
	out->region = db_text(r, row, col + 2);
	memcpy(out->tenant_id.b, db_span(r, row, col + 3).p, UUID_LEN);
	out->owner_id = db_text(r, row, col + 4);
	out->owner_name = db_text(r, row, col + 5);
	out->status = db_text(r, row, col + 6);
	out->routing_mode = db_text(r, row, col + 7);
	out->versioning = db_text(r, row, col + 8);
	out->policy = db_text(r, row, col + 9);
	out->config_kinds = kinds_to_bits(db_span(r, row, col + 10));
	out->created_us = db_i64(r, row, col + 11);
	out->object_lock = db_text(r, row, col + 12);
}

int
bucket_list_from_rows(const struct db_rows *r, struct arena *a, struct bucket **out, size_t *n, struct err *err)
{
	struct bucket *list = arena_array(a, db_count(r) + 1, sizeof(*list));

	if (list == NULL)
		return FAIL(err, ERR_LIMIT, "the request's memory is used up");
	for (size_t i = 0; i < db_count(r); i++)
		bucket_from_row(r, i, 0, &list[i]);
	*out = list;
	*n = db_count(r);
	return 0;
}

/*
 * Each attempt has an id of its own: one that was perhaps committed may have been
 * deleted since, and its fence is closed for ever. What has one of them is ours.
 */
#define CREATE_IDS 16
struct create {
	struct uuid id[CREATE_IDS];
	size_t n_ids;
	const char *name, *region;
	const struct uuid *tenant_id;
	const struct bucket_start *start;
	struct arena *arena;
	enum bucket_made made;
};

static bool
is_own(const struct create *c, struct span id)
{
	for (size_t i = 0; i < c->n_ids && i < CREATE_IDS; i++)
		if (memcmp(c->id[i].b, id.p, UUID_LEN) == 0)
			return true;
	return false;
}

static int
create_tx(struct db *db, void *arg, struct err *err)
{
	struct create *c = arg;
	struct uuid *id = &c->id[c->n_ids++ % CREATE_IDS];
	struct db_rows *r;
	bool room;

	uuid_random(id);
	if (db_run(db, c->arena, STMT_TENANT_LOCK, (const struct db_param[]){ P_UUID(c->tenant_id) }, 1, &r, err) != 0)
		return -1;
	for (int try = 1; try <= CREATE_TRIES; try++) {
		if (db_run(db, c->arena, STMT_BUCKET_CREATE,
		        (const struct db_param[]){ P_UUID(id), P_TEXT(c->name), P_TEXT(c->region), P_UUID(c->tenant_id),
	                P_BOOL(c->start->lock), P_TEXTS(c->start->kinds), P_TEXTS(c->start->documents) }, 7,
		        &r, err) != 0)
			return -1;
		if (!db_bool(r, 0, 0)) {
			c->made = BUCKET_NO_REGION;
			return 1;
		}
		if (db_bool(r, 0, 1)) {
			fault_point(FAULT_POINT_create_before_commit);
			c->made = BUCKET_MADE;
			return 0;
		}
		room = db_bool(r, 0, 2);
		if (db_run(db, c->arena, STMT_BUCKET_OWNER, (const struct db_param[]){ P_TEXT(c->name) }, 1, &r, err) != 0)
			return -1;
		if (db_count(r) > 0) {
			if (is_own(c, db_span(r, 0, 1)))
				c->made = BUCKET_MADE;
			else
				c->made = memcmp(db_span(r, 0, 0).p, c->tenant_id->b, UUID_LEN) == 0 ? BUCKET_YOURS : BUCKET_TAKEN;
			return 1;
		}
		if (!room) {
			c->made = BUCKET_TOO_MANY;
			return 1;
		}
		/* Whoever had the name has let it go in between. */
	}
	return FAIL(err, ERR_CONFLICT, "the bucket \"%s\" is made and deleted all the time", c->name);
}

int
meta_bucket_create_with(struct meta_thread *t, struct arena *a, const char *name, const char *region,
    const struct uuid *tenant_id, const struct bucket_start *start, enum bucket_made *out, struct err *err)
{
	struct create c = { .name = name, .region = region, .tenant_id = tenant_id, .start = start, .arena = a };
	bool again;
	int rc;

	rc = meta_change_sure(t, create_tx, &c, &again, err);
	if (rc < 0)
		return -1;
	*out = c.made;
	/*
	 * It may be the same client again, whose first answer was lost: "it is there"
	 * promises as much as "it was made", so the first one's number is waited for.
	 */
	return rc > 0 && (c.made == BUCKET_YOURS || c.made == BUCKET_MADE) ? registry_wait(t, err) : 0;
}

int
meta_bucket_create(struct meta_thread *t, struct arena *a, const char *name, const char *region,
    const struct uuid *tenant_id, enum bucket_made *out, struct err *err)
{
	static const char *const none[] = { NULL };
	const struct bucket_start start = { false, none, none };

	return meta_bucket_create_with(t, a, name, region, tenant_id, &start, out, err);
}

static int
delete_tx(struct db *db, void *arg, struct err *err)
{
	struct db_param id = P_UUID((const struct uuid *)arg);
	struct arena *a = arena_new(4096);
	struct db_rows *r;
	int rc = db_run(db, a, STMT_BUCKET_DELETE, &id, 1, &r, err);

	if (rc == 0 && db_count(r) == 0)
		rc = 1;
	arena_free(a);
	return rc;
}

int
meta_bucket_delete(struct meta_thread *t, struct arena *a, const struct bucket *b, enum bucket_gone *out, struct err *err)
{
	struct db_param id = P_UUID(&b->id);
	struct uuid gone = b->id;
	struct err none = { 0 };
	bool closed = false, again;
	int rc;

	if (strcmp(b->region, t->meta->settings->region) != 0)
		return FAIL(err, ERR_INVALID, "the bucket \"%s\" is another region's: region=%s", b->name, b->region);
	/* Nothing opens a closed fence again: it is not closed while the primary cannot be told. */
	if (db_query(t->meta->global, a, STMT_BUCKET_FIND_ID, &id, 1, NULL, err) != 0)
		return -1;
	fault_point(FAULT_POINT_delete_before_close);
	if (meta_fence_close(t, a, &b->id, &closed, err) != 0)
		return -1;
	if (!closed) {
		*out = BUCKET_NOT_EMPTY;
		return 0;
	}
	fault_point(FAULT_POINT_delete_after_close);
	rc = meta_change_sure(t, delete_tx, &gone, &again, err);
	if (rc < 0)
		return -1;
	*out = rc == 0 || again ? BUCKET_GONE : BUCKET_NOT_THERE;
	/* It is gone; that the fence remembers so is for maintain only, which comes back to what failed here. */
	fault_point(FAULT_POINT_delete_before_end);
	if (meta_fence_end(t, a, &b->id, &none) != 0)
		log_event(NULL, EV_MAINTAIN, LS("left", "fence"), LS("bucket", b->name), LS("reason", none.detail));
	/* As in meta_bucket_create: whoever repeats a delete whose answer was lost is promised as much. */
	return rc > 0 ? registry_wait(t, err) : 0;
}

struct set_config {
	const struct uuid *id;
	const char *kind, *document;
	struct arena *arena;
	enum config_done done;
};

static int
set_config_tx(struct db *db, void *arg, struct err *err)
{
	struct set_config *c = arg;
	bool set = c->document != NULL;
	struct db_rows *r;

	if (db_run(db, c->arena, set ? STMT_BUCKET_CONFIG_SET : STMT_BUCKET_CONFIG_DELETE,
	        (const struct db_param[]){ P_UUID(c->id), P_TEXT(c->kind), P_TEXT(c->document) }, set ? 3 : 2, &r, err) != 0)
		return -1;
	c->done = !db_bool(r, 0, 0) ? CONFIG_NO_BUCKET : db_bool(r, 0, 1) ? CONFIG_DONE : CONFIG_NONE;
	return c->done == CONFIG_DONE ? 0 : 1;
}

int
meta_bucket_set_config(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, const char *kind,
    const char *document, enum config_done *out, struct err *err)
{
	struct set_config c = { .id = bucket_id, .kind = kind, .document = document, .arena = a };
	bool again;
	int rc;

	if (!config_kind_known(kind))
		return FAIL(err, ERR_INVALID, "a bucket has no document of the kind \"%s\"", kind);
	rc = meta_change_sure(t, set_config_tx, &c, &again, err);
	if (rc < 0)
		return -1;
	*out = c.done == CONFIG_NONE && again ? CONFIG_DONE : c.done;
	/* As in meta_bucket_create: whoever removed it before may not have waited yet. */
	return c.done == CONFIG_NONE ? registry_wait(t, err) : 0;
}

int
meta_bucket_list(struct meta_thread *t, struct arena *a, const struct uuid *tenant_id, const char *prefix,
    const char *after, const char *region, int max, struct bucket **out, size_t *n, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->global, a, STMT_BUCKET_LIST_OWN,
	        (const struct db_param[]){ P_UUID(tenant_id), P_TEXT(prefix == NULL ? "" : prefix),
	            P_TEXT(after == NULL ? "" : after), P_TEXT(region), P_INT(max) }, 5, &r, err) != 0)
		return -1;
	return bucket_list_from_rows(r, a, out, n, err);
}
