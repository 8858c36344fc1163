/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/object_lock.h - versioning and object lock: what their documents and headers
 * say, and how their answers are written.
 */
#ifndef ANVIL_S3_OBJECT_LOCK_H
#define ANVIL_S3_OBJECT_LOCK_H

#include "base/strbuf.h"
#include "s3/headers.h"
#include "s3/problem.h"

/* *status: "Enabled", "Suspended", or NULL when the document says neither. -1 with pr: MalformedXML, NotImplemented (MfaDelete). */
MUST_CHECK int versioning_parse(struct arena *a, struct span document, const char **status, struct s3_problem *pr);
/* The answer of GetBucketVersioning; "" = never had it. */
void versioning_xml(struct strbuf *sb, const char *status);

/* What a bucket's object lock is as one text: "Enabled", or with the default retention "GOVERNANCE 30 Days". */
#define OBJECT_LOCK_TEXT_SIZE 40
MUST_CHECK int object_lock_config_parse(struct arena *a, struct span document, char out[OBJECT_LOCK_TEXT_SIZE],
    struct s3_problem *pr);
void object_lock_config_xml(struct strbuf *sb, const char *lock);

/* How long, and how firmly, a version is kept. */
struct object_lock {
	char mode;             /* 'G' governance, 'C' compliance, 0 none */
	int64_t until_us;      /* when mode */
	bool hold;
	bool says_retention, says_hold; /* of headers: which were sent */
};
/* The bucket's default for a version that is made now; "Enabled" has none. */
void object_lock_default(const char *lock, int64_t now_us, struct object_lock *out);
/* x-amz-object-lock-*. -1 with pr: InvalidArgument. */
MUST_CHECK int object_lock_headers(const struct s3_headers *hs, int64_t now_us, struct object_lock *out, struct s3_problem *pr);
const char *object_lock_mode_name(char mode); /* "GOVERNANCE", "COMPLIANCE" */

/* <Retention>: mode and until; an empty one ends it. -1 with pr: MalformedXML, InvalidArgument (in the past). */
MUST_CHECK int retention_parse(struct arena *a, struct span document, int64_t now_us, struct object_lock *out,
    struct s3_problem *pr);
void retention_xml(struct strbuf *sb, char mode, int64_t until_us);
MUST_CHECK int legal_hold_parse(struct arena *a, struct span document, bool *hold, struct s3_problem *pr);
void legal_hold_xml(struct strbuf *sb, bool hold);

#endif
