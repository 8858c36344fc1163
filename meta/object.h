/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/object.h - objects of this region: rows of the regional database. What is done to their versions: meta/version.h.
 *
 * A write joins the bucket's fence in the same statement, so that no stale
 * belief can put an object into a bucket that is no more. Bytes come first: the
 * blob is durable before its row is written here. One statement a call.
 */
#ifndef ANVIL_META_OBJECT_H
#define ANVIL_META_OBJECT_H

#include "meta/meta.h"

enum checksum_kind_bits { CHECKSUM_TYPE_FULL = 0, CHECKSUM_TYPE_COMPOSITE = 1 };

/*
 * Which version of a key: "null", or the one of this ord (sql/regional/0001): 0 or less, the newer the less.
 * As text it has 16 lower-case hexadecimal digits.
 */
struct version_id {
	bool is_null;
	int64_t ord;               /* when not is_null: < 0 */
};
#define VERSION_TEXT_SIZE 17
/* "null" or an id that was given out here; false: malformed. */
bool version_parse(struct span text, struct version_id *out);
/* NUL-terminated, the arena's or static; NULL when the arena is full. */
const char *version_text(struct arena *a, bool is_null, int64_t ord);

struct object {
	struct span key;           /* UTF-8, 1..1024 bytes */
	const char *version;       /* "null" or the version's id */
	int64_t ord;               /* its place among the key's versions: 0, or < 0 and the newer the less */
	bool is_null;              /* "null" names it */
	bool is_marker, is_latest;
	int64_t size, mtime_us;
	const char *etag;          /* without quotes */
	struct span checksums;     /* encoded by s3/checksum (opaque here), may be empty */
	struct span headers;       /* encoded system headers and user metadata (opaque here), may be empty */
	const char *storage_class; /* "STANDARD" */
	const char *owner_id;      /* canonical id of who wrote it */
	bool has_blob;
	struct uuid blob_id;       /* when has_blob: the file; else the bytes are inline */
	struct uuid sealed_as;     /* when it is encrypted, too: the id that its bytes were sealed under (a move gives another) */
	bool has_parts;
	struct uuid parts_id;      /* when has_parts: the bytes are the parts of this upload, in order */
	struct span inline_data;   /* only from meta_object_get with want_data */
	struct span tags;          /* form-urlencoded as x-amz-tagging has them, may be empty */
	const char *acl;           /* as s3/acl.h stores it (opaque here), "private" when none was given */
	struct span sse;           /* envelope of the encryption (opaque here), empty: the bytes are plain */
	char lock_mode;            /* 'G' governance, 'C' compliance, 0 no retention */
	int64_t retain_until_us;   /* when lock_mode */
	bool legal_hold;
	int parts_count;           /* 0: not uploaded in parts */
};

enum object_cond_kind { COND_NONE, COND_IF_NONE_MATCH_ANY, COND_IF_MATCH };
struct object_cond {
	enum object_cond_kind kind;
	const char *etag;          /* for IF_MATCH, without quotes; "*" = any */
};
enum object_wrote {
	OBJECT_WROTE,
	OBJECT_FENCE_CLOSED,       /* the bucket is no more: NoSuchBucket */
	OBJECT_PRECONDITION,       /* 412 */
	OBJECT_NOT_THERE,          /* If-Match on a key that is not there: 404 NoSuchKey */
	OBJECT_LOCKED,             /* retention or a legal hold forbids it: 403 AccessDenied */
	OBJECT_IS_MARKER,          /* not for delete markers: 405 */
};

/*
 * One version, the current one when `version` is NULL. 1 found (a delete marker too), 0 not there. want_data: with inline
 * bytes. Cost: one descent; one more for is_latest of a named version.
 */
MUST_CHECK int meta_object_get(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key,
    const struct version_id *version, bool want_data, struct object *out, struct err *err);
/* Where a write put its object. */
struct object_placed {
	int64_t mtime_us;          /* Last-Modified as stored; 0: it was not written */
	const char *version;       /* "null" or the version's id */
	bool versioned;            /* a version of its own: answers name it; of the null version S3 says nothing */
};
/*
 * Put: in->key, size, etag, checksums, headers, storage_class, owner_id, tags, acl (NULL: private), sse, lock_mode,
 * retain_until_us, legal_hold, and blob_id or inline_data. As a new version, or in the place of the null version, as the
 * bucket's fence says (sql/regional/0005-versions.sql). What it replaces goes to dead_blobs in the same transaction.
 * Makes the fence from the primary's row when this is the bucket's first write.
 * ERR_INVALID when the key is not 1..1024 bytes of UTF-8 without NUL.
 */
MUST_CHECK int meta_object_put(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct object *in,
    const struct object_cond *cond, enum object_wrote *out, struct object_placed *placed, struct err *err);
enum object_renamed {
	RENAME_DONE,
	RENAME_FENCE_CLOSED,
	RENAME_PRECONDITION,       /* of the destination: 412 */
	RENAME_NO_DESTINATION,     /* If-Match on a key that is not there */
	RENAME_CHANGED,            /* the source is gone, or another: look again */
	RENAME_HAS_VERSIONS,       /* not in a bucket that has or had versioning */
};
/*
 * The object `from` (as meta_object_get gave it) gets the key `to`, in the place of what may be there; all else of it
 * stays, its time too. Cost: one statement; no bytes move.
 */
MUST_CHECK int meta_object_rename(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct object *from,
    struct span to, const struct object_cond *cond, enum object_renamed *out, struct err *err);
struct list_query {
	struct span prefix, delimiter; /* may be empty */
	struct span after;         /* keys (and common prefixes) greater than this; empty = from the start */
	int max;                   /* 0..1000 */
};
struct list_entry {
	bool is_prefix;            /* then only obj.key, the common prefix */
	struct object obj;
};
/*
 * One page in the order of bytes; *truncated tells that more follows; *next is what `after` of the next page is.
 * Entries are greater than `after`, and so are common prefixes: one that equals `after` or covers it is skipped whole, as S3 does.
 * ERR_INVALID when prefix, delimiter or after is not UTF-8 or has a NUL: no key can match.
 * Cost: one round trip; rows read are about those of the page, whatever lies below its common prefixes.
 */
MUST_CHECK int meta_object_list(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct list_query *q,
    struct list_entry **out, size_t *n, bool *truncated, struct span *next, struct err *err);

/* ---- lifecycle, for maintain ---- */

/* Is the bucket to be held against these rules on that day (since 1970, UTC)? 1 yes, 0 it was done. */
MUST_CHECK int meta_lifecycle_due(struct meta_thread *t, struct arena *a, const struct bucket *b, int64_t day, const char *rules,
    struct err *err);
/* It was done, whole. */
MUST_CHECK int meta_lifecycle_walked(struct meta_thread *t, struct arena *a, const struct bucket *b, int64_t day,
    const char *rules, struct err *err);

/* ---- blobs, for maintain and doctor ---- */

/* Blobs that no row names any more and whose grace time is over, oldest first: at most max. */
MUST_CHECK int meta_dead_blobs(struct meta_thread *t, struct arena *a, int64_t grace_s, int max, struct uuid **out, size_t *n, struct err *err);
/* Once their bytes are gone. */
MUST_CHECK int meta_dead_blobs_forget(struct meta_thread *t, struct arena *a, const struct uuid *ids, size_t n, struct err *err);
/* Which of these blobs does a row (or the dead list) name? For reaping orphans. known[i] is set. */
MUST_CHECK int meta_blobs_known(struct meta_thread *t, struct arena *a, const struct uuid *ids, size_t n, bool *known, struct err *err);
/* Rows that name a blob whose id is in [first, last], by id: at most max. For more: first = the last one's id + 1. */
struct blob_row {
	struct uuid blob_id, bucket_id;
	struct span key;
	int64_t size;
};
MUST_CHECK int meta_blob_rows(struct meta_thread *t, struct arena *a, const struct uuid *first, const struct uuid *last, int max,
    struct blob_row **out, size_t *n, struct err *err);

#endif
