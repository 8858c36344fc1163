/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/delete_objects.h - the document of DeleteObjects and its answer.
 */
#ifndef ANVIL_S3_DELETE_OBJECTS_H
#define ANVIL_S3_DELETE_OBJECTS_H

#include "base/strbuf.h"
#include "s3/problem.h"

#define DELETE_OBJECTS_MAX 1000

/* p is NULL for what is not said. */
struct delete_item {
	struct span key, version;
	struct span etag;          /* without quotes */
	bool has_mtime, has_size;
	int64_t mtime_us, size;
};
struct delete_objects {
	struct delete_item *items;
	size_t n;
	bool quiet;
};
/* -1 with pr: MalformedXML (no key or more than 1,000), MaxMessageLengthExceeded, InternalError. */
MUST_CHECK int delete_objects_parse(struct arena *a, struct span document, int64_t now_us, struct delete_objects *out,
    struct s3_problem *pr);

/* <DeleteResult>, begun and closed by the caller: what one item adds. */
struct delete_done {
	const char *marker_version; /* of the delete marker that was put or deleted */
	bool marker;
};
void delete_objects_deleted(struct strbuf *sb, const struct delete_item *it, const struct delete_done *d);
void delete_objects_error(struct strbuf *sb, const struct delete_item *it, int code, const char *message);

#endif
