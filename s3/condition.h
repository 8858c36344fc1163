/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/condition.h - conditional requests (RFC 9110 section 13) as S3 answers them.
 * ETags are given and compared without their quotes; a weak tag of the client
 * compares by its value, as S3 does. A date that cannot be read is ignored, and so
 * is an If-Modified-Since that is still to come (RFC 9110 13.1.3).
 */
#ifndef ANVIL_S3_CONDITION_H
#define ANVIL_S3_CONDITION_H

#include "s3/headers.h"
#include "s3/problem.h"

struct condition_object {
	struct span etag;  /* without quotes */
	int64_t mtime_us;  /* compared in whole seconds, which is what clients were told */
};
/*
 * GET and HEAD. A true If-Match silences If-Unmodified-Since, an If-None-Match
 * silences If-Modified-Since. 0 = go on; -1 with pr: NotModified (304, with ETag and
 * Last-Modified), PreconditionFailed with <Condition>.
 */
MUST_CHECK int condition_read(const struct s3_headers *headers, const struct condition_object *o, int64_t now_us,
    struct s3_problem *pr);
/* May Range be honoured? (If-Range is absent, or is this very object.) */
bool condition_range(const struct s3_headers *headers, const struct condition_object *o, int64_t now_us);

enum condition_write_kind { CONDITION_NONE, CONDITION_ABSENT, CONDITION_MATCH };
struct condition_write {
	enum condition_write_kind kind;
	struct span etag;  /* MATCH: without quotes; of a DELETE also "*" = whatever is there */
};
/* The one tag of a text, without W/ and quotes; "*" too. false: none, or several. */
bool condition_etag(struct span text, struct span *etag);
/*
 * What a PUT or DELETE asks for; its outcome is decided by the row's one statement.
 * -1 with pr: NotImplemented (naming the header) for those that S3 does not take, and
 * for If-Match: * of a PUT; InvalidArgument for an ETag that is none.
 */
MUST_CHECK int condition_write_parse(const struct s3_headers *headers, bool is_delete, struct condition_write *out,
    struct s3_problem *pr);

#endif
