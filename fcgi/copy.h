/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/copy.h - the source of a copy: found, authorised for whoever copies, its
 * conditions asked, and its bytes handed over, wherever it lies. CopyObject and
 * UploadPartCopy are the takers.
 */
#ifndef ANVIL_FCGI_COPY_H
#define ANVIL_FCGI_COPY_H

#include "fcgi/identity.h"
#include "fcgi/sse.h"
#include "meta/object.h"
#include "s3/copy_source.h"

#define COPY_OF_MARKER "The source of a copy request may not specifically refer to a delete marker by version id."
#define COPY_BYTES_MAX INT64_C(5368709120) /* of what one request copies */

struct copy_source {
	struct copy_source_name name;
	const struct version_id *version; /* NULL: the current one */
	struct version_id version_buf;
	const struct bucket *bucket;
	struct req as;             /* the copy's request, as if it read the source: for policies */
	int64_t first, last;       /* which bytes; last -1: all of them. For the caller to set before copy_run */

	/* From begin on. */
	struct object o;           /* the whole object's; where its bytes lie only when `here` */
	bool here;                 /* it lies in this region */
	bool may_read_tags;        /* o.tags, too; else they are unknown when there are any */
	bool has_tags;
	enum sse_kind sealed;
	int64_t len;               /* of the bytes that are wanted */
};

/* What takes the copy. */
struct copy_to {
	void *arg;
	/* The source may be copied. 0: its bytes, please. 1: they are not needed. -1: refused, r->err says why. */
	int (*begin)(void *arg, const struct copy_source *s);
	int (*write)(void *arg, const void *p, size_t len);
};

/*
 * What x-amz-copy-source names, and its bucket. -1: InvalidArgument, NoSuchBucket, AccessDenied (x-amz-source-expected-
 * bucket-owner).
 */
MUST_CHECK int copy_find(struct req *r, struct copy_source *s);
/*
 * 0: begin was called and, unless it said 1, write for every byte in order. -1 with r->err: AccessDenied, NoSuchKey,
 * NoSuchVersion, PreconditionFailed, InvalidRequest, InvalidRange, what the takers refuse; ServiceUnavailable when the
 * source's home cannot be reached.
 */
MUST_CHECK int copy_run(struct req *r, const struct identity *who, struct copy_source *s, const struct copy_to *to);
/* Shared with what asks another region: the range that is wanted, the conditions, and then begin. As begin. */
MUST_CHECK int copy_begin(struct req *r, struct copy_source *s, const struct copy_to *to);

#endif
