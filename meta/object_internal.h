/* SPDX-License-Identifier: Apache-2.0 */
/* meta/object_internal.h - what meta/object.c, object_version.c and upload.c share. */
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
/* ERR_INVALID when it cannot. */
MUST_CHECK int object_check_key(struct span key, struct err *err);
enum object_wrote object_outcome(int64_t outcome);
struct span object_span(const struct db_rows *r, size_t row, int col);                              /* null: empty */
const char *object_text(const struct db_rows *r, size_t row, int col, const char *otherwise); /* null: otherwise */
/* A row of STMT_OBJECT_GET and its kin; is 1. */
MUST_CHECK int object_from_row(const struct db_rows *r, struct arena *a, const struct bucket *b, struct span key,
    struct object *out, struct err *err);

/* For writing: NULL (null) where a row leaves out what holds anyway. */
struct db_param object_bytes_or_null(struct span s);
const char *object_class_or_null(const struct object *in);
const char *object_owner_or_null(const struct bucket *b, const struct object *in);
const char *object_acl_or_null(const struct object *in);
int object_cond_number(const struct object_cond *c);
const char *object_cond_etag(const struct object_cond *c);
/*
 * A statement that joins the fence, run again when there was none and this made
 * it. Column 0 of its row is the outcome, which is given.
 */
MUST_CHECK int object_run_joined(struct meta_thread *t, struct arena *a, const struct bucket *b, enum stmt st,
    const struct db_param *params, size_t n_params, struct db_rows **r, int64_t *outcome, struct err *err);
/* Where it came to lie, from a row of object_placed. */
MUST_CHECK int object_placed_from_row(const struct db_rows *r, struct arena *a, struct object_placed *out, struct err *err);

#endif
