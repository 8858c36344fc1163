/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/registry.h - what operators do with metadata: tenants, access keys,
 * policies, regions, buckets, operators, the audit log. Used by admin/.
 *
 * A change returns once it is committed and every region has acknowledged it
 * (or metadata_ack_ms has passed; registry_last_change tells which). Input is
 * checked by the database's constraints; kinds of failure: ERR_NOT_FOUND (what
 * is named), ERR_EXISTS, ERR_INVALID (form), ERR_CONFLICT (still in use),
 * ERR_UNAVAILABLE, ERR_TIMEOUT. Strings of results are the arena's. A list's
 * `after` is the last name of the page before ("" = from the start).
 */
#ifndef ANVIL_META_REGISTRY_H
#define ANVIL_META_REGISTRY_H

#include "meta/cache.h"
#include "meta/meta.h"

#define CHANGE_NAMES_MAX 256
/* What became of this thread's last change. */
struct registry_change {
	bool changed;        /* it made an event; otherwise there was nothing to wait for */
	struct event_clock at;
	int64_t waited_us;
	bool acknowledged;   /* by all that it waited for */
	/* Names with commas between: regions waited for in vain, and those not waited for since they hold no trust. */
	char silent[CHANGE_NAMES_MAX], skipped[CHANGE_NAMES_MAX];
};
const struct registry_change *registry_last_change(const struct meta_thread *t);

/* ---- tenants ---- */

struct tenant_limits {
	int64_t buckets;          /* it may have so many */
	struct quota of_bucket;   /* that a new one begins with; no limits: none */
};
struct tenant {
	struct uuid id;
	const char *name;         /* unique; the display name of owners, too */
	const char *canonical_id; /* 64 hexadecimal digits */
	bool enabled;
	int64_t n_apps, n_buckets, created_us;
	struct tenant_limits limits;
};
/* canonical_id NULL: a random one. */
MUST_CHECK int registry_tenant_create(struct meta_thread *t, struct arena *a, const char *name, const char *canonical_id,
    struct tenant *out, struct err *err);
/* By name, canonical id, or the text of its id. */
MUST_CHECK int registry_tenant_find(struct meta_thread *t, struct arena *a, const char *name, struct tenant *out,
    struct err *err);
MUST_CHECK int registry_tenant_list(struct meta_thread *t, struct arena *a, const char *after, int max,
    struct tenant **out, size_t *n, struct err *err);
MUST_CHECK int registry_tenant_set_limits(struct meta_thread *t, const char *name, const struct tenant_limits *limits, struct err *err);
MUST_CHECK int registry_tenant_enable(struct meta_thread *t, const char *name, bool enabled, struct err *err);
/* With its apps. ERR_CONFLICT while it has buckets. */
MUST_CHECK int registry_tenant_delete(struct meta_thread *t, const char *name, struct err *err);

/* ---- apps: access keys ---- */

#define ACCESS_KEY_LEN 20
#define SECRET_LEN 40
struct app_info {
	const char *access_key, *name, *tenant_name;
	struct uuid tenant_id;
	bool enabled, tenant_enabled;
	enum app_access access;
	const char *const *policies; /* names; ends in NULL */
	int64_t created_us;
};
/* The secret is given here once and is sealed from then on; wipe it. */
MUST_CHECK int registry_app_create(struct meta_thread *t, struct arena *a, const char *tenant, const char *name,
    enum app_access access, struct app_info *out, char secret[SECRET_LEN + 1], struct err *err);
/* The same with a key that exists already, from another system. */
MUST_CHECK int registry_app_import(struct meta_thread *t, struct arena *a, const char *tenant, const char *name,
    enum app_access access, const char *access_key, const char *secret, struct app_info *out, struct err *err);
MUST_CHECK int registry_app_find(struct meta_thread *t, struct arena *a, const char *access_key, struct app_info *out,
    struct err *err);
/* tenant NULL: of all; by access key. */
MUST_CHECK int registry_app_list(struct meta_thread *t, struct arena *a, const char *tenant, const char *after, int max,
    struct app_info **out, size_t *n, struct err *err);
MUST_CHECK int registry_app_enable(struct meta_thread *t, const char *access_key, bool enabled, struct err *err);
/* Ends every session (temporary credentials) of the key, everywhere; the key itself and its secret stay as they are. */
MUST_CHECK int registry_app_end_sessions(struct meta_thread *t, struct arena *a, const char *access_key, struct err *err);
MUST_CHECK int registry_app_delete(struct meta_thread *t, const char *access_key, struct err *err);
/* APP_FULL: ERR_CONFLICT while it carries policies. */
MUST_CHECK int registry_app_set_access(struct meta_thread *t, const char *access_key, enum app_access access,
    struct err *err);
/* Ends full access. ERR_EXISTS when it is attached already, ERR_NOT_FOUND when either is not there. */
MUST_CHECK int registry_app_attach(struct meta_thread *t, const char *access_key, const char *policy, struct err *err);
/* Does not bring full access back. */
MUST_CHECK int registry_app_detach(struct meta_thread *t, const char *access_key, const char *policy, struct err *err);

/* ---- policies: named JSON documents that apps carry ---- */

struct policy_info {
	const char *name, *document;
	int64_t n_apps, created_us, updated_us;
};
/* That the document means something is the caller's check (s3/policy.h); here it must be JSON of at most 20,480 bytes. */
MUST_CHECK int registry_policy_create(struct meta_thread *t, const char *name, const char *document, struct err *err);
MUST_CHECK int registry_policy_update(struct meta_thread *t, const char *name, const char *document, struct err *err);
MUST_CHECK int registry_policy_find(struct meta_thread *t, struct arena *a, const char *name, struct policy_info *out,
    struct err *err);
MUST_CHECK int registry_policy_list(struct meta_thread *t, struct arena *a, const char *after, int max,
    struct policy_info **out, size_t *n, struct err *err);
/* ERR_CONFLICT while an app carries it. */
MUST_CHECK int registry_policy_delete(struct meta_thread *t, const char *name, struct err *err);

/* ---- webhooks: where buckets may send their events ---- */

#define WEBHOOK_SECRET_PREFIX "whsec_"
#define WEBHOOK_KEY_MIN 24
#define WEBHOOK_KEY_MAX 64 /* bytes that sign */
#define WEBHOOK_SECRET_MAX 96 /* as text: the prefix and the key in base64 */
struct webhook {
	const char *name, *url;
	struct span sealed_secret;   /* see webhook_key() */
	const char *tenant_name;     /* whose buckets may name it; NULL: everybody's */
	const char *owner_id;        /* that tenant's canonical id */
	int64_t created_us;
	bool enabled;                /* no: its events wait */
};
/* secret NULL: a new one, which is given in `made` once; wipe it. tenant NULL: for everybody's buckets. */
MUST_CHECK int registry_webhook_create(struct meta_thread *t, const char *name, const char *url, const char *secret,
    const char *tenant, char made[WEBHOOK_SECRET_MAX + 1], struct err *err);
/* What is NULL stays as it is. */
MUST_CHECK int registry_webhook_update(struct meta_thread *t, const char *name, const char *url, const char *secret, struct err *err);
MUST_CHECK int registry_webhook_find(struct meta_thread *t, struct arena *a, const char *name, struct webhook *out, struct err *err);
MUST_CHECK int registry_webhook_list(struct meta_thread *t, struct arena *a, const char *after, int max, struct webhook **out,
    size_t *n, struct err *err);
/* How many buckets' configurations name it; 0 of one that is not there. */
MUST_CHECK int registry_webhook_buckets(struct meta_thread *t, struct arena *a, const char *name, int64_t *n, struct err *err);
MUST_CHECK int registry_webhook_enable(struct meta_thread *t, const char *name, bool enabled, struct err *err);
/* ERR_CONFLICT while a bucket's configuration names it. */
MUST_CHECK int registry_webhook_delete(struct meta_thread *t, const char *name, struct err *err);
/* The bytes that sign; wipe them. */
MUST_CHECK int webhook_key(const struct settings *s, const struct webhook *w, uint8_t out[WEBHOOK_KEY_MAX], size_t *len,
    struct err *err);

/* ---- regions ---- */

struct region_info {
	struct region r;
	int64_t n_buckets;
	int64_t leaving_us; /* since when; 0 = not */
	int64_t lost_us;    /* since when it is known to hold no trust; 0 = it may */
};
/* Uses r->name, endpoint, domains, inv_pub, inv_rep (NULL = ""). */
MUST_CHECK int registry_region_create(struct meta_thread *t, const struct region *r, struct err *err);
/* What is NULL stays as it is. */
MUST_CHECK int registry_region_update(struct meta_thread *t, const struct region *r, struct err *err);
MUST_CHECK int registry_region_list(struct meta_thread *t, struct arena *a, struct region_info **out, size_t *n,
    struct err *err);
/* Marks it leaving: sources stop answering it, so it trusts its cache no more after F. */
MUST_CHECK int registry_region_leave(struct meta_thread *t, const char *name, struct err *err);
/* ERR_CONFLICT while it has buckets, or has not been leaving for metadata_ack_ms. */
MUST_CHECK int registry_region_remove(struct meta_thread *t, const char *name, struct err *err);

/* ---- buckets, whoever owns them ---- */

/* tenant, region, prefix NULL = any. */
MUST_CHECK int registry_bucket_list(struct meta_thread *t, struct arena *a, const char *tenant, const char *region,
    const char *prefix, const char *after, int max, struct bucket **out, size_t *n, struct err *err);
/* From the database, not the cache. */
MUST_CHECK int registry_bucket_find(struct meta_thread *t, struct arena *a, const char *name, struct bucket *out,
    struct err *err);
/* What these buckets are called, and the tenants with these canonical ids (ends in NULL). What is not there any more is left out. */
struct id_name {
	const char *id;     /* a bucket's, or a canonical one */
	const char *name;   /* the bucket's or tenant's */
	const char *tenant; /* the bucket's; NULL for a tenant */
};
MUST_CHECK int registry_names(struct meta_thread *t, struct arena *a, const struct uuid *buckets, size_t n_buckets,
    const char *const *owners, struct id_name **out, size_t *n, struct err *err);
/* mode: "", "auto", "redirect", "relay". */
MUST_CHECK int registry_bucket_set_routing(struct meta_thread *t, const char *name, const char *mode, struct err *err);

/* ---- operators: who may log in to the pages ---- */

struct operator_info {
	struct uuid id;
	const char *name, *role;   /* "admin", "viewer" */
	const char *password_hash; /* of crypt(3); only from registry_operator_find and _by_id */
	int64_t session;           /* a cookie of another number is no longer valid */
	bool enabled;
	int64_t created_us, last_login_us;
};
MUST_CHECK int registry_operator_create(struct meta_thread *t, const char *name, const char *password_hash,
    const char *role, struct err *err);
MUST_CHECK int registry_operator_find(struct meta_thread *t, struct arena *a, const char *name,
    struct operator_info *out, struct err *err);
MUST_CHECK int registry_operator_by_id(struct meta_thread *t, struct arena *a, const struct uuid *id,
    struct operator_info *out, struct err *err);
MUST_CHECK int registry_operator_list(struct meta_thread *t, struct arena *a, struct operator_info **out, size_t *n,
    struct err *err);
/* These four end the operator's sessions. */
MUST_CHECK int registry_operator_set_password(struct meta_thread *t, const char *name, const char *password_hash,
    struct err *err);
MUST_CHECK int registry_operator_set_role(struct meta_thread *t, const char *name, const char *role, struct err *err);
MUST_CHECK int registry_operator_enable(struct meta_thread *t, const char *name, bool enabled, struct err *err);
MUST_CHECK int registry_operator_logout(struct meta_thread *t, const char *name, struct err *err);
MUST_CHECK int registry_operator_delete(struct meta_thread *t, const char *name, struct err *err);
MUST_CHECK int registry_operator_logged_in(struct meta_thread *t, const char *name, struct err *err);

/* ---- the audit log ---- */

struct audit_entry {
	int64_t id, at_us;
	const char *actor;  /* the operator's name, or the system user of the command line */
	const char *via;    /* "cli", "page" */
	const char *region; /* where it was done */
	const char *action; /* "app disable" */
	const char *target; /* what it was done to */
	const char *detail; /* free text, "" */
	bool ok;
};
/* at_us and id are set by the database. */
MUST_CHECK int registry_audit_append(struct meta_thread *t, const struct audit_entry *e, struct err *err);
/* The newest first, with ids below before_id (0 = all). */
MUST_CHECK int registry_audit_list(struct meta_thread *t, struct arena *a, int64_t before_id, int max,
    struct audit_entry **out, size_t *n, struct err *err);

/* ---- the event clock, and sizes ---- */

/* The cache behind a thread, for cache_status() and cache_flush(); NULL without META_CACHE. */
struct cache_thread *registry_cache(struct meta_thread *t);

struct clock_status {
	struct event_clock clock;
	bool primary;               /* not in recovery */
	int64_t events_kept;        /* rows of the outbox */
	uint64_t oldest_n;          /* the oldest number still there; 0 = none */
	int64_t changed_us;         /* when the last change was numbered; 0 = never */
	int64_t epoch_since_us;
	const char *epoch_reason;   /* why this epoch began */
};
MUST_CHECK int registry_clock(struct meta_thread *t, struct arena *a, struct clock_status *out, struct err *err);
/* After a restore, or whenever one does not trust what the caches hold: a new epoch, every cached value is a miss. */
MUST_CHECK int registry_new_epoch(struct meta_thread *t, const char *reason, struct err *err);
/* Waits until every region has acknowledged what is committed now: for changes made with psql. */
MUST_CHECK int registry_wait(struct meta_thread *t, struct err *err);

struct database_status {
	int64_t size_bytes;
	int64_t connections;
	const char *version;      /* of the server */
	const char *name, *user;
};
/* which: 'g' or 'r' */
MUST_CHECK int registry_database(struct meta_thread *t, struct arena *a, char which, struct database_status *out,
    struct err *err);

#endif
