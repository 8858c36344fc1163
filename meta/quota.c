/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/quota.c - quotas of buckets: the global document, and the account in the bucket's home.
 *
 * Owns:       while it counts, a connection of its own to the regional database.
 * Called by:  admin/, fcgi/.
 * Blocks:     on both databases; counting as long as it takes to read a bucket's rows.
 * Invariant:  an account and the rows that it counts change in one transaction, by triggers. So what counting finds
 *             missing at one time is missing at every later one, until it is added, once.
 */
#include "meta/quota.h"

#include <jansson.h>

#include "base/fault.h"
#include "base/log.h"
#include "meta/internal.h"

#define COUNT_TIMEOUT_MS (6 * 3600 * 1000)
#define COUNT_TRIES 3 /* another may count at the same time */
#define PAGE 1000
#define SETTLE_ARENA ((size_t)4 << 20)

/* ---- the document ---- */

static const char *
limit_text(struct arena *a, int64_t n)
{
	return n == QUOTA_NO_LIMIT ? "null" : arena_printf(a, "%" PRId64, n);
}

static bool
read_limit(const json_t *doc, const char *name, int64_t *out)
{
	const json_t *v = json_object_get(doc, name);

	*out = json_is_integer(v) ? json_integer_value(v) : QUOTA_NO_LIMIT;
	return v == NULL || json_is_null(v) || (json_is_integer(v) && *out >= 0);
}

/* Who writes by psql may have written anything. */
static int
quota_read(const char *text, struct quota *out, struct err *err)
{
	json_t *doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	bool good = json_is_object(doc) && read_limit(doc, "bytes", &out->bytes) && read_limit(doc, "objects", &out->objects);

	json_decref(doc);
	return good ? 0 : FAIL(err, ERR_INVALID, "a bucket's quota cannot be read: %s", text);
}

int
meta_quota_set(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, const struct quota *q,
    enum config_done *out, struct err *err)
{
	const char *bytes, *objects, *doc = NULL;

	if (q != NULL) {
		bytes = limit_text(a, q->bytes);
		objects = limit_text(a, q->objects);
		doc = bytes == NULL || objects == NULL ? NULL : arena_printf(a, "{\"bytes\": %s, \"objects\": %s}", bytes, objects);
		if (doc == NULL)
			return FAIL(err, ERR_LIMIT, "the arena is full");
	}
	return meta_bucket_set_config(t, a, bucket_id, config_kind_name(CONFIG_KIND_QUOTA), doc, out, err);
}

/* ---- what the primary says ---- */

struct said {
	bool home;          /* there is such a bucket, and it is at home here */
	bool there;         /* there is such a bucket */
	bool has_quota;
	struct quota quota;
	int64_t said_us;     /* by the primary's clock */
};

static int
ask(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, struct said *out, struct err *err)
{
	struct db_rows *r;

	*out = (struct said){ .quota = { QUOTA_NO_LIMIT, QUOTA_NO_LIMIT } };
	if (db_query(t->meta->global, a, STMT_QUOTA_FIND, (const struct db_param[]){ P_UUID(bucket_id) }, 1, &r, err) != 0)
		return -1;
	if (db_count(r) == 0)
		return 0;
	out->there = true;
	out->home = strcmp(db_text(r, 0, 0), t->meta->settings->region) == 0;
	out->has_quota = !db_is_null(r, 0, 1);
	if (!out->has_quota)
		return 0;
	out->said_us = db_i64(r, 0, 2);
	return quota_read(db_text(r, 0, 1), &out->quota, err);
}

int
meta_quota_find(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, struct quota *out, struct err *err)
{
	struct said said;

	if (ask(t, a, bucket_id, &said, err) != 0)
		return -1;
	*out = said.quota;
	return said.there ? said.has_quota : FAIL(err, ERR_NOT_FOUND, "there is no such bucket");
}

/* ---- the account ---- */

int
meta_usage(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, struct usage *out, struct err *err)
{
	struct db_rows *r;

	*out = (struct usage){ .limits = { QUOTA_NO_LIMIT, QUOTA_NO_LIMIT } };
	if (db_query(t->meta->regional, a, STMT_USAGE_FIND, (const struct db_param[]){ P_UUID(bucket_id) }, 1, &r, err) != 0)
		return -1;
	if (db_count(r) == 0)
		return 0;
	*out = (struct usage){ true, !db_is_null(r, 0, 2), { quota_limit_at(r, 0, 0), quota_limit_at(r, 0, 1) }, db_i64(r, 0, 3), db_i64(r, 0, 4) };
	return 0;
}

/* One count by the pool that is given. *again: another corrected the account meanwhile. */
static int
count_once(struct meta_thread *t, struct db_pool *pool, struct arena *a, const struct uuid *bucket_id, bool correct,
    int64_t *bytes, int64_t *objects, bool *again, struct err *err)
{
	struct db_rows *r;

	*again = false;
	if (db_query(pool, a, STMT_USAGE_MISSING, (const struct db_param[]){ P_UUID(bucket_id) }, 1, &r, err) != 0)
		return -1;
	*bytes = db_i64(r, 0, 0);
	*objects = db_i64(r, 0, 1);
	if (!correct || db_is_null(r, 0, 2))
		return 0;
	fault_point(FAULT_POINT_quota_before_correct);
	if (db_query(t->meta->regional, a, STMT_USAGE_CORRECT,
	        (const struct db_param[]){ P_UUID(bucket_id), P_INT(*bytes), P_INT(*objects), P_INT(db_i64(r, 0, 2)) }, 4, &r, err) != 0)
		return -1;
	*again = !db_bool(r, 0, 0);
	return 0;
}

int
meta_usage_count(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, bool correct, int64_t *bytes,
    int64_t *objects, struct err *err)
{
	const struct settings *s = t->meta->settings;
	struct db_pool *pool = db_pool_new('r', s->regional_dsn, 1, COUNT_TIMEOUT_MS, (int)s->db_connect_timeout_s);
	bool again = true;
	int rc = 0;

	for (int i = 0; rc == 0 && again && i < COUNT_TRIES; i++)
		rc = count_once(t, pool, a, bucket_id, correct, bytes, objects, &again, err);
	db_pool_free(pool);
	return rc == 0 && again ? FAIL(err, ERR_CONFLICT, "the bucket is counted by others all the time") : rc;
}

static int
drop(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, enum quota_settled *out, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_QUOTA_DROP, (const struct db_param[]){ P_UUID(bucket_id) }, 1, &r, err) != 0)
		return -1;
	*out = db_bool(r, 0, 0) ? QUOTA_GONE : QUOTA_AS_BEFORE;
	return 0;
}

static int
count_new(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, bool wait, enum quota_settled *out, struct err *err)
{
	int64_t bytes, objects;
	bool again;
	int rc;

	fault_point(FAULT_POINT_quota_before_count);
	if (wait) {
		rc = meta_usage_count(t, a, bucket_id, true, &bytes, &objects, err);
	} else {
		rc = count_once(t, t->meta->regional, a, bucket_id, true, &bytes, &objects, &again, err);
		if (rc != 0 && err->code == ERR_TIMEOUT)
			return 0; /* too many for now */
	}
	*out = rc == 0 ? QUOTA_IN_FORCE : QUOTA_UNCOUNTED;
	return rc;
}

int
meta_quota_settle(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, bool count, enum quota_settled *out,
    struct err *err)
{
	static const enum quota_settled results[] = { QUOTA_AS_BEFORE, QUOTA_IN_FORCE, QUOTA_UNCOUNTED }; /* of bucket_quota_set */
	struct said said;
	struct db_rows *r;

	fault_point(FAULT_POINT_quota_before_settle);
	if (ask(t, a, bucket_id, &said, err) != 0)
		return -1;
	if (!said.home || !said.has_quota)
		return drop(t, a, bucket_id, out, err);
	if (db_query(t->meta->regional, a, STMT_QUOTA_SET,
	        (const struct db_param[]){ P_UUID(bucket_id), quota_limit_param(said.quota.bytes), quota_limit_param(said.quota.objects),
	            P_INT(said.said_us) }, 4, &r, err) != 0)
		return -1;
	*out = results[db_i64(r, 0, 0)];
	return *out == QUOTA_UNCOUNTED ? count_new(t, a, bucket_id, count, out, err) : 0;
}

/* ---- all of a region's ---- */

int
meta_quota_accounts(struct meta_thread *t, struct arena *a, const struct uuid *after, int max, struct uuid **out, size_t *n,
    struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_QUOTA_ACCOUNTS, (const struct db_param[]){ P_UUID(after), P_INT(max) }, 2, &r, err) != 0)
		return -1;
	return uuids_from_rows(r, a, out, n, err);
}

static int
quotas_here(struct meta_thread *t, struct arena *a, const struct uuid *after, int max, struct uuid **out, size_t *n, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->global, a, STMT_QUOTA_PAGE,
	        (const struct db_param[]){ P_TEXT(t->meta->settings->region), P_UUID(after), P_INT(max) }, 3, &r, err) != 0)
		return -1;
	return uuids_from_rows(r, a, out, n, err);
}

typedef int (*page_fn)(struct meta_thread *t, struct arena *a, const struct uuid *after, int max, struct uuid **out, size_t *n,
    struct err *err);

/* Also makes one row of what each account has of freed ones. A document that cannot be read is no reason to stop. */
static int
settle_page(struct meta_thread *t, struct arena *a, const struct uuid *ids, size_t n, int64_t *changed, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct arena_mark mark = arena_mark(a);
		enum quota_settled did = QUOTA_AS_BEFORE;

		if (meta_quota_settle(t, a, &ids[i], true, &did, err) != 0) {
			if (err->code != ERR_INVALID)
				return -1;
			log_event(NULL, EV_MAINTAIN, LS("left", "quota"), LS("reason", err->detail));
			err_clear(err);
		}
		if (db_query(t->meta->regional, a, STMT_USAGE_FOLD, (const struct db_param[]){ P_UUID(&ids[i]) }, 1, NULL, err) != 0)
			return -1;
		*changed += did != QUOTA_AS_BEFORE;
		arena_rewind(a, mark);
	}
	return 0;
}

static int
settle_all(struct meta_thread *t, page_fn fn, int64_t *changed, struct err *err)
{
	struct arena *a = arena_new(SETTLE_ARENA);
	struct uuid after = { { 0 } }, *ids;
	size_t n = PAGE;
	int rc = 0;

	while (rc == 0 && n == PAGE) {
		arena_reset(a);
		rc = fn(t, a, &after, PAGE, &ids, &n, err);
		if (rc == 0)
			rc = settle_page(t, a, ids, n, changed, err);
		if (rc == 0 && n > 0)
			after = ids[n - 1];
	}
	arena_free(a);
	return rc;
}

int
meta_quotas_settle(struct meta_thread *t, int64_t *changed, struct err *err)
{
	*changed = 0;
	/* Those that should have an account, and then those that have one: some of them should not any more. */
	if (settle_all(t, quotas_here, changed, err) != 0 || settle_all(t, meta_quota_accounts, changed, err) != 0)
		return -1;
	return db_query(t->meta->regional, NULL, STMT_QUOTA_RESTS, NULL, 0, NULL, err);
}

/* ---- for requests and metrics ---- */

int
meta_usage_fits(struct meta_thread *t, struct arena *a, const struct usage_add *add, bool *fits, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_USAGE_FITS,
	        (const struct db_param[]){ P_UUID(add->bucket_id), P_SPAN(add->key),
	            add->upload_id == NULL ? P_NULL : P_UUID(add->upload_id), P_INT(add->part), P_INT(add->size) }, 5, &r, err) != 0)
		return -1;
	*fits = db_bool(r, 0, 0);
	return 0;
}

int
meta_quotas_sum(struct meta_thread *t, struct arena *a, struct quotas_sum *out, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_QUOTAS_SUM, NULL, 0, &r, err) != 0)
		return -1;
	*out = (struct quotas_sum){ db_i64(r, 0, 0), db_i64(r, 0, 1), db_i64(r, 0, 2), db_i64(r, 0, 3) };
	return 0;
}
