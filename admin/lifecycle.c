/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/lifecycle.c - lifecycle rules, carried out.
 *
 * Owns:       an arena for the list of buckets, one for a bucket's rules, one a page.
 * Called by:  anvil-admin maintain.
 * Blocks:     on both databases, page by page; holds no lock between pages.
 * Invariant:  a current version is ended only if it is still the one that was looked
 *             at (its ETag, size and time), and no version that object lock keeps:
 *             the statement that deletes decides both.
 * Source:     S3 User Guide, "Lifecycle configuration elements", "Expiring objects".
 */
#include "admin/lifecycle.h"

#include "base/clock.h"
#include "meta/notify.h"
#include "meta/registry.h"
#include "meta/upload.h"
#include "meta/version.h"
#include "s3/lifecycle.h"
#include "s3/notification.h"

#define PAGE 1000
#define RULES_ARENA ((size_t)16 * 1024 * 1024)
#define PAGE_ARENA ((size_t)64 * 1024 * 1024)
#define KEY_ROOM 1025

/* A key that outlives the page it came with. */
struct kept {
	char key[KEY_ROOM];
	size_t len;
};

struct walk {
	struct maintain *m;
	const struct bucket *b;
	struct lifecycle lc;
	int64_t now_us, day_us;
	struct arena *page;          /* goes with each page */
	struct err *err;
	/* where it is */
	bool began;
	struct kept at;              /* the key of the last version that was looked at */
	int64_t newer_mtime_us;      /* that version's: since then the next one is noncurrent */
	int64_t n_noncurrent;        /* of that key, so far */
	struct version_id last;
	/* a current delete marker, until it is known whether a version lies below it */
	bool marker_pending;
	struct version_id marker;
	int64_t marker_mtime_us;
	/* what the page ends */
	struct object_removal *out;
	size_t n_out;
};

static void
keep(struct kept *k, struct span key)
{
	ASSERT(key.len < KEY_ROOM);
	memcpy(k->key, key.p, key.len);
	k->key[key.len] = '\0';
	k->len = key.len;
}

static struct span
kept_span(const struct kept *k)
{
	return (struct span){ k->key, k->len };
}

/* The longest beginning that all rules have in common: nothing else need be read. */
static struct span
common_prefix(const struct lifecycle *lc)
{
	struct span common = { NULL, 0 };

	for (size_t i = 0; i < lc->n; i++) {
		struct span p = lc->v[i].prefix;
		size_t n = 0;

		if (!lc->v[i].enabled)
			continue;
		if (common.p == NULL) {
			common = p.p == NULL ? SPAN("") : p;
			continue;
		}
		while (n < common.len && n < p.len && common.p[n] == p.p[n])
			n++;
		common.len = n;
	}
	/* Not within a character. */
	while (common.len > 0 && ((unsigned char)common.p[common.len - 1] & 0x80) != 0)
		common.len--;
	return common.p == NULL ? SPAN("") : common;
}

/* ---- ending versions ---- */

static int
flush(struct walk *w)
{
	struct object_removed *done = arena_array(w->page, w->n_out + 1, sizeof(*done));

	if (w->n_out == 0)
		return 0;
	if (done == NULL)
		return FAIL(w->err, ERR_LIMIT, "a page of lifecycle's arena is full");
	if (w->m->dry_run)
		w->m->versions_expired += (int64_t)w->n_out;
	else if (meta_object_delete_many(w->m->t, w->page, w->b, w->out, w->n_out, NULL, done, w->err) != 0)
		return -1;
	for (size_t i = 0; i < w->n_out && !w->m->dry_run; i++)
		w->m->versions_expired += done[i].wrote == OBJECT_WROTE && done[i].was_there ? 1 : 0;
	w->n_out = 0;
	return 0;
}

static int
end_version(struct walk *w, struct span key, const struct version_id *id)
{
	struct version_id *copy = ARENA_NEW(w->page, struct version_id);
	char *name = arena_strndup(w->page, key.p, key.len);

	if (copy == NULL || name == NULL)
		return FAIL(w->err, ERR_LIMIT, "a page of lifecycle's arena is full");
	*copy = *id;
	w->out[w->n_out++] = (struct object_removal){ .key = { name, key.len }, .version = copy };
	return w->n_out < PAGE ? 0 : flush(w);
}

static int
end_current(struct walk *w, const struct object *o)
{
	w->out[w->n_out++] = (struct object_removal){ .key = o->key, .etag = o->etag, .has_mtime = true, .mtime_us = o->mtime_us,
		.has_size = true, .size = o->size };
	return w->n_out < PAGE ? 0 : flush(w);
}

/* ---- what the rules say ---- */

/* Tags are read only for a version that a rule would end otherwise. 1 it is the rule's, 0 not, -1 failed. */
static int
is_of(struct walk *w, const struct lifecycle_rule *r, const struct object *o)
{
	struct version_id id = { o->is_null, o->ord };
	struct s3_problem pr = { 0 };
	struct s3_tags tags = { NULL, 0 };
	struct object whole;
	int found;

	if (!lifecycle_matches(r, o->key, o->size, NULL))
		return 0;
	if (r->tags.n == 0)
		return 1;
	found = meta_object_get(w->m->t, w->page, w->b, o->key, &id, false, &whole, w->err);
	if (found <= 0)
		return found;
	if (whole.tags.len > 0 && s3_tags_from_text(w->page, whole.tags, &tags, &pr) != 0)
		return 0;
	return lifecycle_matches(r, o->key, o->size, &tags) ? 1 : 0;
}

static int
look_at_current(struct walk *w, const struct object *o)
{
	for (size_t i = 0; i < w->lc.n; i++) {
		const struct lifecycle_rule *r = &w->lc.v[i];
		int rc;

		if (w->now_us < lifecycle_end(r, o->mtime_us, w->day_us))
			continue;
		rc = is_of(w, r, o);
		if (rc != 0)
			return rc < 0 ? -1 : end_current(w, o);
	}
	return 0;
}

static int
look_at_noncurrent(struct walk *w, const struct object *o)
{
	struct version_id id = { o->is_null, o->ord };

	for (size_t i = 0; i < w->lc.n; i++) {
		const struct lifecycle_rule *r = &w->lc.v[i];
		int rc;

		if (r->noncurrent_days == 0 || w->n_noncurrent < r->newer_noncurrent ||
		    w->now_us < lifecycle_after(w->newer_mtime_us, r->noncurrent_days, w->day_us))
			continue;
		rc = is_of(w, r, o);
		if (rc != 0)
			return rc < 0 ? -1 : end_version(w, o->key, &id);
	}
	return 0;
}

/* It hides nothing: an expired delete marker, which a rule's days end, too. */
static int
end_marker(struct walk *w)
{
	struct span key = kept_span(&w->at);

	if (!w->marker_pending)
		return 0;
	w->marker_pending = false;
	for (size_t i = 0; i < w->lc.n; i++) {
		const struct lifecycle_rule *r = &w->lc.v[i];

		if (lifecycle_matches(r, key, 0, NULL) && r->tags.n == 0 &&
		    (r->expired_marker || (r->days > 0 && w->now_us >= lifecycle_after(w->marker_mtime_us, r->days, w->day_us))))
			return end_version(w, key, &w->marker);
	}
	return 0;
}

static int
look_at(struct walk *w, const struct object *o)
{
	bool same = w->began && span_eq(kept_span(&w->at), o->key);
	int rc = 0;

	if (!same && end_marker(w) != 0)
		return -1;
	if (same)
		w->marker_pending = false;
	else {
		keep(&w->at, o->key);
		w->n_noncurrent = 0;
		w->began = true;
	}
	if (same) {
		rc = look_at_noncurrent(w, o);
		w->n_noncurrent++;
	} else if (o->is_marker) {
		w->marker_pending = true;
		w->marker = (struct version_id){ o->is_null, o->ord };
		w->marker_mtime_us = o->mtime_us;
	} else
		rc = look_at_current(w, o);
	w->newer_mtime_us = o->mtime_us;
	w->last = (struct version_id){ false, o->ord }; /* by its place: it may be gone when the next page is asked for */
	return rc;
}

static int
walk_versions(struct walk *w)
{
	struct version_query q = { .prefix = common_prefix(&w->lc), .delimiter = SPAN(""), .after = SPAN(""), .max = PAGE };
	bool more = true;

	while (more) {
		struct list_entry *entries;
		struct kept after;
		size_t n;

		arena_reset(w->page);
		w->out = arena_array(w->page, PAGE + 1, sizeof(*w->out));
		if (w->began) {
			keep(&after, kept_span(&w->at));
			q.after = kept_span(&after);
			q.after_version = &w->last;
		}
		if (w->out == NULL || meta_object_list_versions(w->m->t, w->page, w->b, &q, &entries, &n, &more, w->err) != 0)
			return w->out == NULL ? FAIL(w->err, ERR_LIMIT, "a page of lifecycle's arena is full") : -1;
		for (size_t i = 0; i < n; i++)
			if (look_at(w, &entries[i].obj) != 0)
				return -1;
		if ((!more && end_marker(w) != 0) || flush(w) != 0)
			return -1;
	}
	return 0;
}

/* ---- uploads ---- */

static bool
is_abandoned(const struct walk *w, const struct upload_entry *u)
{
	for (size_t i = 0; i < w->lc.n; i++) {
		const struct lifecycle_rule *r = &w->lc.v[i];

		if (r->abort_days > 0 && lifecycle_matches(r, u->key, 0, NULL) &&
		    w->now_us >= lifecycle_after(u->upload.started_us, r->abort_days, w->day_us))
			return true;
	}
	return false;
}

static int
abort_page(struct walk *w, const struct upload_entry *u, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum upload_did did = UPLOAD_DONE;

		if (!is_abandoned(w, &u[i]))
			continue;
		if (!w->m->dry_run && meta_upload_abort(w->m->t, w->page, &w->b->id, u[i].key, &u[i].upload.id, &did, w->err) != 0)
			return -1;
		w->m->uploads_aborted += did == UPLOAD_DONE ? 1 : 0;
	}
	return 0;
}

static int
walk_uploads(struct walk *w)
{
	struct upload_query q = { .prefix = common_prefix(&w->lc), .delimiter = SPAN(""), .after = SPAN(""), .max = PAGE };
	struct kept after;
	struct uuid id;
	bool more = true;

	while (more) {
		struct upload_entry *u;
		size_t n;

		arena_reset(w->page);
		if (meta_upload_list(w->m->t, w->page, w->b, &q, &u, &n, &more, w->err) != 0 || abort_page(w, u, n) != 0)
			return -1;
		if (n == 0)
			break;
		keep(&after, u[n - 1].key);
		id = u[n - 1].upload.id;
		q.after = kept_span(&after);
		q.after_id = &id;
	}
	return 0;
}

/* ---- whom it is told ---- */

/* What AWS says for who did it, and from where. */
#define BY_LIFECYCLE "s3.amazonaws.com"

struct telling {
	struct notify n;
	struct notification_configs configs;
	struct arena *arena;
};

static bool
whom(const void *arg, enum notify_change change, struct span key, struct notify_to *out)
{
	static const char *const events[] = { [NOTIFY_WRITTEN] = NULL, [NOTIFY_REMOVED] = "LifecycleExpiration:Delete",
		[NOTIFY_MARKED] = "LifecycleExpiration:DeleteMarkerCreated" };
	const struct telling *w = arg;

	out->event = events[change]; /* of what it writes it tells nothing */
	out->principal = BY_LIFECYCLE;
	return notification_whom(w->arena, &w->configs, out->event, key, &out->webhook, &out->config_id);
}

/* Until the bucket is done; page: the arena of what is told of a page. */
static int
tell_bucket(struct maintain *m, const struct bucket *b, struct arena *rules, struct arena *page, struct err *err)
{
	struct telling *w = ARENA_NEW(rules, struct telling);
	const char *doc;

	meta_notify(m->t, NULL);
	if (w == NULL)
		return FAIL(err, ERR_LIMIT, "lifecycle's arena is full");
	if (meta_bucket_config(m->t, rules, b, CONFIG_KIND_NOTIFICATION, &doc, err) != 0)
		return -1;
	*w = (struct telling){ .n = { b, BY_LIFECYCLE, "", whom, w }, .arena = page };
	notification_read(rules, doc, &w->configs);
	if (w->configs.n > 0)
		meta_notify(m->t, &w->n);
	return 0;
}

/* ---- buckets ---- */

static int
walk_bucket(struct maintain *m, const struct bucket *b, int64_t now_us, struct arena *rules, struct arena *page, struct err *err)
{
	struct walk *w = ARENA_NEW(rules, struct walk);
	bool versions = false, uploads = false;
	int64_t day_us = m->lifecycle_day_s * US_PER_S, day = now_us / day_us;
	const char *doc;
	int due = 1;

	if (w == NULL)
		return FAIL(err, ERR_LIMIT, "lifecycle's arena is full");
	*w = (struct walk){ .m = m, .b = b, .now_us = now_us, .day_us = day_us, .page = page, .err = err };
	if (meta_bucket_config(m->t, rules, b, CONFIG_KIND_LIFECYCLE, &doc, err) != 0)
		return -1;
	if (doc == NULL)
		return 0;
	if (!m->again && (due = meta_lifecycle_due(m->t, rules, b, day, doc, err)) <= 0)
		return due;
	lifecycle_read(rules, doc, &w->lc);
	for (size_t i = 0; i < w->lc.n; i++) {
		const struct lifecycle_rule *r = &w->lc.v[i];

		versions = versions || (r->enabled && (r->days > 0 || r->date_us >= 0 || r->expired_marker || r->noncurrent_days > 0));
		uploads = uploads || (r->enabled && r->abort_days > 0);
	}
	if (versions && walk_versions(w) != 0)
		return -1;
	if (uploads && walk_uploads(w) != 0)
		return -1;
	return m->dry_run ? 0 : meta_lifecycle_walked(m->t, rules, b, day, doc, err);
}

int
maintain_lifecycle(struct maintain *m, int64_t now_us, struct err *err)
{
	const char *region = meta_settings(meta_of(m->t))->region;
	struct arena *list = arena_new(PAGE_ARENA), *rules = arena_new(RULES_ARENA), *page = arena_new(PAGE_ARENA);
	char after[64] = "";
	struct bucket *b;
	size_t n = PAGE;
	int rc = 0;

	while (rc == 0 && n == PAGE) {
		arena_reset(list);
		rc = registry_bucket_list(m->t, list, NULL, region, NULL, after, PAGE, &b, &n, err);
		for (size_t i = 0; rc == 0 && i < n; i++) {
			snprintf(after, sizeof(after), "%s", b[i].name);
			if (!bucket_has_config(&b[i], CONFIG_KIND_LIFECYCLE) || strcmp(b[i].status, "active") != 0)
				continue;
			arena_reset(rules);
			rc = tell_bucket(m, &b[i], rules, page, err);
			if (rc == 0)
				rc = walk_bucket(m, &b[i], now_us, rules, page, err);
		}
	}
	meta_notify(m->t, NULL);
	arena_free(page);
	arena_free(rules);
	arena_free(list);
	return rc;
}
