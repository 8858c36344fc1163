/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/version.h - deleting objects, their versions, and what locks them. One
 * statement a call; rows of the regional database.
 */
#ifndef ANVIL_META_VERSION_H
#define ANVIL_META_VERSION_H

#include "meta/object.h"

struct object_removal {
	struct span key;
	const struct version_id *version; /* NULL: the key */
	/* Conditions on that version, or on the current one. A delete marker is not there. */
	const char *etag;          /* without quotes; "*" = any; NULL = not asked */
	bool has_mtime, has_size;
	int64_t mtime_us, size;    /* the time in whole seconds */
	bool bypass;               /* governance does not hold him who asks */
};
struct object_removed {
	enum object_wrote wrote;   /* OBJECT_NOT_THERE only where an ETag was asked of the current one */
	bool was_there;            /* a row is gone, or a marker hides one or none */
	bool placed;               /* a delete marker was put; version is its own */
	bool is_marker;            /* what was put or deleted is a marker */
	const char *version;       /* NULL: of no interest (the bucket never had versioning, or nothing was done) */
};
/*
 * Without a version: the object for good where there is no versioning, else a delete marker (owner: whose; NULL the
 * bucket's owner's). What is not there is no failure.
 */
MUST_CHECK int meta_object_delete(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct object_removal *what,
    const char *owner, struct object_removed *out, struct err *err);
/* The same for n (at most 1,000) in one transaction; out[i] for what[i]. */
MUST_CHECK int meta_object_delete_many(struct meta_thread *t, struct arena *a, const struct bucket *b,
    const struct object_removal *what, size_t n, const char *owner, struct object_removed *out, struct err *err);

/* Retention; mode 0 ends it. OBJECT_WROTE, OBJECT_NOT_THERE, OBJECT_LOCKED, OBJECT_IS_MARKER. */
MUST_CHECK int meta_object_retain(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key,
    const struct version_id *version, char mode, int64_t until_us, bool bypass, enum object_wrote *out, struct err *err);
MUST_CHECK int meta_object_hold(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key,
    const struct version_id *version, bool hold, enum object_wrote *out, struct err *err);

/* Tags, form-urlencoded; empty: none. OBJECT_WROTE with *tagged (which it was), OBJECT_NOT_THERE, OBJECT_IS_MARKER. */
MUST_CHECK int meta_object_tag(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key,
    const struct version_id *version, struct span tags, enum object_wrote *out, const char **tagged, struct err *err);

/* An access control list, as s3/acl.h stores it. Outcomes as of meta_object_tag. */
MUST_CHECK int meta_object_set_acl(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key,
    const struct version_id *version, const char *acl, enum object_wrote *out, const char **which, struct err *err);

struct version_query {
	struct span prefix, delimiter; /* may be empty */
	struct span after;         /* keys greater than this; or, with after_version, its versions older than that too */
	const struct version_id *after_version;
	int max;                   /* 0..1000 */
};
/*
 * One page of versions and delete markers: keys in the order of bytes, the newest of each first. Entries as those of
 * meta_object_list; *truncated tells that more follows, behind the last entry. ERR_INVALID as there.
 */
MUST_CHECK int meta_object_list_versions(struct meta_thread *t, struct arena *a, const struct bucket *b,
    const struct version_query *q, struct list_entry **out, size_t *n, bool *truncated, struct err *err);

#endif
