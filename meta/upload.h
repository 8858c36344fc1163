/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/upload.h - uploads in parts: rows of the regional database, from their
 * beginning to the object that they become, or their end. One statement a call.
 *
 * A part's bytes come first, as an object's do: its blob is durable before its row
 * is written. Completing moves no bytes: the object's bytes are the parts.
 */
#ifndef ANVIL_META_UPLOAD_H
#define ANVIL_META_UPLOAD_H

#include "meta/object.h"

#define UPLOAD_ID_TEXT_LEN 32
#define UPLOAD_PARTS_MAX 10000 /* numbers of parts are 1 to this */
#define UPLOAD_PAGE_MAX 1000

/* As clients know an upload. false: none was given out that is written so. */
bool upload_id_parse(struct span text, struct uuid *out);
void upload_id_text(const struct uuid *id, char out[UPLOAD_ID_TEXT_LEN + 1]);

struct upload {
	struct uuid id;
	int64_t started_us;
	struct span checksums;     /* which checksum the object is to have (opaque here); empty: the usual one */
	struct span headers, sse;  /* as the object's */
	const char *storage_class; /* "STANDARD" */
	const char *owner_id;      /* canonical id of who began it */
};
struct upload_part {
	int number;
	int64_t size, mtime_us;
	int64_t first;             /* where it lies in the object; -1 while the upload is under way */
	const char *etag;          /* without quotes */
	struct span checksums;     /* encoded by s3/checksum */
};
enum upload_did {
	UPLOAD_DONE,
	UPLOAD_NOT_THERE,          /* it never was, or was completed or aborted: NoSuchUpload */
	UPLOAD_FENCE_CLOSED,       /* the bucket is no more: NoSuchBucket */
	UPLOAD_OTHER_PARTS,        /* a part is not there with the etag that was said: InvalidPart */
	UPLOAD_PRECONDITION,       /* 412, and the upload goes on; so with the next */
	UPLOAD_NO_KEY,             /* If-Match on a key that is not there: 404 NoSuchKey */
};

/*
 * Begins an upload: of in, what meta_object_put takes but size, etag, bytes; checksums says which the object is to have.
 * Makes the bucket's fence when this is its first write. ERR_INVALID as there. *id: ids sort by the time they were made.
 */
MUST_CHECK int meta_upload_create(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct object *in,
    struct uuid *id, enum upload_did *out, struct err *err);
/* 1 it is under way, 0 not there. */
MUST_CHECK int meta_upload_find(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key,
    const struct uuid *id, struct upload *out, struct err *err);
/*
 * Stores a part, or replaces it: of in, size, etag, checksums, and blob_id or inline_data (never for an encrypted upload:
 * only one run of bytes of it may be sealed for a row). *mtime_us is set with UPLOAD_DONE.
 */
MUST_CHECK int meta_upload_part(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key,
    const struct uuid *id, int number, const struct object *in, int64_t *mtime_us, enum upload_did *out, struct err *err);
/*
 * At most max (no more than UPLOAD_PARTS_MAX) parts with numbers greater than after, in order; also of an upload that
 * became an object. *more: there are others behind.
 */
MUST_CHECK int meta_upload_parts(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct uuid *id, int after,
    int max, struct upload_part **out, size_t *n, bool *more, struct err *err);
/*
 * Makes these parts the object of its key, as meta_object_put does, and lets go of all others. etag and checksums are the
 * object's. numbers as text, and etags, each in order and ending in NULL.
 */
MUST_CHECK int meta_upload_complete(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key,
    const struct uuid *id, const char *const *numbers, const char *const *etags, const char *etag, struct span checksums,
    const struct object_cond *cond, enum upload_did *out, struct object_placed *placed, struct err *err);
/* The version that an upload became. 1 found, 0 none. */
MUST_CHECK int meta_upload_completed(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key,
    const struct uuid *id, struct object *out, struct err *err);
/* Where an object of parts has its bytes. */
struct object_piece {
	int64_t first, size;       /* in the object */
	bool has_blob;
	struct uuid blob_id;       /* when has_blob; else the bytes are here */
	struct uuid sealed_as;     /* when has_blob: as of struct object */
	struct span data;
};
/*
 * The parts of an object that hold [first, first + len), len > 0, in order; *n 0: the object was replaced meanwhile.
 * Cost: one descent and the rows given.
 */
MUST_CHECK int meta_object_pieces(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct uuid *parts_id,
    int64_t first, int64_t len, struct object_piece **out, size_t *n, struct err *err);
MUST_CHECK int meta_upload_abort(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, struct span key,
    const struct uuid *id, enum upload_did *out, struct err *err);

struct upload_query {
	struct span prefix, delimiter; /* may be empty */
	struct span after;         /* keys greater than this; or, with after_id, uploads of it behind that too */
	const struct uuid *after_id;
	int max;                   /* 0..UPLOAD_PAGE_MAX */
};
struct upload_entry {
	bool is_prefix;            /* then only key, the common prefix */
	struct span key;
	struct upload upload;      /* without headers and sse */
};
/* One page in the order of keys, and of one key in that of their beginnings. ERR_INVALID as meta_object_list. */
MUST_CHECK int meta_upload_list(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct upload_query *q,
    struct upload_entry **out, size_t *n, bool *more, struct err *err);

/* Begun longer ago than older_s and never ended, the oldest first: at most max. */
struct upload_stale {
	struct uuid bucket_id, id;
	struct span key;
};
MUST_CHECK int meta_uploads_stale(struct meta_thread *t, struct arena *a, int64_t older_s, int max, struct upload_stale **out,
    size_t *n, struct err *err);

/* What unfinished uploads hold, for who looks after the region: an upload, with its parts. */
struct upload_held {
	struct uuid bucket_id, id;
	struct span key;
	int64_t started_us;
	const char *owner_id;      /* canonical id of who began it; NULL: the bucket's owner */
	int64_t parts, bytes;
};
struct upload_held_query {
	const struct uuid *bucket_id; /* NULL: of all buckets */
	int64_t older_s;           /* begun at least so long ago; 0: all */
	int64_t after_us;          /* begun later, or then and with a greater id; of a bucket the id alone counts. 0 and a nil id: from the start */
	struct uuid after_id;
	int max;
};
/* The oldest first; of a bucket by the clocks of the workers that made the ids. Costs an index descent each and its parts. */
MUST_CHECK int meta_uploads_held(struct meta_thread *t, struct arena *a, const struct upload_held_query *q,
    struct upload_held **out, size_t *n, struct err *err);
/* Of all; 100,000 uploads at most are counted, and 100,000 parts, those of the oldest. oldest_us 0: there is none. */
struct uploads_sum {
	int64_t uploads, parts, bytes, oldest_us;
};
MUST_CHECK int meta_uploads_sum(struct meta_thread *t, struct arena *a, struct uploads_sum *out, struct err *err);

#endif
