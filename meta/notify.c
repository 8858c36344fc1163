/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/notify.c - events beside the changes that they tell of, and their queues.
 *
 * Owns:       nothing; results live in the caller's arena.
 * Called by:  meta/moving.c for every change of what is in a bucket; fcgi/, admin/.
 * Blocks:     on the regional database.
 * Invariant:  an event is committed with its change or not at all. Only what the change's
 *             own rows say is told: a write that came to nothing tells nothing.
 */
#include "meta/notify.h"

#include "base/fault.h"
#include "base/parse.h"
#include "meta/object_internal.h"

#define TEXTS_AN_EVENT 6  /* of sql/regional/0024-notifications.sql */
#define TEXTS_A_REMOVAL 6 /* of object_remove_many */

void
meta_notify(struct meta_thread *t, const struct notify *n)
{
	t->notify = n;
	t->notified = 0;
}

bool
meta_notified(const struct meta_thread *t)
{
	return t->notified > 0;
}

/* ---- what a statement's parameters and rows say ---- */

enum form {
	NOTHING,
	PLACED,       /* a row of object_placed; parameter 1 is the key */
	REMOVED,      /* of object_removed */
	REMOVED_MANY, /* many of them behind their place among the items, parameter 1 */
	RENAMED       /* an outcome alone; parameters 1 and 2 are the keys */
};

static enum form
form_of(enum stmt st)
{
	if (st == STMT_OBJECT_PUT || st == STMT_UPLOAD_COMPLETE || st == STMT_OBJECT_TAG || st == STMT_OBJECT_SET_ACL)
		return PLACED;
	if (st == STMT_OBJECT_REMOVE)
		return REMOVED;
	if (st == STMT_OBJECT_REMOVE_MANY)
		return REMOVED_MANY;
	return st == STMT_OBJECT_RENAME ? RENAMED : NOTHING;
}

static struct span
key_at(const struct db_param *params, size_t i)
{
	return (struct span){ params[i].p, params[i].len };
}

/* May it come to be told? */
static bool
may_tell(const struct notify *n, enum form form, const struct db_param *params)
{
	struct notify_to to;

	switch (form) {
	case PLACED:
		return n->whom(n->arg, NOTIFY_WRITTEN, key_at(params, 1), &to);
	case REMOVED:
		return n->whom(n->arg, NOTIFY_REMOVED, key_at(params, 1), &to) ||
		    n->whom(n->arg, NOTIFY_MARKED, key_at(params, 1), &to);
	case RENAMED:
		return n->whom(n->arg, NOTIFY_REMOVED, key_at(params, 1), &to) ||
		    n->whom(n->arg, NOTIFY_WRITTEN, key_at(params, 2), &to);
	case REMOVED_MANY:
		return true;
	case NOTHING:
		break;
	}
	return false;
}

struct telling {
	struct meta_thread *t;
	struct arena *a;
	enum stmt st;
	const struct db_param *params;
	size_t n_params;
	struct db_rows **out;
	const char **items;
	size_t n;                /* events */
	const char *principal;
	struct db_param add[7];  /* of STMT_NOTIFICATIONS_ADD */
};

/* false: the arena is full. */
static bool
tell(struct telling *w, enum notify_change change, struct span key, int64_t ord, bool is_null)
{
	const struct notify *n = w->t->notify;
	const char **at = &w->items[w->n * TEXTS_AN_EVENT];
	bool versioned = ord != 0 || n->bucket->versioning[0] != '\0';
	struct notify_to to;

	if (!n->whom(n->arg, change, key, &to))
		return true;
	at[0] = arena_strndup(w->a, key.p, key.len);
	at[1] = change == NOTIFY_WRITTEN ? arena_printf(w->a, "%" PRId64, ord) : "";
	at[2] = versioned ? version_text(w->a, is_null, ord) : "";
	at[3] = to.event;
	at[4] = to.webhook;
	at[5] = to.config_id;
	w->principal = to.principal;
	w->n++;
	return at[0] != NULL && at[1] != NULL && at[2] != NULL && at[4] != NULL && at[5] != NULL;
}

static bool
tell_removed(struct telling *w, const struct db_rows *r, size_t row, int col, struct span key)
{
	if (db_i64(r, row, col) != OUTCOME_DONE)
		return true;
	return tell(w, db_bool(r, row, col + 1) ? NOTIFY_MARKED : NOTIFY_REMOVED, key, db_i64(r, row, col + 2),
	    db_bool(r, row, col + 3));
}

static bool
tell_rows(struct telling *w, const struct db_rows *r)
{
	enum form form = form_of(w->st);
	bool ok = true;

	if (form == REMOVED_MANY) {
		const char *const *items = w->params[1].p;

		for (size_t row = 0; ok && row < db_count(r); row++)
			ok = tell_removed(w, r, row, 1, span_of(items[TEXTS_A_REMOVAL * (size_t)db_i64(r, row, 0)]));
		return ok;
	}
	if (form == REMOVED)
		return tell_removed(w, r, 0, 0, key_at(w->params, 1));
	if (db_i64(r, 0, 0) != OUTCOME_DONE)
		return true;
	if (form == PLACED)
		return tell(w, NOTIFY_WRITTEN, key_at(w->params, 1), db_i64(r, 0, 2), db_bool(r, 0, 3));
	return tell(w, NOTIFY_REMOVED, key_at(w->params, 1), 0, true) && tell(w, NOTIFY_WRITTEN, key_at(w->params, 2), 0, true);
}

/* ---- one transaction ---- */

static void
add_params(struct telling *w, const struct notify *n)
{
	const struct bucket *b = n->bucket;

	w->items[w->n * TEXTS_AN_EVENT] = NULL;
	w->add[0] = P_UUID(&b->id);
	w->add[1] = P_TEXT(b->name);
	w->add[2] = P_TEXT(b->owner_id);
	w->add[3] = P_TEXT(w->principal);
	w->add[4] = P_TEXT(n->address);
	w->add[5] = P_TEXT(n->request_id);
	w->add[6] = P_TEXTS(w->items);
}

static int
change_and_tell(struct db *db, void *arg, struct err *err)
{
	struct telling *w = arg;
	size_t most = 2;

	if (db_run(db, w->a, w->st, w->params, w->n_params, w->out, err) != 0)
		return -1;
	if (db_count(*w->out) > most)
		most = db_count(*w->out);
	w->n = 0;
	w->principal = "";
	w->items = arena_array(w->a, most * TEXTS_AN_EVENT + 1, sizeof(*w->items));
	if (w->items == NULL || !tell_rows(w, *w->out))
		return FAIL(err, ERR_LIMIT, "the request's memory is used up");
	add_params(w, w->t->notify);
	return 0;
}

int
notify_write(struct meta_thread *t, struct arena *a, enum stmt st, const struct db_param *params, size_t n_params,
    struct db_rows **out, struct err *err)
{
	struct telling w = { .t = t, .a = a, .st = st, .params = params, .n_params = n_params, .out = out };
	struct db_last last = { .arena = a, .st = STMT_NOTIFICATIONS_ADD, .params = w.add, .n_params = ARRAY_LEN(w.add) };
	enum form form = form_of(st);

	if (t->notify == NULL || form == NOTHING || !may_tell(t->notify, form, params))
		return db_query(t->meta->regional, a, st, params, n_params, out, err);
	if (db_tx_last(t->meta->regional, change_and_tell, &w, &last, err) != 0)
		return -1;
	t->notified += w.n;
	return 0;
}

int
meta_notify_test(struct meta_thread *t, struct arena *a, const struct notify *n, const struct notify_to *to, struct err *err)
{
	const char *items[TEXTS_AN_EVENT + 1] = { "", "", "", to->event, to->webhook, to->config_id, NULL };
	struct telling w = { .t = t, .a = a, .items = items, .n = 1, .principal = to->principal };

	add_params(&w, n);
	if (db_query(t->meta->regional, a, STMT_NOTIFICATIONS_ADD, w.add, ARRAY_LEN(w.add), NULL, err) != 0)
		return -1;
	t->notified++;
	return 0;
}

/* ---- queues ---- */

int
meta_queue_take(struct meta_thread *t, struct arena *a, const struct uuid *holder, int64_t hold_ms, const char **webhook,
    int *failures, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_NOTIFICATIONS_TAKE, (const struct db_param[]){ P_UUID(holder), P_INT(hold_ms) }, 2, &r,
	        err) != 0)
		return -1;
	if (db_count(r) == 0)
		return 0;
	*webhook = db_text(r, 0, 0);
	*failures = (int)db_i64(r, 0, 1);
	return 1;
}

int
meta_queue_next(struct meta_thread *t, struct arena *a, const char *webhook, int max, struct notification **out, size_t *n,
    struct err *err)
{
	struct notification *list;
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_NOTIFICATIONS_NEXT, (const struct db_param[]){ P_TEXT(webhook), P_INT(max) }, 2, &r, err) != 0)
		return -1;
	*n = db_count(r);
	*out = list = arena_array(a, *n + 1, sizeof(*list));
	if (list == NULL)
		return FAIL(err, ERR_LIMIT, "events do not fit in memory");
	for (size_t i = 0; i < *n; i++)
		list[i] = (struct notification){
			.n = db_i64(r, i, 0),
			.at_us = db_i64(r, i, 1),
			.event = db_text(r, i, 2),
			.config_id = db_text(r, i, 3),
			.bucket = db_text(r, i, 4),
			.owner_id = db_text(r, i, 5),
			.principal = db_text(r, i, 6),
			.address = db_text(r, i, 7),
			.request_id = db_text(r, i, 8),
			.key = db_span(r, i, 9),
			.version = object_text(r, i, 10, NULL),
			.has_object = !db_is_null(r, i, 11),
			.size = db_is_null(r, i, 11) ? 0 : db_i64(r, i, 11),
			.etag = object_text(r, i, 12, ""),
		};
	return 0;
}

int
meta_queue_done(struct meta_thread *t, struct arena *a, const char *webhook, const struct uuid *holder, const struct notification *v,
    size_t n, size_t dropped, struct err *err)
{
	const char **numbers = arena_array(a, n + 1, sizeof(*numbers));

	for (size_t i = 0; numbers != NULL && i < n; i++)
		if ((numbers[i] = arena_printf(a, "%" PRId64, v[i].n)) == NULL)
			numbers = NULL;
	if (numbers == NULL)
		return FAIL(err, ERR_LIMIT, "events do not fit in memory");
	numbers[n] = NULL;
	fault_point(FAULT_POINT_notify_before_done);
	return db_query(t->meta->regional, a, STMT_NOTIFICATIONS_DONE,
	    (const struct db_param[]){ P_TEXT(webhook), P_TEXTS(numbers), P_UUID(holder), P_INT((int64_t)(n - dropped)),
	        P_INT((int64_t)dropped) }, 5, NULL, err);
}

int
meta_queue_failed(struct meta_thread *t, struct arena *a, const char *webhook, const struct uuid *holder, int64_t wait_ms,
    const char *why, struct err *err)
{
	return db_query(t->meta->regional, a, STMT_NOTIFICATIONS_FAILED,
	    (const struct db_param[]){ P_TEXT(webhook), P_UUID(holder), P_INT(wait_ms), P_TEXT(why) }, 4, NULL, err);
}

int
meta_queues_trim(struct meta_thread *t, struct arena *a, int64_t days, int64_t max, struct queue_dropped **out, size_t *n,
    struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_WEBHOOK_QUEUES_TRIM, (const struct db_param[]){ P_INT(days), P_INT(max) }, 2, &r, err) != 0)
		return -1;
	*n = db_count(r);
	*out = arena_array(a, *n + 1, sizeof(**out));
	if (*out == NULL)
		return FAIL(err, ERR_LIMIT, "the list does not fit in memory");
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = (struct queue_dropped){ db_text(r, i, 0), db_i64(r, i, 1) };
	return 0;
}

static int64_t
time_at(const struct db_rows *r, size_t row, int col)
{
	return db_is_null(r, row, col) ? 0 : db_i64(r, row, col);
}

int
meta_queues_status(struct meta_thread *t, struct arena *a, const char *const *webhooks, size_t n, int64_t most, struct queue_status *out,
    struct err *err)
{
	struct db_rows *r;

	for (size_t i = 0; i < n; i++)
		out[i] = (struct queue_status){ 0 };
	if (db_query(t->meta->regional, a, STMT_WEBHOOK_QUEUE_STATUS,
	        (const struct db_param[]){ P_TEXTS(webhooks), most == 0 ? P_NULL : P_INT(most) }, 2, &r, err) != 0)
		return -1;
	for (size_t i = 0; i < db_count(r); i++)
		out[db_i64(r, i, 0)] = (struct queue_status){ .known = true, .waiting = db_i64(r, i, 1), .oldest_us = time_at(r, i, 2),
			.failures = (int)db_i64(r, i, 3), .last_error = object_text(r, i, 4, NULL), .last_error_us = time_at(r, i, 5),
			.next_try_us = time_at(r, i, 6), .delivered_us = time_at(r, i, 7), .delivered = db_i64(r, i, 8),
			.dropped = db_i64(r, i, 9) };
	return 0;
}

int
meta_queues_waiting(struct meta_thread *t, struct arena *a, int64_t *waiting, int64_t *oldest_us, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_NOTIFICATIONS_WAITING, NULL, 0, &r, err) != 0)
		return -1;
	*waiting = db_i64(r, 0, 0);
	*oldest_us = time_at(r, 0, 1);
	return 0;
}
