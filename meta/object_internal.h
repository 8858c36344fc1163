/* SPDX-License-Identifier: Apache-2.0 */
/* meta/object_internal.h - what meta/object.c and meta/object_version.c share. */
#ifndef ANVIL_META_OBJECT_INTERNAL_H
#define ANVIL_META_OBJECT_INTERNAL_H

#include "meta/internal.h"
#include "meta/object.h"

#define LIST_MAX 1000
/* Of sql/regional/0005-versions.sql and 0009-version-delete.sql. */
enum outcome {
	OUTCOME_DONE = 0,
	OUTCOME_NO_FENCE = 1,
	OUTCOME_CLOSED = 2,
	OUTCOME_PRECONDITION = 3,
	OUTCOME_NOT_THERE = 4,
	OUTCOME_LOCKED = 5,
	OUTCOME_IS_MARKER = 6
};

/* Can the database hold it? */
bool object_is_text(struct span s);
/* Can it be a key? Others were never put. */
bool object_is_key(struct span key);
enum object_wrote object_outcome(int64_t outcome);
struct span object_span(const struct db_rows *r, size_t row, int col);                              /* null: empty */
const char *object_text(const struct db_rows *r, size_t row, int col, const char *otherwise); /* null: otherwise */

#endif
