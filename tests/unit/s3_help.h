/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/s3_help.h - what the row tests of s3/ share: an arena a test, and
 * headers and queries from one line of text.
 */
#ifndef ANVIL_TESTS_UNIT_S3_HELP_H
#define ANVIL_TESTS_UNIT_S3_HELP_H

#include "base/arena.h"
#include "s3/errors.h"
#include "s3/headers.h"
#include "s3/uri.h"
#include "tests/unit/suite_help.h"

static struct arena *arena;

static void
help_begin(void)
{
	arena = arena_new(4 << 20);
}

static void
help_end(void)
{
	arena_free(arena);
}

/* "name: value\nname: value" */
static inline struct s3_headers
help_headers(const char *text)
{
	struct s3_header *h = arena_array(arena, 32, sizeof(*h));
	size_t n = 0;

	while (text != NULL && *text != '\0') {
		size_t len = strcspn(text, "\n");
		const char *colon = strchr(text, ':');

		ck_assert_ptr_nonnull(colon);
		h[n].name = (struct span){ text, (size_t)(colon - text) };
		h[n++].value = s3_trim((struct span){ colon + 1, len - (size_t)(colon + 1 - text) });
		text += len + (text[len] == '\n');
	}
	return (struct s3_headers){ h, n };
}

static inline struct s3_query
help_query(const char *raw)
{
	struct s3_problem pr = { 0 };
	struct s3_query q;

	ck_assert_int_eq(s3_query_parse(arena, span_of(raw), &q, &pr), 0);
	return q;
}

static inline const char *
help_text(struct span s)
{
	return s.p == NULL ? "(none)" : arena_strndup(arena, s.p, s.len);
}

/* The problem's code by name, "" when there is none. */
static inline const char *
help_code(const struct s3_problem *pr)
{
	return pr->code == 0 ? "" : s3_error_find(pr->code)->name;
}

static inline const char *
help_extra(const struct s3_problem *pr, const char *name)
{
	for (size_t i = 0; i < pr->n_extra; i++)
		if (strcmp(pr->extra[i].name, name) == 0)
			return help_text(pr->extra[i].value);
	return "(none)";
}

#endif
