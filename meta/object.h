/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/object.h - objects of this region: rows of the regional database.
 *
 * A write joins the bucket's fence in the same statement, so that no stale
 * belief can put an object into a bucket that is no more. Bytes come first: the
 * blob is durable before its row is written here. One statement a call.
 */
#ifndef ANVIL_META_OBJECT_H
#define ANVIL_META_OBJECT_H

#include "meta/meta.h"

enum checksum_kind_bits { CHECKSUM_TYPE_FULL = 0, CHECKSUM_TYPE_COMPOSITE = 1 };

struct object {
	struct span key;           /* UTF-8, 1..1024 bytes */
	const char *version;       /* "null" or the version's id */
	bool is_marker, is_latest;
	int64_t size, mtime_us;
	const char *etag;          /* without quotes */
	struct span checksums;     /* encoded by s3/checksum (opaque here), may be empty */
	struct span headers;       /* encoded system headers and user metadata (opaque here), may be empty */
	const char *storage_class; /* "STANDARD" */
	const char *owner_id;      /* canonical id of who wrote it */
	bool has_blob;
	struct uuid blob_id;       /* when has_blob: the file; else the bytes are inline */
	struct span inline_data;   /* only from meta_object_get with want_data */
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
};

/* The current version. 1 found (a delete marker too), 0 not there. want_data: with inline bytes. Cost: one descent. */
MUST_CHECK int meta_object_get(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key,
    bool want_data, struct object *out, struct err *err);
/*
 * Put: in->key, size, etag, checksums, headers, storage_class, owner_id, and blob_id or inline_data.
 * What it replaces goes to dead_blobs in the same transaction. out_mtime_us: Last-Modified as stored.
 * Makes the fence from the primary's row when this is the bucket's first write.
 * ERR_INVALID when the key is not 1..1024 bytes of UTF-8 without NUL.
 */
MUST_CHECK int meta_object_put(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct object *in,
    const struct object_cond *cond, enum object_wrote *out, int64_t *out_mtime_us, struct err *err);
/* Delete the current (unversioned) object; *was_there tells whether there was one. */
MUST_CHECK int meta_object_delete(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key,
    const struct object_cond *cond, enum object_wrote *out, bool *was_there, struct err *err);

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
