/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/meta.h - metadata as the programs see it: who signs (apps), whose it is
 * (tenants), where a bucket lives (buckets, regions), and what may be done
 * (policies). Reads come from the region's memcached when what lies there is
 * proved current, else from the global database; changes go to the database and
 * wait until every region knows.
 *
 * A process has one struct meta, opened after fork; a thread has one struct
 * meta_thread with its own memcached connections. Database connections are
 * pooled by the process and held for one statement or one transaction only.
 */
#ifndef ANVIL_META_META_H
#define ANVIL_META_META_H

#include "base/arena.h"
#include "base/err.h"
#include "base/settings.h"

struct meta;
struct meta_thread;

enum meta_flags {
	META_CACHE = 1 << 0,    /* read through memcached; starts the thread that keeps the trust fresh */
	META_REGIONAL = 1 << 1, /* open the regional database too */
};
/* Databases that are away do not fail the opening; they are tried again at each use. */
MUST_CHECK int meta_open(const struct settings *s, int flags, struct meta **out, struct err *err);
void meta_close(struct meta *m);
const struct settings *meta_settings(const struct meta *m);

MUST_CHECK int meta_thread_new(struct meta *m, struct meta_thread **out, struct err *err);
void meta_thread_free(struct meta_thread *t);
struct meta *meta_of(const struct meta_thread *t);

/* What the thread spent since the last reset: for the request's log line. */
struct meta_spent {
	int64_t db_us, cache_us, ack_wait_us;
	int global_queries, regional_queries, cache_round_trips;
	int unproved;            /* values that were handed out though nothing proved them (metadata_when_cut_off = serve) */
	const char *ack_silent;  /* regions waited for in vain, with commas between; NULL = none. The thread's until its next change */
	const char *ack_skipped; /* and those not waited for since they hold no trust */
};
struct meta_spent *meta_spent(struct meta_thread *t);

#define UUID_LEN 16
#define UUID_TEXT_LEN 36
struct uuid {
	uint8_t b[UUID_LEN];
};
void uuid_random(struct uuid *u);                        /* version 4 */
void uuid_text(const struct uuid *u, char out[UUID_TEXT_LEN + 1]);
bool uuid_parse(struct span s, struct uuid *u);

/* ---- rows; every string ends in NUL, is never NULL unless said, and is the arena's ---- */

struct region {
	const char *name;
	const char *endpoint;      /* "https://s3.eu.example.com", no slash at the end */
	const char *const *domains; /* ends in NULL */
	const char *inv_pub, *inv_rep; /* NNG addresses of its invalidator(s), blank-separated */
	const char *state;         /* "active", "leaving" */
	int64_t created_us;
};
struct bucket {
	struct uuid id;
	const char *name;
	const char *region;        /* home */
	struct uuid tenant_id;
	const char *owner_id;      /* canonical id, 64 hexadecimal digits */
	const char *owner_name;    /* display name */
	const char *status;        /* "active", "deleting" */
	const char *routing_mode;  /* "" = the region's setting */
	const char *versioning;    /* "", "Enabled", "Suspended" */
	const char *object_lock;   /* "" never; "Enabled"; or the default retention too, "GOVERNANCE 30 Days" */
	const char *policy;        /* JSON, NULL = none */
	uint32_t config_kinds;     /* bit i: a bucket_configs row of kind i exists (meta/config_kinds.def) */
	int64_t created_us;
};
/* How much a bucket may hold (meta/quota.h). */
#define QUOTA_NO_LIMIT INT64_C(-1)
struct quota {
	int64_t bytes, objects; /* QUOTA_NO_LIMIT, or from 0 on; with neither limit the bucket is counted only */
};
enum app_access {
	APP_POLICIES, /* only what policies allow: its own and buckets'; nothing without any */
	APP_FULL      /* all with its own tenant's buckets, but for what their policies deny */
};
struct app {
	const char *access_key;
	const char *name;
	struct uuid tenant_id;
	const char *tenant_name, *owner_id; /* the tenant's display name and canonical id */
	bool enabled;              /* the app and its tenant both */
	struct span sealed_secret; /* aad = the access key; see app_secret() */
	enum app_access access;
	const char *const *policies; /* JSON documents attached to it; ends in NULL; none with APP_FULL */
	int64_t created_us;
};
/* Opens the sealed secret into out (NUL at its end); wipe it after use. */
#define APP_SECRET_MAX 128
MUST_CHECK int app_secret(const struct settings *s, const struct app *app, char out[APP_SECRET_MAX + 1], struct err *err);

/*
 * The reads of a request in one: the app that signs and the bucket that is named
 * (either may be NULL = not asked), each 1 found, 0 not there, in out->has_*.
 * Cost: one multi-get; per miss one statement on the global database.
 * Errors: ERR_UNAVAILABLE when it cannot be known within the promise (503).
 */
struct meta_found {
	int has_app, has_bucket;
	struct app app;
	struct bucket bucket;
};
MUST_CHECK int meta_find(struct meta_thread *t, struct arena *a, const char *access_key, const char *bucket,
    struct meta_found *out, struct err *err);
/* All regions (through the cache, key "regions"), ordered by name; n of them. */
MUST_CHECK int meta_regions(struct meta_thread *t, struct arena *a, struct region **out, size_t *n, struct err *err);

/* ---- buckets ---- */

enum bucket_made { BUCKET_MADE, BUCKET_YOURS, BUCKET_TAKEN, BUCKET_NO_REGION, BUCKET_TOO_MANY };
/* From any region. Returns when every region knows (or W has passed). BUCKET_YOURS: it was there, of the same tenant; waited for, too. */
MUST_CHECK int meta_bucket_create(struct meta_thread *t, struct arena *a, const char *name, const char *region,
    const struct uuid *tenant_id, enum bucket_made *out, struct err *err);
/* What a bucket begins with. */
struct bucket_start {
	bool lock;                       /* object lock, and so versions */
	const char *const *kinds;        /* of documents that it carries (meta/config_kinds.def); both end in NULL */
	const char *const *documents;
};
MUST_CHECK int meta_bucket_create_with(struct meta_thread *t, struct arena *a, const char *name, const char *region,
    const struct uuid *tenant_id, const struct bucket_start *start, enum bucket_made *out, struct err *err);
enum bucket_gone { BUCKET_GONE, BUCKET_NOT_EMPTY, BUCKET_NOT_THERE };
/* In the home region only: proves it empty, closes the fence, removes the row; can be repeated after a crash. */
MUST_CHECK int meta_bucket_delete(struct meta_thread *t, struct arena *a, const struct bucket *b,
    enum bucket_gone *out, struct err *err);
enum config_done { CONFIG_DONE, CONFIG_NONE, CONFIG_NO_BUCKET, CONFIG_REFUSED };
/*
 * Sets (document NULL: removes) the bucket's document of a kind of meta/config_kinds.def; as given it comes back byte
 * for byte. By the bucket's id: one of the same name that came later is another. CONFIG_NONE: there was none to remove,
 * which is waited for, too.
 */
MUST_CHECK int meta_bucket_set_config(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, const char *kind,
    const char *document, enum config_done *out, struct err *err);
/* The kinds of meta/config_kinds.def: each is its bit in struct bucket's config_kinds. */
enum config_kind {
#define CONFIG_KIND(id, kind, doc) CONFIG_KIND_##id,
#include "meta/config_kinds.def"
#undef CONFIG_KIND
	CONFIG_KIND_COUNT
};
const char *config_kind_name(enum config_kind kind);
static inline bool
bucket_has_config(const struct bucket *b, enum config_kind kind)
{
	return (b->config_kinds & UINT32_C(1) << kind) != 0;
}
/*
 * The bucket's document of a kind, through the cache as meta_find is; *document NULL: there is none.
 * Cost: nothing when the bucket's own value says that there is none, else one get; on a miss one statement.
 */
MUST_CHECK int meta_bucket_config(struct meta_thread *t, struct arena *a, const struct bucket *b, enum config_kind kind,
    const char **document, struct err *err);
/*
 * Sets versioning ("Enabled", "Suspended") or object lock (as struct bucket has it); NULL leaves it as it is. In the
 * home region only: the bucket's fence is told in between, so that writes that begin later go by it, whatever they know of
 * the bucket. CONFIG_REFUSED: object lock needs versioning, and cannot be taken away.
 */
MUST_CHECK int meta_bucket_set_versioning(struct meta_thread *t, struct arena *a, const struct bucket *b, const char *versioning,
    const char *object_lock, enum config_done *out, struct err *err);
/* The tenant's buckets after `after` ("" = all), in byte order, at most max; from the database. */
MUST_CHECK int meta_bucket_list(struct meta_thread *t, struct arena *a, const struct uuid *tenant_id, const char *prefix,
    const char *after, const char *region /* NULL = any */, int max, struct bucket **out, size_t *n, struct err *err);

#endif
