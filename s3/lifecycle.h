/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/lifecycle.h - a bucket's lifecycle rules: the document, and what the rules say
 * of an object. Carried out by admin/lifecycle.c; told by x-amz-expiration.
 *
 * Days are counted as S3 does: from the object's time, then up to the next midnight UTC.
 */
#ifndef ANVIL_S3_LIFECYCLE_H
#define ANVIL_S3_LIFECYCLE_H

#include "s3/tagging.h"

#define LIFECYCLE_RULES_MAX 1000

struct lifecycle_rule {
	struct span id;
	bool enabled;
	/* which objects */
	struct span prefix;
	struct s3_tags tags;
	int64_t larger, smaller;         /* than so many bytes; -1: not asked */
	/* what of them; 0: nothing is said */
	int64_t days, date_us;           /* date_us: -1 nothing */
	bool expired_marker;
	int64_t noncurrent_days, newer_noncurrent;
	int64_t abort_days;
};
struct lifecycle {
	struct lifecycle_rule *v;
	size_t n;
};

/* For a bucket's document (s3/bucket_config.h): rules without an ID get one. */
MUST_CHECK int s3_lifecycle_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr);
/* Of a stored document; one that cannot be read has no rules. NULL: no rules. */
void lifecycle_read(struct arena *a, const char *stored, struct lifecycle *out);

/* Is it one of the rule's? tags NULL: not known, and the rule's own are taken to fit. */
bool lifecycle_matches(const struct lifecycle_rule *r, struct span key, int64_t size, const struct s3_tags *tags);
#define LIFECYCLE_DAY_US (INT64_C(86400) * 1000000)
/*
 * The midnight after so many days; INT64_MAX: beyond all dates. A day that is shorter than LIFECYCLE_DAY_US, as rules are
 * tried out with (lifecycle_day_seconds), has no midnight: then it is so many of them, to the microsecond.
 */
int64_t lifecycle_after(int64_t from_us, int64_t days, int64_t day_us);
/* When the rule ends a current version of that time; INT64_MAX: never. */
int64_t lifecycle_end(const struct lifecycle_rule *r, int64_t mtime_us, int64_t day_us);
/* x-amz-expiration: which rule ends it first, and when. false: none does. */
bool lifecycle_header(struct strbuf *sb, const struct lifecycle *lc, struct span key, int64_t size, const struct s3_tags *tags,
    int64_t mtime_us);
/* Does a rule ask for tags? Those of a listing's entries are not known. */
bool lifecycle_wants_tags(const struct lifecycle *lc);

#endif
